//! The tables of permissions on the pages about connecting a platform.

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};
use watchpost_connectors::{PermissionUse, permissions};
use watchpost_core::value::word::Platform;
use watchpost_policy::Pack;

const BEGIN: &str = "<!-- permissions: UPDATE_DOCS=1 cargo test -p watchpost-policy writes this table -->\n";
const END: &str = "<!-- end of permissions -->\n";

fn page_path(platform: Platform) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/connect")
        .join(format!("{}.md", platform.as_str()))
}

/// Returns the number of rules that can't judge without one of the datasets, and of checks that use one of the settings.
fn cost(pack: &Pack, platform: Platform, used: &PermissionUse) -> (usize, usize) {
    let applies = |platforms: &[Platform]| platforms.is_empty() || platforms.contains(&platform);
    let rules = pack.rules().iter().filter(|rule| {
        applies(&rule.platforms)
            && rule
                .datasets
                .iter()
                .any(|dataset| used.datasets.contains(dataset))
    });
    let checks = pack.checks().checks().iter().filter(|check| {
        check.scan.is_some()
            && applies(&check.platforms)
            && check
                .inputs
                .iter()
                .chain(&check.optional_inputs)
                .any(|path| used.settings.contains(&path.as_str()))
    });
    (rules.count(), checks.count())
}

fn table(platform: Platform) -> String {
    let pack = Pack::builtin();
    let mut table = String::from(
        "\n| permission or role | datasets of a sync | rules that need them | settings of a scan | checks that use them |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for used in permissions(platform) {
        let (rules, checks) = cost(&pack, platform, &used);
        let datasets: Vec<String> = used
            .datasets
            .iter()
            .map(|dataset| format!("`{dataset}`"))
            .collect();
        let datasets = if datasets.is_empty() {
            "–".to_owned()
        } else {
            datasets.join(", ")
        };
        let _ = writeln!(
            table,
            "| {} | {datasets} | {rules} | {} | {checks} |",
            used.permission,
            used.settings.len()
        );
    }
    table.push('\n');
    table
}

/// Returns the page before and after the table.
fn parts(page: &str) -> (&str, &str) {
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    (before, after)
}

#[test]
fn the_pages_on_connecting_tell_what_each_permission_is_for() {
    for platform in [Platform::M365, Platform::Okta] {
        let path = page_path(platform);
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, after) = parts(&page);
        let expected = format!("{before}{BEGIN}{}{END}{after}", table(platform));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &expected).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            expected,
            "{} is out of date: UPDATE_DOCS=1 cargo test -p watchpost-policy",
            path.display()
        );
    }
}

#[test]
fn the_pages_on_connecting_explain_each_permission_of_the_code_and_no_other() {
    for platform in [Platform::M365, Platform::Okta] {
        let page = std::fs::read_to_string(page_path(platform)).unwrap();
        let (before, after) = parts(&page);
        let text = format!("{before}{after}")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let used = permissions(platform);
        let names: BTreeSet<&str> = used.iter().map(|used| used.permission).collect();
        for name in &names {
            assert!(text.contains(name), "{platform}: the page doesn't explain {name}");
        }
        let written: BTreeSet<&str> = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|span| is_permission(platform, span))
            .collect();
        let other: Vec<_> = written.difference(&names).collect();
        assert!(other.is_empty(), "{platform}: no code uses {other:?}");
    }
}

/// Whether a code span of a page is the name of a scope or an application permission.
fn is_permission(platform: Platform, span: &str) -> bool {
    const PARTS: [&str; 5] = [
        ".Read.All",
        ".ReadWrite.All",
        ".Read.Directory",
        ".ManageAsApp",
        ".FullControl.All",
    ];
    let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    match platform {
        Platform::Okta => plain && span.starts_with("okta.") && span.ends_with(".read"),
        _ => plain && PARTS.iter().any(|part| span.contains(part)),
    }
}
