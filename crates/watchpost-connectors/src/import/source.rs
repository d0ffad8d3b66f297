//! Readers that turn a file's bytes into text: hashing, decompression within limits, and decoding.

use std::{
    cell::RefCell,
    io::{self, Read},
    rc::Rc,
};
use watchpost_core::import::{ImportError, ImportLimits};

/// The decompressed size up to which the compression ratio isn't checked, in bytes.
const RATIO_UNCHECKED_BYTES: u64 = 1 << 20;

/// Wraps an import error so that it can be returned from `Read`.
pub(super) fn io_error(error: ImportError) -> io::Error {
    io::Error::other(error)
}

/// Converts an error returned from `Read`: unwraps an import error; any other is an error of the underlying reader.
pub(super) fn import_error(error: io::Error) -> ImportError {
    match error.downcast::<ImportError>() {
        Ok(error) => error,
        Err(error) => ImportError::Read(error),
    }
}

/// The hash and size of the part of the file that has been read.
pub(super) struct InputDigest {
    hash: aws_lc_rs::digest::Context,
    /// The number of bytes.
    pub(super) bytes: u64,
}

impl InputDigest {
    pub(super) fn new() -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            hash: aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256),
            bytes: 0,
        }))
    }

    /// Returns the SHA-256 hash, in hexadecimal.
    pub(super) fn sha256(&self) -> String {
        let digest = self.hash.clone().finish();
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A reader that hashes the bytes that pass through it.
pub(super) struct HashingReader<R> {
    pub(super) inner: R,
    pub(super) digest: Rc<RefCell<InputDigest>>,
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let mut digest = self.digest.borrow_mut();
        digest.hash.update(buffer.get(..read).unwrap_or_default());
        digest.bytes = digest.bytes.saturating_add(read as u64);
        Ok(read)
    }
}

/// A reader that enforces the limits on a file's decompressed size.
pub(super) struct UnpackingReader<R> {
    pub(super) inner: R,
    /// The format that `inner` decompresses; `None` if the file isn't compressed.
    pub(super) packing: Option<&'static str>,
    /// Returns the number of compressed bytes read so far.
    pub(super) packed: Box<dyn Fn() -> u64>,
    /// The number of decompressed bytes so far, from all files of an archive.
    pub(super) bytes: Rc<RefCell<u64>>,
    pub(super) limits: ImportLimits,
}

impl<R: Read> Read for UnpackingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| {
            let damaged = matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
            );
            match self.packing {
                // The bytes in front of the missing end are those of the text.
                Some("gzip") if error.kind() == io::ErrorKind::UnexpectedEof => {
                    io_error(ImportError::Truncated {
                        byte: *self.bytes.borrow(),
                        row: None,
                    })
                }
                Some(kind) if damaged => io_error(ImportError::DamagedArchive { kind }),
                _ => error,
            }
        })?;
        let mut bytes = self.bytes.borrow_mut();
        *bytes = bytes.saturating_add(read as u64);
        if self.packing.is_some() && *bytes > RATIO_UNCHECKED_BYTES {
            let bytes_max = (self.packed)().saturating_mul(self.limits.expansion);
            if *bytes > bytes_max {
                return Err(io_error(ImportError::Bomb));
            }
        }
        if *bytes > self.limits.bytes {
            return Err(io_error(ImportError::TooLarge {
                limit: self.limits.bytes,
            }));
        }
        Ok(read)
    }
}

/// Returns the first bytes of a reader, and a reader that still returns them.
pub(super) fn peek<R: Read>(mut reader: R, count: usize) -> io::Result<(Vec<u8>, impl Read)> {
    let mut first = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut first)?;
    Ok((first.clone(), io::Cursor::new(first).chain(reader)))
}

/// Decodes text to UTF-8 without a byte order mark. UTF-16 with a mark is converted; everything else is unchanged.
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

/// A reader that converts UTF-16 to UTF-8. An unpaired surrogate becomes U+FFFD; an incomplete unit at the end is an error.
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
                    return Err(io_error(ImportError::Encoding { byte: self.read }));
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
    fn utf16_and_byte_order_marks_become_plain_utf8() {
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
    fn incomplete_units_are_errors_and_unpaired_surrogates_are_replaced() {
        let mut out = String::new();
        let cut: &[u8] = &[0xff, 0xfe, b'a', 0, b'b'];
        let error = decoded(cut)
            .and_then(|mut reader| reader.read_to_string(&mut out))
            .expect_err("cut");
        assert!(matches!(import_error(error), ImportError::Encoding { byte: 5 }));
        out.clear();
        let half: &[u8] = &[0xff, 0xfe, 0x3e, 0xd8, b'a', 0, 0x3e, 0xd8];
        decoded(half)
            .and_then(|mut reader| reader.read_to_string(&mut out))
            .expect("text");
        assert_eq!(out, "\u{fffd}a\u{fffd}");
    }
}
