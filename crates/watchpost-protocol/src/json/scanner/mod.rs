//! The JSON scanner: checks a message in one pass and records the positions of its members.
//!
//! The scanner checks the JSON grammar, UTF-8, paired surrogates, the depth limit, and unique keys at every
//! depth (compared after unescaping, case-sensitively). It builds no tree. It records the position of each
//! member that the protocol reads; all other values are parsed only by the code that uses them.

mod members;
pub(crate) mod recover;

pub(crate) use members::{ENVELOPE_CAPABILITIES, ENVELOPE_VERSION, Members, Span};

use crate::json::RawJson;
use members::{Container, slot};
use std::{borrow::Cow, collections::BTreeSet};

/// The reason why a message can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The message isn't JSON. The error is at this byte.
    Syntax { offset: usize },
    /// The message isn't UTF-8. The error is at this byte.
    Encoding { offset: usize },
    /// The message is nested too deeply.
    Depth,
    /// An object has the same key twice. The second key is at this byte.
    DuplicateKey { offset: usize },
    /// The array has too many messages.
    BatchLength,
}

impl Fault {
    /// Whether the bytes aren't JSON, as opposed to JSON that violates a limit.
    pub(crate) fn is_syntax(self) -> bool {
        matches!(self, Self::Syntax { .. } | Self::Encoding { .. })
    }
}

/// The members of a message, or of each message of an array.
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
pub(crate) enum Located {
    One(Members),
    Array(Vec<Members>),
}

/// Scans `body`.
pub(crate) fn locate(body: &[u8], depth: usize, batch: usize) -> Result<Located, Fault> {
    if let Err(error) = std::str::from_utf8(body) {
        return Err(Fault::Encoding {
            offset: error.valid_up_to(),
        });
    }
    let mut scanner = Scanner {
        body,
        at: 0,
        depth,
        members: Members::default(),
        keys: Vec::with_capacity(32),
    };
    scanner.space();
    let located = if scanner.peek() == Some(b'[') {
        Located::Array(scanner.messages(batch)?)
    } else {
        Located::One(scanner.message(1)?)
    };
    scanner.space();
    if scanner.peek().is_some() {
        Err(scanner.syntax())
    } else {
        Ok(located)
    }
}

