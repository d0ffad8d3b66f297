//! The built-in checks: their METADATA, their compilation, and their cases.

use std::{collections::BTreeSet, fmt::Write as _};
use watchpost_core::check::{Check, ScanType};
use watchpost_policy::{Pack, check::cases};

/// Whether a check's Rego contains a quoted result or reason.
fn rego_contains(id: &str, value: &str) -> bool {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("checks");
    let text = std::fs::read_to_string(folder.join(format!("{id}.rego"))).unwrap_or_default();
    text.lines()
        .any(|line| !line.starts_with('#') && line.contains(&format!("\"{value}\"")))
}

#[test]
fn every_case_of_every_built_in_check_passes() {
    let pack = Pack::builtin();
    let mut wrong = Vec::new();
    for (file, text) in cases::builtin_cases() {
        let Some(check) = cases::check_of_file(&pack, file) else {
            wrong.push(format!("{file}: there is no such check"));
            continue;
        };
        match cases::run(&pack, &check.id, file, text) {
            Ok(report) => wrong.extend(report.failed),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_built_in_check_has_cases_of_each_kind() {
    let pack = Pack::builtin();
    let mut with_cases = BTreeSet::new();
    let mut lacking = Vec::new();
    for (file, text) in cases::builtin_cases() {
        let Some(check) = cases::check_of_file(&pack, file) else {
            continue;
        };
        with_cases.insert(check.id.clone());
        let Ok(report) = cases::run(&pack, &check.id, file, text) else {
            continue;
        };
        let mut kinds = vec!["passed"];
        if check.scan.is_some() {
            kinds.push("unreadable");
        }
        if rego_contains(&check.id, "not_applicable") {
            kinds.push("not_applicable");
        }
        // A check that leaves some verdicts to a person may never fail.
        let partly_manual =
            rego_contains(&check.id, "manual") && report.kinds.iter().any(|kind| kind == "manual");
        kinds.push(if partly_manual { "manual" } else { "failed" });
        if check.manual {
            continue;
        }
        for kind in kinds {
            if !report.kinds.iter().any(|seen| seen == kind) {
                lacking.push(format!("{file}: no case ends as {kind}"));
            }
        }
    }
    let bare = |check: &&Check| !check.manual && !with_cases.contains(&check.id);
    lacking.extend(
        pack.checks()
            .checks()
            .iter()
            .filter(bare)
            .map(|check| format!("{}: has no cases", check.id)),
    );
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[test]
fn sentences_of_failed_checks_are_well_formed() {
    let pack = Pack::builtin();
    let mut wrong = Vec::new();
    for (file, text) in cases::builtin_cases() {
        let Some(check) = cases::check_of_file(&pack, file) else {
            continue;
        };
        let Ok(report) = cases::run(&pack, &check.id, file, text) else {
            continue;
        };
        for title in report.titles {
            // A domain keeps its lower case at the start of a sentence.
            let domain = title
                .split_whitespace()
                .next()
                .is_some_and(|word| word.contains('.'));
            let capitalized = domain || title.chars().next().is_some_and(|c| !c.is_lowercase());
            if !capitalized || title.contains("<nil>") || title.contains("%!") {
                wrong.push(format!("{}: {title}", check.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn variants_name_a_current_check() {
    let pack = Pack::builtin();
    let set = pack.checks();
    let unknown: Vec<&str> = set
        .checks()
        .iter()
        .filter_map(|check| check.variant_of.as_deref())
        .filter(|id| set.position(id).is_none())
        .collect();
    assert!(unknown.is_empty(), "no such check: {unknown:?}");
}

/// Compares the page `docs/checks/catalogue.md`. `UPDATE_DOCS=1 cargo test -p watchpost-policy` writes it.
#[test]
fn the_catalog_of_checks_is_current() {
    let pack = Pack::builtin();
    let checks = pack.checks().checks();
    let mut page = String::from(
        "# Catalog of checks\n\nGenerated from the METADATA in `crates/watchpost-policy/checks`; a test keeps it up to date. \
         [README.md](README.md) explains the verdicts. Of frameworks, only the ids are listed; `watchpost policy show ID` \
         shows the rest.\n",
    );
    for (title, scan) in [
        ("Compliance", Some(ScanType::Compliance)),
        ("Exposure", Some(ScanType::Exposure)),
        ("Former baselines", None),
    ] {
        let of_kind: Vec<&Check> = checks.iter().filter(|check| check.scan == scan).collect();
        let _ = write!(
            page,
            "\n## {title}\n\n{} checks.\n\n| check | title | service | severity | frameworks |\n| --- | --- | --- | --- | --- |\n",
            of_kind.len()
        );
        for check in of_kind {
            let ids: Vec<String> = check.frameworks.iter().map(ToString::to_string).collect();
            let manual = if check.manual { " (manual)" } else { "" };
            let _ = writeln!(
                page,
                "| `{}` | {}{manual} | {} | {} | {} |",
                check.id,
                check.title.replace('|', "\\|"),
                check.service.as_str(),
                check.severity,
                ids.join(", ")
            );
        }
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks/catalogue.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "docs/checks/catalogue.md is out of date: UPDATE_DOCS=1 cargo test -p watchpost-policy"
    );
}
