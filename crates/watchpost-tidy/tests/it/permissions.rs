//! The page of permissions is generated from the code.

use crate::{root, text};
use std::fmt::Write as _;
use watchpost_core::{
    access::{Actor, KeyScope, Permission},
    value::id::{JobId, KeyId},
};

const PAGE: &str = "docs/permissions.md";

/// Returns each kind of actor, with the heading of its column.
fn actors() -> [(&'static str, Actor); 6] {
    let key = |scope| Actor::Key {
        id: KeyId::from_bytes([1; 16]),
        scope,
    };
    let operator = |scope, manages| Actor::LocalOperator { scope, manages };
    [
        ("read key", key(KeyScope::Read)),
        ("write key", key(KeyScope::Write)),
        (
            "worker",
            Actor::Worker {
                job: JobId::from_bytes([1; 16]),
            },
        ),
        ("local client, read", operator(KeyScope::Read, false)),
        ("local client, write", operator(KeyScope::Write, false)),
        ("command line", operator(KeyScope::Write, true)),
    ]
}

/// Returns the documentation of a permission from its declaration.
fn sentence(declarations: &str, permission: Permission) -> String {
    let declared = format!(" = \"{}\",", permission.as_str());
    let mut sentence = Vec::new();
    for line in declarations.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            sentence.push(comment.trim().to_owned());
        } else if line.ends_with(&declared) {
            return sentence.join(" ");
        } else {
            sentence.clear();
        }
    }
    panic!("the declaration of {} has no documentation", permission.as_str())
}

fn page() -> String {
    let declarations = text("crates/watchpost-core/src/access/scope.rs").expect("the permissions' file");
    let mut page = String::from(
        "# Permissions\n\nA test generates this page from `crates/watchpost-core/src/access/scope.rs`\n\
         (`UPDATE_DOCS=1 cargo test -p watchpost-tidy permissions` updates it).\n\n\
         - **read key**, **write key**: an API key with this scope, over HTTP, HTTP+SSE or stdio.\n\
         - **worker**: the background worker, only within the job that it has leased and in the workspace of that job.\n\
         - **local client**: the client of a `watchpost-stdio` process without a key, with the scope of its flag `--scope`.\n\
         - **command line**: `watchpost`, run by a person who can open the data folder.\n\n| permission | ",
    );
    let actors = actors();
    let headings: Vec<&str> = actors.iter().map(|(heading, _)| *heading).collect();
    let _ = writeln!(page, "{} | description |", headings.join(" | "));
    let _ = writeln!(page, "| --- |{} --- |", " :---: |".repeat(actors.len()));
    for permission in Permission::ALL {
        let _ = write!(page, "| `{}` |", permission.as_str());
        for (_, actor) in &actors {
            page.push_str(if permission.granted_to(actor) {
                " yes |"
            } else {
                " – |"
            });
        }
        let _ = writeln!(page, " {} |", sentence(&declarations, *permission));
    }
    page
}

#[test]
fn the_page_of_permissions_matches_the_code() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(PAGE), &page).expect("the page is written");
    }
    assert_eq!(
        text(PAGE).unwrap_or_default(),
        page,
        "{PAGE} is out of date: run with UPDATE_DOCS=1"
    );
}
