//! Rules about source files.

use crate::{files, text};

fn rust_files() -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|path| path.ends_with(".rs") && !path.starts_with("crates/watchpost-tidy/"))
        .filter_map(|path| text(&path).map(|content| (path, content)))
        .collect()
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.contains("/benches/")
}

#[test]
fn no_test_is_ignored_and_none_sleeps() {
    let mut wrong = Vec::new();
    for (path, content) in rust_files() {
        for (number, line) in content.lines().enumerate() {
            if line.trim_start().starts_with("#[ignore") {
                wrong.push(format!("{path}:{}: an ignored test", number + 1));
            }
            if line.contains("thread::sleep") {
                wrong.push(format!(
                    "{path}:{}: sleeps; wait for a condition instead",
                    number + 1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ports_without_a_scope_are_used_only_where_allowed() {
    // The name of the port, and the directories in which files may use it.
    let table: &[(&str, &[&str])] = &[
        (
            "KeyDirectory",
            &[
                "crates/watchpost-core/",
                "crates/watchpost-sqlite/",
                "crates/watchpost-runtime/",
                "crates/watchpost-testkit/",
            ],
        ),
        (
            "InstanceStore",
            &[
                "crates/watchpost-core/",
                "crates/watchpost-sqlite/",
                "crates/watchpost-runtime/",
                "crates/watchpost-testkit/",
                "bins/watchpost/",
            ],
        ),
    ];
    let mut wrong = Vec::new();
    for (path, content) in rust_files() {
        for (name, homes) in table {
            if content.contains(name) && !is_test(&path) && !homes.iter().any(|home| path.starts_with(home)) {
                wrong.push(format!("{path} must not use `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn vague_module_names_are_not_used() {
    let wrong: Vec<String> = files()
        .into_iter()
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            [
                "utils.rs",
                "util.rs",
                "helpers.rs",
                "helper.rs",
                "common.rs",
                "manager.rs",
                "misc.rs",
            ]
            .contains(&name)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "name these files after their contents: {wrong:?}"
    );
}

#[test]
fn every_crate_states_what_it_does_not_do() {
    let mut wrong = Vec::new();
    for (path, content) in rust_files() {
        if path.starts_with("crates/")
            && path.ends_with("/src/lib.rs")
            && !content
                .to_lowercase()
                .replace(['*', '_'], "")
                .contains("does not")
        {
            wrong.push(path);
        }
    }
    assert!(
        wrong.is_empty(),
        "the documentation of these crates doesn't state what they do not do: {wrong:?}"
    );
}

#[test]
fn the_repository_contains_no_valid_key_and_no_path_of_one_machine() {
    let mut wrong = Vec::new();
    for path in files() {
        if path.ends_with("Cargo.lock") || path.ends_with("package-lock.json") {
            continue;
        }
        let Some(content) = text(&path) else { continue };
        for word in content.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            let is_vector = word == "wp_0123456789abcdefghijABCDEFGHIJ3O07sR";
            if word.len() == 39
                && word.starts_with("wp_")
                && !is_vector
                && watchpost_core::access::key_is_well_formed(word)
            {
                wrong.push(format!("{path}: contains a valid key"));
            }
        }
        if !path.starts_with("crates/watchpost-tidy/") {
            for folder in ["/work/", "/home/", "/root/", "/Users/"] {
                for (number, line) in content.lines().enumerate() {
                    let Some(at) = line.find(folder) else { continue };
                    let before = line[..at].chars().next_back();
                    let example = line.contains("/home/you")
                        || line.contains("/Users/you")
                        || line.contains("/home/alex");
                    if !before.is_some_and(|c| c.is_alphanumeric() || "._-/~$})*".contains(c)) && !example {
                        wrong.push(format!("{path}:{}: a path of one machine", number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_and_derives_have_one_form() {
    // Derives that are not in this list may be in any order.
    const ORDER: &[&str] = &[
        "Debug",
        "Clone",
        "Copy",
        "PartialEq",
        "Eq",
        "PartialOrd",
        "Ord",
        "Hash",
        "Default",
        "Serialize",
        "Deserialize",
        "JsonSchema",
    ];
    let mut wrong = Vec::new();
    let mut derives = 0;
    for (path, content) in rust_files() {
        let mut roots = Vec::new();
        for (number, line) in content.lines().enumerate() {
            if let Some(root) = line
                .strip_prefix("use ")
                .and_then(|rest| rest.split([':', ';']).next())
            {
                if roots.contains(&root) {
                    wrong.push(format!("{path}:{}: a second `use` of `{root}`", number + 1));
                }
                roots.push(root);
            }
            let listed = line.trim().strip_prefix("#[derive(");
            if let Some(list) = listed.and_then(|rest| rest.strip_suffix(")]")) {
                derives += 1;
                let places: Vec<usize> = list
                    .split(',')
                    .filter_map(|name| name.trim().rsplit("::").next())
                    .filter_map(|name| ORDER.iter().position(|known| *known == name))
                    .collect();
                if !places.is_sorted() {
                    wrong.push(format!("{path}:{}: derives in the wrong order", number + 1));
                }
            }
        }
    }
    assert!(
        derives > 500,
        "only {derives} derives: they are not parsed correctly"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
