//! A company in which a test sets every text that outsiders can write: names, titles and descriptions.

use crate::company::{Company, Ownership};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The fields of vendors' documents that contain free text.
const FREE: [&str; 12] = [
    "displayName",
    "DisplayName",
    "description",
    "Description",
    "AdminDisplayName",
    "Comment",
    "Comments",
    "comments",
    "label",
    "AccessLinkText",
    "title",
    "Title",
];

/// Replaces texts. Equal texts get equal replacements, so that references by name stay valid.
struct Rewriter<'w> {
    write: &'w mut dyn FnMut(&str) -> String,
    known: BTreeMap<String, String>,
}

impl Rewriter<'_> {
    fn text(&mut self, text: &mut String) {
        if !self.known.contains_key(text.as_str()) {
            let written = (self.write)(text);
            self.known.insert(text.clone(), written);
        }
        if let Some(written) = self.known.get(text.as_str()) {
            text.clone_from(written);
        }
    }

    fn value(&mut self, value: &mut Value) {
        if let Value::String(text) = value {
            self.text(text);
        }
    }

    /// Replaces the free texts of a document at any depth.
    fn document(&mut self, document: &mut Value, free: &[&str]) {
        match document {
            Value::Array(items) => items.iter_mut().for_each(|item| self.document(item, free)),
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    match value {
                        // Placeholders that the simulator fills in itself are kept.
                        Value::String(text)
                            if free.contains(&name.as_str()) && !text.starts_with(['#', '@']) =>
                        {
                            self.text(text);
                        }
                        value => self.document(value, free),
                    }
                }
            }
            _ => {}
        }
    }
}

impl Company {
    /// Replaces every name, title, department and description that somebody outside Watchpost could have written by the result
    /// of `write`, which is called once for each distinct text. Addresses, ids, permissions, Microsoft's own apps and the
    /// names of built-in roles are kept.
    #[must_use]
    pub fn with_texts(mut self, write: &mut dyn FnMut(&str) -> String) -> Self {
        let mut rewriter = Rewriter {
            write,
            known: BTreeMap::new(),
        };
        let microsoft: BTreeSet<String> = self
            .m365_apps
            .iter()
            .filter(|app| app.owner == Ownership::Microsoft)
            .map(|app| app.name.clone())
            .collect();
        rewriter.text(&mut self.profile.name);
        for person in &mut self.people {
            for field in ["name", "title", "department"] {
                if let Some(value) = person.get_mut(field) {
                    rewriter.value(value);
                }
            }
            let consents = person.pointer_mut("/okta/consents").and_then(Value::as_array_mut);
            for consent in consents.into_iter().flatten() {
                if let Some(label) = consent.get_mut(0) {
                    rewriter.value(label);
                }
            }
        }
        for app in &mut self.m365_apps {
            if app.owner != Ownership::Microsoft {
                rewriter.text(&mut app.name);
            }
            app.federated
                .iter_mut()
                .for_each(|one| rewriter.text(&mut one.name));
        }
        for grant in &mut self.grants {
            for name in [&mut grant.app, &mut grant.resource] {
                if !microsoft.contains(name.as_str()) {
                    rewriter.text(name);
                }
            }
        }
        for app in &mut self.okta_apps {
            rewriter.text(&mut app.label);
        }
        for token in &mut self.okta_tokens {
            rewriter.text(&mut token.name);
        }
        for document in self.settings.values_mut() {
            rewriter.document(document, &FREE);
        }
        rewriter.document(&mut self.policies, &["name", "description"]);
        self
    }
}
