//! The form of a request's arguments in the log, by which a repeated request is also recognized.

use super::AuditKey;
use crate::{
    access::{OnceToken, OnceTokenKind},
    identity::normalize_address,
    value::id::FindingId,
};

/// Arguments in the form of the log: one JSON object with sorted names. Words of closed lists, numbers, flags and ids are
/// stored in the clear, all other strings as HMACs.
///
/// All surfaces use it, so that a repeated request is recognized on each of them.
#[derive(Clone)]
pub struct Reduced<'k> {
    key: &'k AuditKey,
    fields: Vec<(&'static str, String)>,
    idempotency_key: Option<(&'static str, String)>,
}

impl std::fmt::Debug for Reduced<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reduced")
    }
}

impl<'k> Reduced<'k> {
    /// Creates an empty object. `key` makes the digests.
    pub const fn new(key: &'k AuditKey) -> Self {
        Self {
            key,
            fields: Vec::new(),
            idempotency_key: None,
        }
    }

    /// Adds a list of words from a closed list; an empty list is omitted.
    pub fn words(&mut self, name: &'static str, words: &[&str]) {
        if !words.is_empty() {
            let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            self.fields.push((name, format!("[{}]", list.join(","))));
        }
    }
    /// Adds one word from a closed list.
    pub fn word(&mut self, name: &'static str, word: &str) {
        self.fields.push((name, format!("\"{word}\"")));
    }
    /// Adds a number.
    pub fn number(&mut self, name: &'static str, number: i64) {
        self.fields.push((name, number.to_string()));
    }
    /// Adds a flag.
    pub fn flag(&mut self, name: &'static str, flag: bool) {
        self.fields.push((name, flag.to_string()));
    }
    /// Adds an id; text that isn't an id is added as a digest.
    pub fn id(&mut self, name: &'static str, text: &str) {
        if text.parse::<FindingId>().is_ok() {
            self.word(name, text);
        } else {
            self.secret(name, text);
        }
    }
    /// Adds the digest of an email address. All spellings of an address have the same digest.
    pub fn address(&mut self, name: &'static str, text: &str) {
        let normal = normalize_address(text);
        self.secret(name, normal.as_deref().unwrap_or(text));
    }
    /// Adds the digest of any other string.
    pub fn secret(&mut self, name: &'static str, text: &str) {
        let digest = self.key.digest(text);
        self.word(name, &digest);
    }
    /// Sets the key under which the request takes effect at most once. It isn't part of the request that a repeat is
    /// compared with.
    pub fn idempotency_key(&mut self, name: &'static str, key: &str) {
        self.idempotency_key = Some((name, key.to_owned()));
    }
    /// Returns whether a repeat of the request would be recognized.
    pub const fn has_idempotency_key(&self) -> bool {
        self.idempotency_key.is_some()
    }

    /// Returns the text that identifies the request: without the idempotency key.
    pub fn request(&self) -> String {
        let mut fields: Vec<&(&'static str, String)> = self.fields.iter().collect();
        fields.sort_unstable_by_key(|(name, _)| *name);
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    }

    /// Returns the text of the entry: with the digest of the idempotency key.
    pub fn text(mut self) -> String {
        if let Some((name, key)) = self.idempotency_key.take() {
            self.secret(name, &key);
        }
        self.request()
    }

    /// Returns a token for this request of `operation`.
    pub fn token(&self, kind: OnceTokenKind, token: &[u8], operation: &str) -> OnceToken {
        OnceToken::new(self.key, kind, token, operation, &self.request())
    }

    /// Returns the token of the idempotency key, if there is one.
    pub fn idempotency_token(&self, operation: &str) -> Option<OnceToken> {
        let (_, key) = self.idempotency_key.as_ref()?;
        Some(self.token(OnceTokenKind::IdempotencyKey, key.as_bytes(), operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idempotency_key_is_in_the_entry_but_not_in_the_request() {
        let key = AuditKey::new([7; 32]);
        let mut reduced = Reduced::new(&key);
        reduced.number("days", 7);
        reduced.secret("app", "Ledgerly");
        let plain = reduced.request();
        assert!(!plain.contains("Ledgerly"), "{plain}");
        assert!(
            plain.starts_with("{\"app\":\"hmac:") && plain.ends_with(",\"days\":7}"),
            "{plain}"
        );
        reduced.idempotency_key("idempotency_key", "once");
        assert_eq!(reduced.request(), plain);
        let one = reduced.idempotency_token("snooze_finding").unwrap();
        assert_eq!(reduced.idempotency_token("snooze_finding").unwrap(), one);
        assert_ne!(
            reduced.idempotency_token("dismiss_finding").unwrap().request(),
            one.request()
        );
        let text = reduced.text();
        assert!(
            text.contains("\"idempotency_key\":\"hmac:") && !text.contains("once"),
            "{text}"
        );
    }
}
