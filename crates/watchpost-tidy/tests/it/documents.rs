//! Rules about documents.

use crate::{files, root, text};
use std::collections::BTreeSet;

/// Returns the names of all crates and binaries of the workspace.
fn members() -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    for parent in ["crates", "bins"] {
        for entry in std::fs::read_dir(root().join(parent)).expect("the folder exists") {
            let path = entry.expect("an entry").path();
            if path.join("Cargo.toml").is_file() {
                members.insert(path.file_name().expect("a name").to_string_lossy().into_owned());
            }
        }
    }
    members
}

#[test]
fn the_architecture_page_names_every_crate_and_no_other() {
    let page = text("docs/architecture.md").expect("docs/architecture.md exists");
    let members = members();
    let named: BTreeSet<String> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            word.starts_with("watchpost") && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        })
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = members.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "docs/architecture.md doesn't name {missing:?}"
    );
    let other: Vec<_> = named
        .difference(&members)
        .filter(|name| !["watchpost-seed"].contains(&name.as_str()))
        .collect();
    assert!(
        other.is_empty(),
        "docs/architecture.md names crates that don't exist: {other:?}"
    );
}

/// Returns the entries of the list of crates, each on one line.
fn entries(page: &str) -> Vec<String> {
    let (_, list) = page.split_once("\n## Crates\n").expect("the list of crates");
    let list = list.split("\n## ").next().unwrap_or_default();
    list.split("\n- **")
        .skip(1)
        .map(|entry| entry.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_crate_has_an_entry_that_says_what_it_does_not_do() {
    /// The phrases for it.
    const PHRASES: &[&str] = &["does not", "do not"];
    let page = text("docs/architecture.md").expect("docs/architecture.md exists");
    let entries = entries(&page);
    assert!(
        entries.len() > 12,
        "the list of crates is not parsed correctly: {entries:?}"
    );
    let silent: Vec<&String> = entries
        .iter()
        .filter(|entry| {
            let entry = entry.to_lowercase();
            !PHRASES.iter().any(|phrase| entry.contains(phrase))
        })
        .collect();
    assert!(
        silent.is_empty(),
        "these entries don't state what the crate does not do: {silent:?}"
    );
    for name in members() {
        assert!(
            entries.iter().any(|entry| entry.contains(&format!("`{name}`**"))),
            "docs/architecture.md has no entry for {name}"
        );
    }
}

#[test]
fn the_picture_shows_every_crate() {
    let page = text("docs/architecture.md").expect("docs/architecture.md exists");
    let picture = page.split("```").nth(1).expect("the picture");
    let shown: BTreeSet<&str> = picture
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .map(|word| word.strip_prefix("watchpost-").unwrap_or(word))
        .collect();
    for name in members() {
        let short = name.strip_prefix("watchpost-").unwrap_or(&name);
        assert!(shown.contains(short), "the picture doesn't show {name}");
    }
}

#[test]
fn links_between_documents_are_not_broken() {
    let mut wrong = Vec::new();
    for path in files().into_iter().filter(|path| path.ends_with(".md")) {
        let content = text(&path).unwrap_or_default();
        let folder = root().join(&path);
        let folder = folder.parent().expect("a file has a folder");
        for target in content
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty()
                || target.contains("://")
                || target.starts_with("mailto:")
                || target.contains(' ')
            {
                continue;
            }
            if !folder.join(target).exists() {
                wrong.push(format!("{path}: {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "broken links:\n{}", wrong.join("\n"));
}

#[test]
fn the_readme_gives_the_demo_command_before_the_test_command() {
    let readme = text("README.md").expect("README.md exists");
    let demo = readme
        .find("cargo run --bin watchpost-http -- --demo")
        .expect("the demo command is in the README");
    let test = readme
        .find("cargo test")
        .expect("the test command is in the README");
    assert!(demo < test, "the demo command comes first");
}
