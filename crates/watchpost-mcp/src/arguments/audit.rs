//! The form of arguments in the audit log, by which a repeated call is also recognized.

use super::Arguments;
use crate::confirm::Confirmation;
use watchpost_core::{
    access::{OnceToken, OnceTokenKind},
    audit::{AuditKey, CallRecord},
    identity::normalize_address,
    value::id::FindingId,
};

/// Arguments in the form of the audit log: one JSON object with sorted names. Words of closed lists, numbers, flags and ids
/// are stored in the clear, all other strings as HMACs.
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

    /// Adds a list of words from a closed list; an empty list is omitted.
    pub(crate) fn words(&mut self, name: &'static str, words: &[&str]) {
        if !words.is_empty() {
            let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            self.fields.push((name, format!("[{}]", list.join(","))));
        }
    }
    /// Adds one word from a closed list.
    pub(crate) fn word(&mut self, name: &'static str, word: &str) {
        self.fields.push((name, format!("\"{word}\"")));
    }
    /// Adds a number.
    pub(crate) fn number(&mut self, name: &'static str, number: i64) {
        self.fields.push((name, number.to_string()));
    }
    /// Adds a flag.
    pub(crate) fn flag(&mut self, name: &'static str, flag: bool) {
        self.fields.push((name, flag.to_string()));
    }
    /// Adds an id; text that isn't an id is added as a digest.
    pub(crate) fn id(&mut self, name: &'static str, text: &str) {
        if text.parse::<FindingId>().is_ok() {
            self.word(name, text);
        } else {
            self.secret(name, text);
        }
    }
    /// Adds the digest of an email address. All spellings of an address have the same digest.
    pub(crate) fn address(&mut self, name: &'static str, text: &str) {
        let normal = normalize_address(text);
        self.secret(name, normal.as_deref().unwrap_or(text));
    }
    /// Adds the digest of any other string.
    pub(crate) fn secret(&mut self, name: &'static str, text: &str) {
        let digest = self.key.digest(text);
        self.word(name, &digest);
    }
    /// Sets the key under which the call takes effect at most once. It isn't part of the request that a repeat is compared
    /// with.
    pub(crate) fn idempotency_key(&mut self, name: &'static str, key: &str) {
        self.idempotency_key = Some((name, key.to_owned()));
    }

    /// Returns the JSON text, without the idempotency key.
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

/// The arguments of one call, for its audit entry and for recognizing a repeat.
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

    /// Whether the call has an idempotency key, so that a repeat would be recognized.
    pub(crate) const fn has_idempotency_key(&self) -> bool {
        self.reduced.idempotency_key.is_some()
    }

    /// Returns the text of the audit entry, with the confirmation of the change.
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

    /// Returns the record of the call, which the use case stores with its change.
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
