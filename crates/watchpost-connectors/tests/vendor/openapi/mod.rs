//! An OpenAPI 3.0 document in YAML. Its parts are parsed when they are needed, because the whole document is large and tests
//! use a small share of it.

pub(crate) mod value;

use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub(crate) struct Document {
    text: String,
    /// The lines of each address template.
    paths: BTreeMap<String, (usize, usize)>,
    /// The lines of each component, by `kind/name`.
    components: BTreeMap<String, (usize, usize)>,
    parsed: Mutex<BTreeMap<String, Arc<Value>>>,
}

/// Returns the key of a line such as `  "name":` with this indentation.
fn key(line: &str, indent: usize) -> Option<String> {
    let rest = line.strip_prefix(&" ".repeat(indent))?;
    if rest.starts_with([' ', '-', '#']) {
        return None;
    }
    let (name, _) = rest.split_once(':')?;
    Some(name.trim_matches(['\'', '"']).to_owned())
}

impl Document {
    /// Finds the parts of a document that is indented by two spaces, as the published one is.
    pub(crate) fn new(text: String) -> Self {
        let mut paths = BTreeMap::new();
        let mut components = BTreeMap::new();
        let (mut section, mut kind) = (String::new(), String::new());
        let mut open: Option<(bool, String, usize)> = None;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let depth = line.len() - line.trim_start().len();
            if line.trim().is_empty() || depth > 4 {
                continue;
            }
            let outer = if section == "paths" { 2 } else { 4 };
            if depth > outer {
                continue;
            }
            if let Some((is_path, name, from)) = open.take() {
                let lines = (from, start);
                if is_path {
                    paths.insert(name, lines);
                } else {
                    components.insert(name, lines);
                }
            }
            if let Some(name) = key(line, 0) {
                section = name;
            } else if let Some(name) = key(line, 2) {
                match section.as_str() {
                    "paths" => open = Some((true, name, start)),
                    _ => kind = name,
                }
            } else if let Some(name) = key(line, 4).filter(|_| section == "components") {
                open = Some((false, format!("{kind}/{name}"), start));
            }
        }
        Self {
            text,
            paths,
            components,
            parsed: Mutex::default(),
        }
    }

    fn parse(&self, key: &str, (from, to): (usize, usize)) -> Arc<Value> {
        let mut parsed = self.parsed.lock().unwrap();
        let entry = parsed.entry(key.to_owned()).or_insert_with(|| {
            let part = &self.text[from..to];
            let whole: Value = serde_saphyr::from_str(part).unwrap_or_else(|error| panic!("{key}: {error}"));
            let inner = whole.as_object().and_then(|whole| whole.values().next());
            Arc::new(inner.cloned().unwrap_or_default())
        });
        Arc::clone(entry)
    }

    /// Returns the template that an address matches, and its description. A template without parameters comes first.
    pub(crate) fn path(&self, path: &str) -> Option<(&str, Arc<Value>)> {
        let wanted: Vec<&str> = path.split('/').collect();
        let matches = |template: &&String| {
            let parts: Vec<&str> = template.split('/').collect();
            parts.len() == wanted.len()
                && parts
                    .iter()
                    .zip(&wanted)
                    .all(|(part, wanted)| part == wanted || (part.starts_with('{') && !wanted.is_empty()))
        };
        let template = self
            .paths
            .keys()
            .filter(matches)
            .min_by_key(|template| template.matches('{').count())?;
        Some((template, self.parse(template, self.paths[template])))
    }

    /// Returns a component such as `#/components/schemas/User`.
    pub(crate) fn component(&self, reference: &str) -> Option<Arc<Value>> {
        let name = reference.strip_prefix("#/components/")?;
        let lines = self.components.get(name)?;
        Some(self.parse(name, *lines))
    }

    /// Follows a reference, if the value is one.
    pub(crate) fn resolved(&self, value: &Value) -> Arc<Value> {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self
                .component(reference)
                .unwrap_or_else(|| panic!("no component {reference}")),
            None => Arc::new(value.clone()),
        }
    }
}
