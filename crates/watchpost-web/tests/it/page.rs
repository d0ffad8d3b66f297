//! The tables of `docs/api.md` are generated.

use std::{fmt::Write as _, fs};
use watchpost_web::{Code, Form, OPERATIONS, Operation};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");

/// A row of the table of operations.
fn row(operation: &Operation) -> String {
    let declaration = &operation.declaration;
    let key = match (operation.is_public(), operation.requires_write_key()) {
        (true, _) => "none",
        (false, true) => "write",
        (false, false) => "read",
    };
    let id = operation.id().map_or_else(String::new, |id| format!("`{id}`"));
    format!(
        "| `{} {}` | {id} | {key} | {} |\n",
        declaration.method.as_str(),
        declaration.path,
        declaration.summary
    )
}

fn table(form: Form) -> String {
    let mut table = String::from("| route | operation | key | what it does |\n| --- | --- | --- | --- |\n");
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.declaration.form == form)
    {
        table.push_str(&row(operation));
    }
    table
}

fn codes() -> String {
    let mut table = String::from("| code | status |\n| --- | --- |\n");
    for code in Code::ALL {
        let _ = writeln!(table, "| `{}` | {} |", code.as_str(), code.status().as_u16());
    }
    table
}

/// Replaces the text between the two comments that name a table.
fn with_table(page: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}\n{table}\n{end}{after}")
}

#[test]
fn the_page_of_the_api_is_up_to_date() {
    let stored = fs::read_to_string(PAGE).expect("the page");
    let page = with_table(&stored, "operations", &table(Form::Own));
    let page = with_table(&page, "compatible routes", &table(Form::Compatible));
    let page = with_table(&page, "codes", &codes());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &page).expect("the page is written");
    }
    let stored = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        stored == page,
        "docs/api.md is out of date: UPDATE_DOCS=1 cargo test -p watchpost-web"
    );
}

#[test]
fn each_code_has_one_text_and_one_status() {
    let texts: std::collections::BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(texts.len(), Code::ALL.len());
    for code in Code::ALL {
        assert!(
            code.status().is_client_error() || code.status().is_server_error(),
            "{code:?}"
        );
    }
}
