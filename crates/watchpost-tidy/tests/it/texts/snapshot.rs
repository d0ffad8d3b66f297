//! Snapshots of the texts for users, administrators and models, one file per crate.

use super::{
    Kind, Text,
    placement::{DECLARING, WITHOUT_USERS, is_text_module},
};
use crate::root;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// Whether a text belongs in the snapshot of its crate.
fn belongs(text: &Text) -> bool {
    let is_prose = text.text.chars().any(char::is_alphabetic);
    let is_source =
        text.path.contains("/src/") || text.path.ends_with(".rego") || text.path.ends_with(".html");
    let words = text.text.split_whitespace().count();
    let declares = DECLARING.iter().any(|path| text.path.starts_with(path)) && words > 2;
    let is_text = text.kind != Kind::Literal || is_text_module(&text.path) || declares;
    // Short strings of rules are names of fields.
    let is_message = text.kind != Kind::Policy || words > 2;
    let has_users = !WITHOUT_USERS.iter().any(|folder| text.path.starts_with(folder));
    has_users && text.kind.is_shown() && is_prose && is_source && is_text && is_message
}

/// Formats the texts of one crate: a heading for each file, and the texts in source order without line numbers.
fn page(texts: &[&Text]) -> String {
    let mut page = String::new();
    let mut path = "";
    for text in texts {
        if text.path != path {
            path = &text.path;
            let _ = writeln!(page, "{}## {path}", if page.is_empty() { "" } else { "\n" });
        }
        let kind = match text.kind {
            Kind::Schema => "help: ",
            Kind::Declaration => "declaration: ",
            Kind::Error => "error: ",
            _ => "",
        };
        for (index, line) in text.text.trim().lines().enumerate() {
            let line = if index == 0 {
                format!("- {kind}{line}")
            } else {
                format!("  {line}")
            };
            let _ = writeln!(page, "{}", line.trim_end());
        }
    }
    page
}

/// Compares the texts of each crate with its snapshot, except for the crates in `pending`.
pub(super) fn compare(texts: &[Text], pending: &BTreeSet<&str>) {
    let mut crates = BTreeMap::<&str, Vec<&Text>>::new();
    for text in texts.iter().filter(|text| belongs(text)) {
        crates.entry(text.group()).or_default().push(text);
    }
    assert!(crates.len() > 8, "only {} crates have texts", crates.len());
    let folder = root().join("crates/watchpost-tidy/tests/it/texts/snapshots");
    for (name, texts) in crates {
        if !pending.contains(name) {
            let name = name.rsplit('/').next().unwrap_or(name);
            insta::with_settings!({
                snapshot_path => folder.clone(),
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, {
                insta::assert_snapshot!(name, page(&texts));
            });
        }
    }
}

#[test]
fn a_changed_text_changes_the_page() {
    let text = |path: &str, kind: Kind, text: &str| Text {
        path: path.to_owned(),
        line: 7,
        kind,
        text: text.to_owned(),
    };
    let texts = [
        text("crates/a/src/error.rs", Kind::Error, "no such key"),
        text("crates/a/src/error.rs", Kind::Literal, "label"),
        text("crates/a/src/key.rs", Kind::Doc, "internal"),
        text("crates/a/src/text.rs", Kind::Literal, "The key\nexpired."),
    ];
    let shown: Vec<&Text> = texts.iter().filter(|text| belongs(text)).collect();
    assert_eq!(
        page(&shown),
        "## crates/a/src/error.rs\n- error: no such key\n\n## crates/a/src/text.rs\n- The key\n  expired.\n"
    );
}