/// The number of keys of one object up to which comparing each pair is cheaper than a set.
const FEW_KEYS: usize = 24;

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    /// The maximum nesting depth.
    depth: usize,
    members: Members,
    /// The keys of the open objects, innermost last.
    keys: Vec<&'a [u8]>,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn step(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    fn syntax(&self) -> Fault {
        Fault::Syntax { offset: self.at }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.step(1);
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.syntax());
        }
        self.step(1);
        Ok(())
    }

    fn messages(&mut self, limit: usize) -> Result<Vec<Members>, Fault> {
        let mut found = Vec::new();
        self.step(1);
        self.space();
        if self.peek() == Some(b']') {
            self.step(1);
            return Ok(found);
        }
        loop {
            // Whether the array goes on doesn't matter: one message beyond the limit is enough to reject it.
            if found.len() >= limit {
                return Err(Fault::BatchLength);
            }
            self.space();
            let members = self.message(2)?;
            found.push(members);
            self.space();
            match self.peek() {
                Some(b',') => self.step(1),
                Some(b']') => break,
                _ => return Err(self.syntax()),
            }
        }
        self.step(1);
        Ok(found)
    }

    fn message(&mut self, depth: usize) -> Result<Members, Fault> {
        self.members = Members {
            is_object: self.peek() == Some(b'{'),
            ..Members::default()
        };
        self.value(depth, Container::Message)?;
        Ok(self.members)
    }

    /// Scans one value. `depth` is the nesting level that the value has if it is a container. The depth limit
    /// bounds the recursion.
    fn value(&mut self, depth: usize, container: Container) -> Result<Span, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.object(depth, container)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => {
                self.string()?;
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            _ => return Err(self.syntax()),
        }
        Ok(Span::new(start, self.at))
    }

    fn object(&mut self, depth: usize, container: Container) -> Result<(), Fault> {
        if depth > self.depth {
            return Err(Fault::Depth);
        }
        let base = self.keys.len();
        let mut many: Option<BTreeSet<Cow<'a, [u8]>>> = None;
        self.step(1);
        self.space();
        if self.peek() == Some(b'}') {
            self.step(1);
            return Ok(());
        }
        loop {
            self.space();
            let offset = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.syntax());
            }
            let (raw, escaped) = self.string()?;
            let key = if escaped {
                unescape(self.body, offset, self.at)
            } else {
                Cow::Borrowed(raw)
            };
            let (slot, inner) = slot(container, &key);
            // Many clients write `null` for what they leave out. In the message itself it has a meaning of its own: an
            // `id` that is `null` is invalid, and a result can be `null`.
            let may_be_null = match container {
                Container::Message => inner == Container::Params,
                // The required keys of an envelope show the era, whatever their value is.
                Container::Meta => {
                    *key != *ENVELOPE_VERSION.as_bytes() && *key != *ENVELOPE_CAPABILITIES.as_bytes()
                }
                Container::Params | Container::Elsewhere => true,
            };
            if !self.is_new(key, base, &mut many) {
                return Err(Fault::DuplicateKey { offset });
            }
            self.space();
            self.expect(b':')?;
            self.space();
            let span = self.value(depth.saturating_add(1), inner)?;
            if let Some(slot) = slot
                && !(may_be_null && span.is_null(self.body))
            {
                *slot(&mut self.members) = span;
            }
            self.space();
            match self.peek() {
                Some(b',') => self.step(1),
                Some(b'}') => break,
                _ => return Err(self.syntax()),
            }
        }
        self.step(1);
        self.keys.truncate(base);
        Ok(())
    }

    /// Records a key of the object whose keys start at `base`. Returns `false` if the object already has the
    /// key. A few unescaped keys are compared in pairs; many or escaped keys go into a set, so that a hostile
    /// object can't cause quadratic time.
    fn is_new(
        &mut self,
        key: Cow<'a, [u8]>,
        base: usize,
        many: &mut Option<BTreeSet<Cow<'a, [u8]>>>,
    ) -> bool {
        let known = self.keys.get(base..).unwrap_or_default();
        if many.is_none()
            && known.len() < FEW_KEYS
            && let Cow::Borrowed(plain) = key
        {
            let fresh = !known.contains(&plain);
            self.keys.push(plain);
            return fresh;
        }
        many.get_or_insert_with(|| known.iter().map(|key| Cow::Borrowed(*key)).collect())
            .insert(key)
    }

    fn array(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > self.depth {
            return Err(Fault::Depth);
        }
        self.step(1);
        self.space();
        if self.peek() == Some(b']') {
            self.step(1);
            return Ok(());
        }
        loop {
            self.space();
            self.value(depth.saturating_add(1), Container::Elsewhere)?;
            self.space();
            match self.peek() {
                Some(b',') => self.step(1),
                Some(b']') => break,
                _ => return Err(self.syntax()),
            }
        }
        self.step(1);
        Ok(())
    }

    /// Scans a string. Returns the bytes between its quotes, and whether they contain escapes.
    fn string(&mut self) -> Result<(&'a [u8], bool), Fault> {
        self.step(1);
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.body.get(self.at..).unwrap_or_default();
            self.step(plain_run(rest));
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.syntax()),
            }
        }
        let inside = self.body.get(start..self.at).unwrap_or_default();
        self.step(1);
        Ok((inside, escaped))
    }

    fn escape(&mut self) -> Result<(), Fault> {
        self.step(1);
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.step(1);
                Ok(())
            }
            Some(b'u') => match self.code_unit()? {
                // An unpaired surrogate isn't valid text. It is rejected here, and the decoder replaces it and
                // scans again, so that no later code has to handle it.
                0xd800..=0xdbff if self.peek() == Some(b'\\') => {
                    self.step(1);
                    if self.peek() != Some(b'u') {
                        return Err(self.syntax());
                    }
                    match self.code_unit()? {
                        0xdc00..=0xdfff => Ok(()),
                        _ => Err(self.syntax()),
                    }
                }
                0xd800..=0xdfff => Err(self.syntax()),
                _ => Ok(()),
            },
            _ => Err(self.syntax()),
        }
    }

    /// Scans the four hexadecimal digits after a `u`.
    fn code_unit(&mut self) -> Result<u16, Fault> {
        self.step(1);
        let digits = self
            .body
            .get(self.at..self.at.saturating_add(4))
            .ok_or(self.syntax())?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.syntax());
        }
        let unit = std::str::from_utf8(digits)
            .ok()
            .and_then(|text| u16::from_str_radix(text, 16).ok());
        self.step(4);
        unit.ok_or(self.syntax())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.step(1);
        }
        match self.peek() {
            Some(b'0') => self.step(1),
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.syntax()),
        }
        if self.peek() == Some(b'.') {
            self.step(1);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.step(1);
            if let Some(b'+' | b'-') = self.peek() {
                self.step(1);
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.syntax());
        }
        self.step(count);
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        if !self
            .body
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            return Err(self.syntax());
        }
        self.step(word.len());
        Ok(())
    }
}

/// Returns the number of leading bytes of `bytes` that are neither quotes, backslashes nor control characters.
/// Checks eight bytes at a time, because strings make up most of a message.
fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = 0x2222_2222_2222_2222;
    const SLASHES: u64 = 0x5c5c_5c5c_5c5c_5c5c;
    const SPACES: u64 = 0x2020_2020_2020_2020;
    let mut rest = bytes;
    let mut count = 0_usize;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        // `(x - y) & !x` sets the high bit of each byte of `x` that is below that of `y`. A borrow can set it
        // also in bytes above a true match, but only the lowest match is used.
        let quote = (word ^ QUOTES).wrapping_sub(ONES) & !(word ^ QUOTES);
        let slash = (word ^ SLASHES).wrapping_sub(ONES) & !(word ^ SLASHES);
        let control = word.wrapping_sub(SPACES) & !word;
        let found = (quote | slash | control) & HIGH;
        if found != 0 {
            return count.saturating_add((found.trailing_zeros() >> 3) as usize);
        }
        count = count.saturating_add(8);
        rest = tail;
    }
    let plain = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    count.saturating_add(plain.unwrap_or(rest.len()))
}

/// Returns the key at `start..end`, which must be a valid quoted string, without its escapes.
fn unescape<'a>(body: &'a [u8], start: usize, end: usize) -> Cow<'a, [u8]> {
    let quoted = Span::new(start, end).of(body).and_then(RawJson::string);
    Cow::Owned(quoted.unwrap_or_default().into_owned().into_bytes())
}
