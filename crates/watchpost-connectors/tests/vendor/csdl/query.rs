//! Compares the query options of a request with the type that its address leads to.

use super::{Model, TypeRef, value::primitive};
use crate::log::Log;
use serde_json::Value;

/// The names that a request may use: what it selects and what it expands.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) selected: Option<Vec<String>>,
    pub(crate) expanded: Vec<String>,
}

impl Model {
    /// Compares the options of a query.
    pub(crate) fn compare_query(&self, log: &mut Log, query: &str, of: &TypeRef) -> Asked {
        let mut asked = Asked::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            log.value();
            let place = format!("query {name}");
            if !name.starts_with('$') {
                log.differs(&place, "no such option");
                continue;
            }
            self.option(log, &place, &name, &value, of, &mut asked);
        }
        asked
    }

    fn option(&self, log: &mut Log, place: &str, name: &str, value: &str, of: &TypeRef, asked: &mut Asked) {
        let list_only = matches!(
            name,
            "$filter" | "$top" | "$orderby" | "$count" | "$search" | "$skip"
        );
        if list_only && !of.collection {
            log.differs(place, "only lists have this option");
        }
        match name {
            "$select" => {
                let names: Vec<String> = value.split(',').map(str::to_owned).collect();
                for selected in &names {
                    self.path(log, place, selected, &of.name);
                }
                asked.selected = Some(names);
            }
            "$expand" => {
                for part in outer_split(value, ',') {
                    let (expanded, options) = part.split_once('(').unwrap_or((part, ""));
                    match self.property(&of.name, expanded) {
                        Some(property) if property.navigation => {
                            let inner = property.of.clone();
                            for option in outer_split(options.trim_end_matches(')'), ';') {
                                if let Some((name, value)) = option.split_once('=') {
                                    self.option(log, place, name, value, &inner, &mut Asked::default());
                                }
                            }
                            asked.expanded.push(expanded.to_owned());
                        }
                        Some(_) => log.differs(place, &format!("{expanded} is no navigation property")),
                        None => log.differs(place, &format!("{} has no {expanded}", of.name)),
                    }
                }
            }
            "$filter" => self.filter(log, place, value, &of.name),
            "$orderby" => {
                for part in value.split(',') {
                    let property = part.split_whitespace().next().unwrap_or_default();
                    self.path(log, place, property, &of.name);
                }
            }
            "$top" | "$skip" => {
                if value.parse::<u32>().is_err() {
                    log.differs(place, "not a number");
                }
            }
            "$count" => {
                if !matches!(value, "true" | "false") {
                    log.differs(place, "not true or false");
                }
            }
            "$skiptoken" | "$search" | "$format" => {}
            _ => log.differs(place, "no such option"),
        }
    }

    /// Compares a path such as `status/errorCode`, and returns the type of its end.
    fn path(&self, log: &mut Log, place: &str, path: &str, of: &str) -> Option<TypeRef> {
        log.value();
        let mut end = TypeRef {
            name: of.to_owned(),
            collection: false,
        };
        for part in path.split('/') {
            if part == "$count" {
                return Some(TypeRef {
                    name: "Edm.Int64".to_owned(),
                    collection: false,
                });
            }
            match self.property(&end.name, part) {
                Some(property) => end = property.of.clone(),
                None => {
                    log.differs(place, &format!("{} has no {part}", end.name));
                    return None;
                }
            }
        }
        Some(end)
    }

    /// Compares the properties of a filter, and the values that they are compared with.
    fn filter(&self, log: &mut Log, place: &str, filter: &str, of: &str) {
        const OPERATORS: [&str; 9] = ["eq", "ne", "gt", "ge", "lt", "le", "in", "has", "and"];
        let tokens = tokens(filter);
        for (at, token) in tokens.iter().enumerate() {
            let word = token.starts_with(|c: char| c.is_ascii_alphabetic());
            let keyword = OPERATORS.contains(&token.as_str())
                || matches!(token.as_str(), "or" | "not" | "true" | "false" | "null");
            let call = tokens.get(at + 1).is_some_and(|next| next == "(");
            if !word || keyword || call {
                continue;
            }
            if token.contains(':') {
                log.differs(place, &format!("{token}: lambdas aren't supported by this test"));
                continue;
            }
            let Some(end) = self.path(log, place, token, of) else {
                continue;
            };
            let compared = tokens
                .get(at + 1)
                .is_some_and(|operator| OPERATORS.iter().take(6).any(|known| known == operator));
            if let Some(literal) = tokens.get(at + 2).filter(|_| compared)
                && !self.literal(literal, &end)
            {
                log.differs(place, &format!("{literal} isn't a value of {token}"));
            }
        }
    }

    fn literal(&self, literal: &str, of: &TypeRef) -> bool {
        if literal == "null" {
            return true;
        }
        let text = literal
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        if let Some(enumeration) = self.enumeration(&of.name) {
            return text.is_some_and(|text| enumeration.members.iter().any(|member| member == text));
        }
        let Some(kind) = of.name.strip_prefix("Edm.") else {
            return false;
        };
        match (kind, text) {
            ("String", text) => text.is_some(),
            (_, Some(_)) => false,
            ("Guid" | "DateTimeOffset" | "Date", None) => primitive(kind, &Value::from(literal)),
            (_, None) => serde_json::from_str(literal).is_ok_and(|value| primitive(kind, &value)),
        }
    }
}

/// Splits a filter into words, literals and signs.
fn tokens(filter: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = filter.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => rest
                .get(1..)
                .and_then(|tail| tail.find('\''))
                .map_or(rest.len(), |at| at + 2),
            '(' | ')' | ',' => 1,
            _ => rest
                .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ','))
                .unwrap_or(rest.len()),
        };
        let (token, tail) = rest.split_at(length);
        tokens.push(token.to_owned());
        rest = tail.trim_start();
    }
    tokens
}

/// Splits at a separator outside of parentheses.
fn outer_split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if c == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}
