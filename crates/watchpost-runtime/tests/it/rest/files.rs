//! Lists as files.

use super::{Request, Server};
use serde_json::Value;

/// The lists with their key, and a filter.
const LISTS: &[(&str, &str, &str)] = &[
    ("/api/v1/findings", "findings", "severity=high,medium"),
    ("/api/v1/apps", "apps", "platform=m365"),
    ("/api/v1/rules", "rules", "severity=high"),
    ("/api/v1/checks", "checks", "service=exchange"),
    ("/api/v1/check-results", "results", "result=failed"),
    ("/api/v1/scans", "scans", "scan_type=compliance"),
    ("/api/v1/integrations", "integrations", ""),
];

/// Reads all rows of a list, page by page.
fn rows(server: &Server, path: &str, key: &str, filter: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let paged = key != "integrations";
    let mut next = if paged {
        format!("{path}?limit=9&{filter}")
    } else {
        path.to_owned()
    };
    loop {
        let answer = server.get(&next);
        rows.extend(answer[key].as_array().expect("rows").iter().cloned());
        match answer["next_after"].as_str() {
            Some(after) => next = format!("{path}?limit=9&{filter}&after={after}"),
            None => return rows,
        }
    }
}

/// Parses a table as RFC 4180 says.
fn table(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut cells, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => cells.push(std::mem::take(&mut cell)),
            ('\r', false) => {
                assert_eq!(chars.next(), Some('\n'));
                cells.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut cells));
            }
            (c, _) => cell.push(c),
        }
    }
    assert!(
        !quoted && cell.is_empty() && cells.is_empty(),
        "the last line is cut off"
    );
    lines
}

#[test]
fn a_file_has_all_rows_that_the_filters_select() {
    let server = Server::start();
    for (path, key, filter) in LISTS {
        for filter in ["", filter] {
            let expected = rows(&server, path, key, filter);
            let json = server.send(&Request::get(&format!("{path}.json?{filter}")).key(&server.read));
            assert_eq!(json.status, 200, "{path}: {json:?}");
            assert_eq!(json.header("content-type"), Some("application/json"));
            let disposition = format!("attachment; filename=\"{key}.json\"");
            assert_eq!(json.header("content-disposition"), Some(disposition.as_str()));
            assert_eq!(json.header("cache-control"), Some("no-store"));
            assert_eq!(
                json.json()[key],
                Value::Array(expected.clone()),
                "{path}?{filter}"
            );

            let csv = server.send(&Request::get(&format!("{path}.csv?{filter}")).key(&server.read));
            assert_eq!(
                (csv.status, csv.header("content-type")),
                (200, Some("text/csv; charset=utf-8"))
            );
            let lines = table(&csv.body);
            let (header, lines) = lines.split_first().expect("a header");
            assert_eq!(lines.len(), expected.len(), "{path}?{filter}");
            assert!(!lines.is_empty(), "{path}?{filter}");
            for (line, row) in lines.iter().zip(&expected) {
                assert_eq!(line.len(), header.len(), "{line:?}");
                for (name, cell) in header.iter().zip(line) {
                    if let Some(text) = row.get(name).and_then(Value::as_str) {
                        assert_eq!(
                            cell.trim_start_matches('\''),
                            text.trim_start_matches('\''),
                            "{path}: {name}"
                        );
                    }
                }
            }
        }
    }
}

/// O07.
#[test]
fn no_cell_of_a_file_is_a_formula() {
    let server = Server::start();
    let mut cells = 0;
    for (path, ..) in LISTS {
        let csv = server.send(&Request::get(&format!("{path}.csv")).key(&server.read));
        for cell in table(&csv.body).into_iter().flatten() {
            cells += 1;
            assert!(
                !watchpost_core::value::text::is_formula(&cell) || cell.starts_with('\''),
                "{path}: {cell}"
            );
        }
    }
    assert!(cells > 2_000, "{cells}");
}

#[test]
fn a_file_has_no_pages_and_refuses_what_its_list_refuses() {
    let server = Server::start();
    for (path, code) in [
        ("/api/v1/findings.csv?limit=10", "unknown_parameter"),
        ("/api/v1/findings.json?offset=10", "unknown_parameter"),
        ("/api/v1/findings.csv?after=x", "unknown_parameter"),
        ("/api/v1/findings.csv?severity=worst", "invalid_parameter"),
        ("/api/v1/findings.csv?entity=nobody%40example.com", "not_found"),
    ] {
        let reply = server.send(&Request::get(path).key(&server.read));
        assert_eq!(reply.json()["code"], code, "{path}: {reply:?}");
    }
}
