//! Recognizes credentials in a vendor's responses. A vendor, or somebody who can write there, could return a credential as a
//! name or in a link; it would then be stored, logged and shown.
//!
//! A credential is recognized in any case of its letters, literally and with escapes of JSON strings and URLs. Other
//! encodings aren't recognized.

use secrecy::{ExposeSecret as _, SecretString};
use std::sync::{Mutex, PoisonError};
use watchpost_outbound::Response;

/// The length of the shortest credential that is looked for. A shorter one would be found by chance.
const SECRET_BYTES_MIN: usize = 8;
/// The maximum number of issued tokens that are looked for: the newest.
const TOKENS_MAX: usize = 8;

/// The credentials of a session.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<Known>);

#[derive(Default)]
struct Known {
    configured: Vec<Pattern>,
    issued: Vec<Pattern>,
}

impl Secrets {
    /// Adds a credential of the configuration.
    pub(crate) fn configured(&self, secret: &SecretString) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.configured.extend(Pattern::new(secret));
    }

    /// Adds a token that the vendor has issued.
    pub(crate) fn issued(&self, token: &SecretString) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.issued.len() >= TOKENS_MAX {
            known.issued.remove(0);
        }
        known.issued.extend(Pattern::new(token));
    }

    /// Returns whether a response contains one of the credentials, in its body or in a header.
    pub(crate) fn are_in(&self, response: &Response) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let headers = response.headers.values().map(|value| value.as_bytes());
        headers.chain([response.body.as_ref()]).any(|text| {
            let escaped = text.iter().any(|byte| matches!(byte, b'\\' | b'%'));
            let mut patterns = known.configured.iter().chain(&known.issued);
            patterns.any(|pattern| {
                pattern.is_in(text.iter().copied()) || (escaped && pattern.is_in(Unescaped(text)))
            })
        })
    }
}

/// A credential in lower case, and for each of its bytes the length of the longest beginning that ends there too (the
/// algorithm of Knuth, Morris and Pratt, which reads a text once).
struct Pattern {
    text: SecretString,
    borders: Vec<usize>,
}

impl Pattern {
    fn new(secret: &SecretString) -> Option<Self> {
        let text = secret.expose_secret().trim().to_ascii_lowercase();
        if text.len() < SECRET_BYTES_MIN {
            return None;
        }
        let mut pattern = Self {
            text: SecretString::from(text),
            borders: vec![0],
        };
        let bytes = pattern.text.expose_secret().as_bytes();
        let mut length = 0;
        let mut borders = vec![0];
        for byte in bytes.iter().skip(1) {
            length = step(bytes, &borders, length, *byte);
            borders.push(length);
        }
        pattern.borders = borders;
        Some(pattern)
    }

    fn is_in(&self, text: impl Iterator<Item = u8>) -> bool {
        let bytes = self.text.expose_secret().as_bytes();
        let mut length = 0;
        for byte in text {
            length = step(bytes, &self.borders, length, byte.to_ascii_lowercase());
            if length == bytes.len() {
                return true;
            }
        }
        false
    }
}

/// Returns how much of the pattern's beginning the text ends with after another byte, if it ended with `length` before.
fn step(pattern: &[u8], borders: &[usize], mut length: usize, byte: u8) -> usize {
    while length > 0 && pattern.get(length) != Some(&byte) {
        length = borders.get(length.saturating_sub(1)).copied().unwrap_or(0);
    }
    if pattern.get(length) == Some(&byte) {
        length = length.saturating_add(1);
    }
    length
}

/// The bytes of a text without the escapes of JSON strings and of URLs.
struct Unescaped<'t>(&'t [u8]);

impl Iterator for Unescaped<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = match self.0 {
            [b'\\', b'u', b'0', b'0', high, low, rest @ ..] => match hex(*high, *low) {
                Some(byte) => (byte, rest),
                None => (b'\\', self.0.get(1..)?),
            },
            [b'\\', byte @ (b'/' | b'\\' | b'"'), rest @ ..] => (*byte, rest),
            [b'%', high, low, rest @ ..] => match hex(*high, *low) {
                Some(byte) => (byte, rest),
                None => (b'%', self.0.get(1..)?),
            },
            [byte, rest @ ..] => (*byte, rest),
            [] => return None,
        };
        self.0 = rest;
        Some(byte)
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    digit(high)?.checked_mul(16)?.checked_add(digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(secret: &str, text: &str) -> bool {
        Pattern::new(&secret.into())
            .is_some_and(|pattern| pattern.is_in(text.bytes()) || pattern.is_in(Unescaped(text.as_bytes())))
    }

    #[test]
    fn a_credential_is_found_whatever_its_case_and_escapes() {
        for text in [
            "00aBcDeF_12/3",
            r#"{"name":"Bearer 00abcdef_12/3 "}"#,
            r#"{"name":"00ABCDEF_12\/3"}"#,
            r#"{"name":"\u0030\u0030aBcDeF_12\u002f3"}"#,
            "<https://a.example/users?after=00aBcDeF%5F12%2F3>; rel=next",
            "0000aBcDeF_12/3",
        ] {
            assert!(found("00aBcDeF_12/3", text), "{text}");
        }
        for text in ["", "00aBcDeF_12", "00aBcDeF_12 /3", "%", "\\u00", "%0", r"\u00zz"] {
            assert!(!found("00aBcDeF_12/3", text), "{text}");
        }
        // The beginning of the pattern is repeated in it.
        assert!(found("abababac", "abababababac"));
        assert!(!found("short", "short"), "too short to be told from other text");
    }
}
