//! Arguments as the audit log keeps them, and what makes a repeated call a repeat.

use super::Arguments;
use crate::confirm::Confirmation;
use watchpost_core::{
    access::{OnceToken, OnceTokenKind},
    audit::{AuditKey, CallRecord},
    identity::normalize_address,
    value::id::FindingId,
};

/// Arguments as the audit log keeps them: one JSON object in canonical text (names sorted). What is on the safe list
/// (closed words, numbers, ids) stands in the clear; every other string as an HMAC.
#[derive(Clone)]
pub(crate) struct Reduced<'k> {
    key: &'k AuditKey,
    fields: Vec<(&'static str, String)>,
    idempotency_key: Option<(&'static str, String)>,
}

impl<'k> Reduced<'k> {
    pub(crate) fn new(key: &'k AuditKey) -> Self {
        Self {
            key,
            fields: Vec::new(),
            idempotency_key: None,
        }
    }

    /// A list of words of ours; an empty one is left out.
    pub(crate) fn words(&mut self, name: &'static str, words: &[&str]) {
        if !words.is_empty() {
            let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            self.fields.push((name, format!("[{}]", list.join(","))));
        }
    }
    /// One word of ours.
    pub(crate) fn word(&mut self, name: &'static str, word: &str) {
        self.fields.push((name, format!("\"{word}\"")));
    }
    /// A number.
    pub(crate) fn number(&mut self, name: &'static str, number: i64) {
        self.fields.push((name, number.to_string()));
    }
    /// Yes or no.
    pub(crate) fn flag(&mut self, name: &'static str, flag: bool) {
        self.fields.push((name, flag.to_string()));
    }
    /// An id of ours, if it is one; any other text as a digest.
    pub(crate) fn id(&mut self, name: &'static str, text: &str) {
        if text.parse::<FindingId>().is_ok() {
            self.word(name, text);
        } else {
            self.secret(name, text);
        }
    }
    /// An address: the same person gives the same digest, however written.
    pub(crate) fn address(&mut self, name: &'static str, text: &str) {
        let normal = normalize_address(text);
        self.secret(name, normal.as_deref().unwrap_or(text));
    }
    /// Any other string.
    pub(crate) fn secret(&mut self, name: &'static str, text: &str) {
        let digest = self.key.digest(text);
        self.word(name, &digest);
    }
    /// The key under which the call takes effect at most once. It is no part of what a repeat has in common with the
    /// first call.
    pub(crate) fn idempotency_key(&mut self, name: &'static str, key: &str) {
        self.idempotency_key = Some((name, key.to_owned()));
    }

    /// The object's text, without the idempotency key.
    pub(crate) fn finish(mut self) -> String {
        self.fields.sort_unstable_by_key(|(name, _)| *name);
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    }
}

/// The arguments of one call of a tool: the text of its audit entry, and what its change spends.
pub(crate) struct AuditArguments<'k> {
    tool: &'static str,
    reduced: Reduced<'k>,
}

impl<'k> AuditArguments<'k> {
    pub(crate) fn new(tool: &'static str, input: &impl Arguments, key: &'k AuditKey) -> Self {
        let mut reduced = Reduced::new(key);
        input.reduce(&mut reduced);
        Self { tool, reduced }
    }

    /// Whether a repeat of the call would be known as one.
    pub(crate) const fn has_idempotency_key(&self) -> bool {
        self.reduced.idempotency_key.is_some()
    }

    /// The text of the entry, with how the change was confirmed.
    pub(crate) fn text(&self, confirmation: Option<Confirmation>) -> String {
        let mut reduced = self.reduced.clone();
        if let Some((name, key)) = reduced.idempotency_key.take() {
            reduced.secret(name, &key);
        }
        if let Some(confirmation) = confirmation {
            reduced.word("confirmation", confirmation.as_str());
        }
        reduced.finish()
    }

    /// The call's record, for the use case that stores it with its change.
    pub(crate) fn record(&self, confirmation: Option<Confirmation>) -> CallRecord {
        let mut call = CallRecord::new("mcp", self.tool, self.text(confirmation));
        let request = self.reduced.clone().finish();
        let once = |kind, token: &[u8]| OnceToken::new(self.reduced.key, kind, token, self.tool, &request);
        if let Some((_, key)) = &self.reduced.idempotency_key {
            call = call.once(once(OnceTokenKind::IdempotencyKey, key.as_bytes()));
        }
        if let Some(Confirmation::Asked(nonce)) = confirmation {
            call = call.once(once(OnceTokenKind::Confirmation, &nonce));
        }
        call
    }
}
