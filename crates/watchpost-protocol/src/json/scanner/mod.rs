//! One pass over a message: checks it and notes where its parts lie.
//!
//! The pass holds the whole JSON grammar, UTF-8, paired surrogates, the depth limit, and unique keys at every
//! depth (compared after unescaping, case-sensitively). It builds no tree: what it leaves is the span of each
//! member that the protocol itself reads, and everything else is looked at only by whoever it's meant for.

mod members;
pub(crate) mod recover;

pub(crate) use members::{ENVELOPE_CAPABILITIES, ENVELOPE_VERSION, Members, Span};

use crate::json::RawJson;
use members::{Container, slot};
use std::{borrow::Cow, collections::BTreeSet};

/// Why a message can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not JSON, from this byte on.
    Syntax { offset: usize },
    /// Not UTF-8, from this byte on.
    Encoding { offset: usize },
    /// Nested deeper than allowed.
    Depth,
    /// An object has a key twice.
    DuplicateKey { offset: usize },
    /// More messages in an array than allowed.
    BatchLength,
}

impl Fault {
    /// Whether the bytes are no JSON at all, rather than JSON that we refuse.
    pub(crate) fn is_syntax(self) -> bool {
        matches!(self, Self::Syntax { .. } | Self::Encoding { .. })
    }
}

/// What a text holds.
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
pub(crate) enum Located {
    One(Members),
    Array(Vec<Members>),
}

/// Walks `body` once.
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

/// Keys of one object up to which comparing each with each is cheaper than keeping a set.
const FEW_KEYS: usize = 24;

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    /// How deep containers may nest.
    depth: usize,
    members: Members,
    /// Keys of the objects that are open, innermost last.
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
            // One past the limit is enough to refuse the array.
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

    /// Walks one value; `depth` is the nesting that it would have as a container. Recursion is bounded by the
    /// depth limit.
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
            if !self.is_new(key, base, &mut many) {
                return Err(Fault::DuplicateKey { offset });
            }
            self.space();
            self.expect(b':')?;
            self.space();
            let span = self.value(depth.saturating_add(1), inner)?;
            if let Some(slot) = slot {
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

    /// Remembers a key of the object whose keys begin at `base`; false if it was there. Few plain keys are
    /// compared one by one; many or escaped ones go through a set, so a hostile object can't cost a square.
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

    /// Walks a string; gives what lies between its quotes, and whether that has escapes.
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
                // Half a pair alone is no text: refused here, so that nobody later has to decide.
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

    /// Four hexadecimal digits after a `u`.
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

/// How many bytes at the beginning of `bytes` are neither a quote nor a backslash nor a control character.
/// Eight at a time: strings are most of a message.
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
        // `(x - y) & !x` has a byte's high bit set where that byte of `x` is below that of `y`. A borrow can
        // only set more of them above a true one, and the lowest is what counts.
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

/// The key whose quoted form lies at `start..end` and is known to be a legal string.
fn unescape<'a>(body: &'a [u8], start: usize, end: usize) -> Cow<'a, [u8]> {
    let quoted = Span::new(start, end).of(body).and_then(RawJson::string);
    Cow::Owned(quoted.unwrap_or_default().into_owned().into_bytes())
}
