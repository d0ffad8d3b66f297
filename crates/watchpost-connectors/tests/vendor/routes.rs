//! The routes of the simulator, found in its text: the traffic reaches each of them.

use std::path::PathBuf;
use watchpost_simulator::Exchange;

fn source(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../watchpost-simulator/src")
        .join(path);
    std::fs::read_to_string(file).unwrap()
}

/// Returns the patterns of the first `match` after a function's name, as segments; a variable is an empty text.
fn patterns(text: &str, function: &str) -> Vec<Vec<String>> {
    let begin = text.find(function).unwrap();
    let body = &text[begin..];
    let body = &body[body.find("match ").unwrap()..];
    let end = body.find("\n        _ =>").unwrap_or(body.len());
    let mut found = Vec::new();
    let mut rest = &body[..end];
    while let Some(open) = rest.find('[') {
        let close = rest[open..].find(']').map_or(rest.len(), |at| open + at);
        let inner = &rest[open + 1..close];
        let after = rest.get(close + 1..).unwrap_or_default().trim_start();
        rest = &rest[close..];
        // A pattern of a route, and not an index or a list within an arm.
        if !(after.starts_with("=>") || after.starts_with("if ") || after.starts_with(") =>"))
            || inner.contains("..")
        {
            continue;
        }
        let mut expanded = vec![Vec::new()];
        for element in inner
            .split(',')
            .map(str::trim)
            .filter(|element| !element.is_empty())
        {
            let choices: Vec<String> = element
                .split('|')
                .map(|choice| {
                    let text = choice
                        .trim()
                        .strip_prefix('"')
                        .and_then(|text| text.strip_suffix('"'));
                    text.unwrap_or_default().to_owned()
                })
                .collect();
            expanded = expanded
                .iter()
                .flat_map(|begin: &Vec<String>| {
                    choices.iter().map(|choice| {
                        let mut route = begin.clone();
                        route.push(choice.clone());
                        route
                    })
                })
                .collect();
        }
        found.extend(expanded);
    }
    found
}

/// Returns the routes that no exchange has reached with success.
pub(crate) fn missing(
    exchanges: &[Exchange],
    api: &str,
    files: &[(&str, &str, usize)],
) -> (usize, Vec<String>) {
    let (mut total, mut missing) = (0, Vec::new());
    for (file, function, skipped) in files {
        for route in patterns(&source(file), function) {
            total += 1;
            let reached = exchanges
                .iter()
                .filter(|exchange| exchange.api == api && exchange.status < 300)
                .any(|exchange| {
                    let segments: Vec<&str> =
                        exchange.path.split('/').filter(|part| !part.is_empty()).collect();
                    segments.get(*skipped..).is_some_and(|segments| {
                        segments.len() == route.len()
                            && segments
                                .iter()
                                .zip(&route)
                                .all(|(found, wanted)| wanted.is_empty() || found == wanted)
                    })
                });
            if !reached {
                missing.push(format!("{api} {}", route.join("/")));
            }
        }
    }
    (total, missing)
}

#[test]
fn routes_are_found_in_the_text_of_a_match() {
    let text = "fn x() { match route {\n        [\"a\"] => one(),\n        [\"a\", id, \"b\" | \"c\"] => two(list[0]),\n        \
                [\"d\", ..] => no(),\n        _ => no(),\n";
    let found = patterns(text, "fn x");
    let joined: Vec<String> = found.iter().map(|route| route.join("/")).collect();
    assert_eq!(joined, ["a", "a//b", "a//c"]);
}
