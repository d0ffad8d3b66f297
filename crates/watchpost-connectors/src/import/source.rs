//! From a file's bytes to its text: hashed as read, unpacked, decoded, and never more of it than allowed.

use std::{
    cell::RefCell,
    io::{self, Read},
    rc::Rc,
};
use watchpost_core::import::{ImportError, ImportLimits};

/// Unpacked bytes below which the expansion isn't judged.
const EXPANSION_FREE: u64 = 1 << 20;

/// An error of ours that travels through `Read`.
pub(super) fn into_io(error: ImportError) -> io::Error {
    io::Error::other(error)
}

/// The error that came through `Read`: ours if it is one, else that of the reader.
pub(super) fn from_io(error: io::Error) -> ImportError {
    match error.downcast::<ImportError>() {
        Ok(ours) => ours,
        Err(theirs) => ImportError::Read(theirs),
    }
}

/// What was read of the file so far.
pub(super) struct Taken {
    hash: aws_lc_rs::digest::Context,
    /// Bytes.
    pub(super) bytes: u64,
}

impl Taken {
    pub(super) fn new() -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            hash: aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256),
            bytes: 0,
        }))
    }

    /// SHA-256 of it, in hexadecimal digits.
    pub(super) fn sha256(&self) -> String {
        let digest = self.hash.clone().finish();
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Hashes what passes.
pub(super) struct Hashing<R> {
    pub(super) inner: R,
    pub(super) taken: Rc<RefCell<Taken>>,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let mut taken = self.taken.borrow_mut();
        taken.hash.update(buffer.get(..read).unwrap_or_default());
        taken.bytes = taken.bytes.saturating_add(read as u64);
        Ok(read)
    }
}

/// Unpacks, and refuses what becomes too large.
pub(super) struct Unpacked<R> {
    pub(super) inner: R,
    /// What `inner` unpacks; `None` if it doesn't.
    pub(super) packing: Option<&'static str>,
    /// Bytes that went in so far.
    pub(super) packed: Box<dyn Fn() -> u64>,
    /// Bytes that came out so far, of all files of an archive.
    pub(super) bytes: Rc<RefCell<u64>>,
    pub(super) limits: ImportLimits,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| {
            let damaged = matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
            );
            match self.packing {
                Some(kind) if damaged => into_io(ImportError::DamagedArchive { kind }),
                _ => error,
            }
        })?;
        let mut bytes = self.bytes.borrow_mut();
        *bytes = bytes.saturating_add(read as u64);
        if self.packing.is_some() && *bytes > EXPANSION_FREE {
            let room = (self.packed)().saturating_mul(self.limits.expansion);
            if *bytes > room {
                return Err(into_io(ImportError::Bomb));
            }
        }
        if *bytes > self.limits.bytes {
            return Err(into_io(ImportError::TooLarge {
                limit: self.limits.bytes,
            }));
        }
        Ok(read)
    }
}

/// The first bytes of a reader, which stay to be read.
pub(super) fn peek<R: Read>(mut reader: R, count: usize) -> io::Result<(Vec<u8>, impl Read)> {
    let mut first = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut first)?;
    Ok((first.clone(), io::Cursor::new(first).chain(reader)))
}

/// Text as UTF-8 without byte-order mark: UTF-16 with a mark is rewritten, everything else passes as it is.
pub(super) fn decoded<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let (first, mut reader) = peek(reader, 3)?;
    Ok(match first.as_slice() {
        [0xef, 0xbb, 0xbf] => {
            reader.read_exact(&mut [0; 3])?;
            Box::new(reader)
        }
        [one @ (0xff | 0xfe), two @ (0xff | 0xfe), ..] if one != two => {
            reader.read_exact(&mut [0; 2])?;
            Box::new(Utf16 {
                inner: reader,
                little: *one == 0xff,
                odd: None,
                high: None,
                out: Vec::new(),
                at: 0,
                read: 2,
            })
        }
        _ => Box::new(reader),
    })
}

/// UTF-16 to UTF-8. A half of a pair becomes U+FFFD; a half of a unit at the end is an error.
struct Utf16<R> {
    inner: R,
    little: bool,
    odd: Option<u8>,
    high: Option<u16>,
    out: Vec<u8>,
    at: usize,
    read: u64,
}

impl<R: Read> Utf16<R> {
    fn push(&mut self, unit: u16) {
        let units = self.high.take().into_iter().chain([unit]);
        let mut decoded = char::decode_utf16(units).peekable();
        while let Some(one) = decoded.next() {
            if decoded.peek().is_none()
                && let Err(half) = &one
                && (0xd800..0xdc00).contains(&half.unpaired_surrogate())
            {
                self.high = Some(half.unpaired_surrogate());
                return;
            }
            let mut bytes = [0; 4];
            let c = one.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.out.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
        }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.out.len() {
            self.out.clear();
            self.at = 0;
            let mut raw = [0; 16 * 1024];
            let count = self.inner.read(&mut raw)?;
            self.read = self.read.saturating_add(count as u64);
            if count == 0 {
                if self.odd.is_some() {
                    return Err(into_io(ImportError::Encoding { byte: self.read }));
                }
                if self.high.take().is_some() {
                    self.out.extend_from_slice("\u{fffd}".as_bytes());
                    break;
                }
                return Ok(0);
            }
            for byte in raw.iter().take(count).copied() {
                match self.odd.take() {
                    None => self.odd = Some(byte),
                    Some(first) if self.little => self.push(u16::from_le_bytes([first, byte])),
                    Some(first) => self.push(u16::from_be_bytes([first, byte])),
                }
            }
        }
        let rest = self.out.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_and_marks_become_plain_utf8() {
        let text = "{\"a\": \"é 🦊\"}";
        let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
        for raw in [text.as_bytes(), &marked, &little, &big] {
            let mut out = String::new();
            decoded(raw)
                .and_then(|mut reader| reader.read_to_string(&mut out))
                .expect("text");
            assert_eq!(out, text);
        }
    }

    #[test]
    fn half_a_unit_is_an_error_and_half_a_pair_a_replacement() {
        let mut out = String::new();
        let cut: &[u8] = &[0xff, 0xfe, b'a', 0, b'b'];
        let error = decoded(cut)
            .and_then(|mut reader| reader.read_to_string(&mut out))
            .expect_err("cut");
        assert!(matches!(from_io(error), ImportError::Encoding { byte: 5 }));
        out.clear();
        let half: &[u8] = &[0xff, 0xfe, 0x3e, 0xd8, b'a', 0, 0x3e, 0xd8];
        decoded(half)
            .and_then(|mut reader| reader.read_to_string(&mut out))
            .expect("text");
        assert_eq!(out, "\u{fffd}a\u{fffd}");
    }
}
