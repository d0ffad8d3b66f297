//! The built-in rules: their cases, their METADATA, and their page in the docs.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};
use watchpost_core::rule::Rule;
use watchpost_policy::{Pack, cases};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn every_case_of_every_rule_passes() {
    let pack = Pack::builtin();
    let mut failed = Vec::new();
    let mut passed = 0;
    for (rule, file, text) in cases::builtin_cases() {
        let report = cases::run(&pack, rule, file, text).unwrap();
        passed += report.passed;
        failed.extend(report.failed);
        for title in report.titles {
            if title.chars().count() > 260 || !title.contains(' ') || title.contains("undefined") {
                failed.push(format!("{rule}: not a readable sentence: {title}"));
            }
        }
    }
    assert!(failed.is_empty(), "{passed} passed, but:\n{}", failed.join("\n"));
    assert!(passed > 4 * pack.rules().len());
}

#[test]
fn every_rule_has_a_passing_a_failing_a_not_applicable_and_an_unreadable_case() {
    let pack = Pack::builtin();
    for (rule, file, text) in cases::builtin_cases() {
        let kinds: BTreeSet<String> = cases::run(&pack, rule, file, text)
            .unwrap()
            .kinds
            .into_iter()
            .collect();
        for kind in ["passed", "failed", "not_applicable", "unreadable"] {
            assert!(kinds.contains(kind), "{rule} has no case that ends as {kind}");
        }
    }
}

#[test]
fn every_file_in_the_folder_is_embedded() {
    let on_disk: BTreeSet<String> = fs::read_dir(folder("rules"))
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut expected: BTreeSet<String> = ["lib.rego", "cases.base.json"].map(str::to_owned).into();
    for rule in Pack::builtin().rules() {
        expected.insert(format!("{}.rego", rule.id));
        expected.insert(format!("{}.cases.json", rule.id));
    }
    assert_eq!(on_disk, expected);
    let cases: BTreeSet<_> = cases::builtin_cases().map(|(rule, _, _)| rule).collect();
    assert_eq!(cases.len(), Pack::builtin().rules().len());
}

#[test]
fn metadata_is_complete_and_rules_are_sorted() {
    let pack = Pack::builtin();
    let rules = pack.rules();
    assert!(rules.len() >= 38);
    assert!(rules.is_sorted_by(|a, b| a.id < b.id));
    let titles: BTreeSet<_> = rules.iter().map(|rule| &rule.title).collect();
    assert_eq!(titles.len(), rules.len(), "titles repeat");
    for rule in rules {
        assert!(pack.is_builtin(&rule.id));
        assert!(
            rule.description.len() > 40,
            "{}: the description is too short",
            rule.id
        );
        assert!(rule.action.is_some(), "{}: no action", rule.id);
        assert!(
            !rule.remediation.is_empty() && !rule.frameworks.is_empty(),
            "{}",
            rule.id
        );
        assert!(rule.is_scored(), "{}", rule.id);
        assert!(
            rule.references.iter().all(|url| url.starts_with("https://")),
            "{}: a reference is not an https URL",
            rule.id
        );
        let area = rule.id.split('.').next().unwrap_or_default();
        assert!(
            ["app", "id", "okta", "sync", "tok"].contains(&area),
            "{}",
            rule.id
        );
        assert!(
            area == "sync" || !rule.datasets.is_empty(),
            "{}: has no datasets",
            rule.id
        );
    }
}

fn row(rule: &Rule) -> String {
    let words = |list: Vec<&str>| {
        if list.is_empty() {
            "–".to_owned()
        } else {
            list.join(", ")
        }
    };
    format!(
        "| `{}` | {} | {} | `{}` | {} | {} | {} | {} |",
        rule.id,
        rule.title,
        rule.severity,
        rule.category,
        rule.document,
        if rule.platforms.is_empty() {
            "any".to_owned()
        } else {
            words(rule.platforms.iter().map(|p| p.as_str()).collect())
        },
        words(rule.datasets.iter().map(|d| d.as_str()).collect()),
        rule.action
            .as_deref()
            .map_or("–".to_owned(), |action| format!("`{action}`")),
    )
}

/// Compares the page `docs/rules-builtin.md`. `UPDATE_DOCS=1 cargo test -p watchpost-policy` writes it.
#[test]
fn the_page_of_built_in_rules_is_current() {
    let pack = Pack::builtin();
    let mut page = String::from(
        "# Built-in rules\n\nGenerated from the METADATA in `crates/watchpost-policy/rules/*.rego`; a test keeps it up to \
         date. [rules.md](rules.md) explains how rules work.\n",
    );
    let _ = write!(
        page,
        "\n{} rules.\n\n| rule | title | severity | category | document | platforms | datasets | action |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        pack.rules().len()
    );
    for rule in pack.rules() {
        page.push_str(&row(rule));
        page.push('\n');
    }
    page.push_str("\n## Descriptions\n");
    for rule in pack.rules() {
        let _ = write!(
            page,
            "\n### {}\n\n`{}`: {}\n\n",
            rule.title, rule.id, rule.description
        );
        for (number, step) in rule.remediation.iter().enumerate() {
            let _ = writeln!(page, "{}. {step}", number + 1);
        }
    }
    let file = folder("../../docs/rules-builtin.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let current = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        current == page,
        "docs/rules-builtin.md is out of date: UPDATE_DOCS=1 cargo test -p watchpost-policy"
    );
}
