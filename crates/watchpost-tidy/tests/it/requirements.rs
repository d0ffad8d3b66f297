//! Every requirement of the protocol is cited by a test or listed with the reason for which no test cites it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use crate::{files, root, text};

const LIST: &str = "fixtures/mcp/requirements.txt";
const PAGE: &str = "docs/mcp-conformance.md";

/// Returns the ids of the list, each with its revisions and its level.
fn listed() -> BTreeMap<String, (String, String)> {
    let mut ids = BTreeMap::new();
    for line in text(LIST).expect("the list exists").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split(" | ").collect();
        let [id, revisions, level, words] = fields[..] else {
            panic!("{LIST}: a line doesn't have four fields: {line}")
        };
        assert!(!words.trim().is_empty(), "{LIST}: {id} has no text");
        let was = ids.insert(id.to_owned(), (revisions.to_owned(), level.to_owned()));
        assert!(was.is_none(), "{LIST} lists {id} twice");
    }
    ids
}

/// Returns the ids in a text: three capital letters of a known kind, a hyphen and two digits, as a whole word.
fn ids_in(content: &str, kinds: &BTreeSet<&str>) -> BTreeSet<String> {
    content
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        .filter(|word| {
            word.split_once('-').is_some_and(|(kind, number)| {
                kinds.contains(kind) && number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
        .map(str::to_owned)
        .collect()
}

/// Returns the part of a file that contains tests: the whole file, the part from its `#[cfg(test)]` on, or an empty string.
fn tests_of<'a>(path: &str, content: &'a str) -> &'a str {
    if path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs") {
        return content;
    }
    content
        .find("#[cfg(test)]")
        .map_or("", |at| content.get(at..).unwrap_or_default())
}

/// Returns the code of the repository in all languages, except this crate, which cites no requirement.
fn code() -> impl Iterator<Item = (String, String)> {
    files()
        .into_iter()
        .filter(|path| {
            let named = [".rs", ".py", ".mjs", ".sh", "/run"]
                .iter()
                .any(|end| path.ends_with(end));
            named && !path.starts_with("crates/watchpost-tidy/")
        })
        .filter_map(|path| text(&path).map(|content| (path, content)))
}

/// Returns the reasons of the rows of the page that begin with an id.
fn excused(kinds: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for line in text(PAGE).expect("the page exists").lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(id), Some(reason)) = (cells.next(), cells.next()) else {
            continue;
        };
        if ids_in(id, kinds).contains(id) {
            let was = rows.insert(id.to_owned(), reason.to_owned());
            assert!(was.is_none(), "{PAGE} lists {id} twice");
        }
    }
    rows
}

#[test]
fn each_requirement_is_cited_by_a_test_or_listed_with_a_reason() {
    let listed = listed();
    let kinds: BTreeSet<&str> = listed.keys().filter_map(|id| id.split('-').next()).collect();
    let excused = excused(&kinds);
    let mut cited = BTreeMap::<String, String>::new();
    let mut wrong = Vec::new();
    for (path, content) in code() {
        for id in ids_in(&content, &kinds) {
            if !listed.contains_key(&id) {
                wrong.push(format!("{path} cites {id}, which isn't in {LIST}"));
            }
        }
        for id in ids_in(tests_of(&path, &content), &kinds) {
            cited.entry(id).or_insert_with(|| path.clone());
        }
    }
    for id in listed.keys() {
        match (cited.get(id), excused.get(id)) {
            (None, None) => wrong.push(format!("{id} is neither cited by a test nor listed in {PAGE}")),
            (Some(path), Some(_)) => {
                wrong.push(format!(
                    "{id} is cited in {path}, but {PAGE} lists it as not cited"
                ));
            }
            (None, Some(reason)) if reason.split_whitespace().count() < 3 => {
                wrong.push(format!("{PAGE} gives no reason for {id}"));
            }
            _ => {}
        }
    }
    for id in excused.keys().filter(|id| !listed.contains_key(*id)) {
        wrong.push(format!("{PAGE} lists {id}, which isn't in {LIST}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_list_matches_the_reference() {
    let shared = std::env::var_os("SHARED_DIR").map_or_else(|| root().join("../shared"), PathBuf::from);
    let Ok(reference) = std::fs::read_to_string(shared.join("reference/mcp.md")) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no reference in {}",
            shared.display()
        );
        eprintln!("skipped: no reference in {}", shared.display());
        return;
    };
    let listed = listed();
    let (_, table) = reference
        .split_once("## 25. Requirement table")
        .expect("the reference has its table");
    let rows: BTreeMap<String, (String, String)> = table
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let id = cells.next()?;
            // Ids of all kinds, so that a kind which the list lacks is reported.
            let is_id = id.split_once('-').is_some_and(|(kind, number)| {
                kind.len() == 3
                    && kind.bytes().all(|byte| byte.is_ascii_uppercase())
                    && number.len() == 2
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            });
            is_id.then_some((
                id.to_owned(),
                (cells.next()?.to_owned(), cells.next()?.to_owned()),
            ))
        })
        .collect();
    assert!(
        rows.len() > 150,
        "only {} rows: the table is not parsed correctly",
        rows.len()
    );
    assert_eq!(listed, rows);
}
