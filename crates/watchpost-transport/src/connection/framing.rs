//! Checks where the requests of an HTTP/1 connection begin and end, more strictly than the HTTP library does.
//!
//! A proxy in front of this server may see another end of a request than the library: after a line that ends without a
//! carriage return, with both `Content-Length` and `Transfer-Encoding`, or with a transfer coding besides `chunked`. Then one
//! client's bytes could become the start of another one's request. So these forms are errors.

/// The maximum length of a line that is kept while its end hasn't arrived. The library refuses longer ones itself.
const LINE_BYTES_MAX: usize = 64 << 10;
/// The maximum length of the line before a chunk.
const CHUNK_LINE_BYTES_MAX: usize = 1 << 10;

/// The position in the sequence of requests.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    state: State,
    /// The beginning of a line whose end hasn't arrived yet.
    line: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    /// Before the request line.
    #[default]
    Start,
    Headers(Length),
    Body(u64),
    ChunkSize,
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    Trailers,
    Invalid,
}

/// The length of the body, as far as the headers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Unstated,
    Bytes(u64),
    Chunked,
}

/// A form that is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Invalid;

impl Framing {
    /// Checks received bytes. Returns the number of bytes before the first error, if there is one.
    pub(crate) fn check(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if let State::Body(left) | State::Chunk(left) = &mut self.state {
                let skipped = usize::try_from(*left).map_or(rest.len(), |left| left.min(rest.len()));
                rest = rest.get(skipped..).unwrap_or_default();
                *left -= skipped as u64;
                if *left == 0 {
                    self.state = match self.state {
                        State::Chunk(_) => State::ChunkEnd,
                        _ => State::Start,
                    };
                }
                continue;
            }
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return match self.keep(rest) {
                    Ok(()) => Ok(()),
                    Err(Invalid) => self.fail(bytes.len() - rest.len()),
                };
            };
            let (line, after) = rest.split_at(end);
            let outcome = if self.line.is_empty() {
                self.state.after_line(line)
            } else {
                self.line.extend_from_slice(line);
                let whole = std::mem::take(&mut self.line);
                self.state.after_line(&whole)
            };
            match outcome {
                Ok(state) => self.state = state,
                Err(Invalid) => return self.fail(bytes.len() - after.len()),
            }
            rest = after.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    fn fail(&mut self, valid: usize) -> Result<(), usize> {
        self.state = State::Invalid;
        self.line = Vec::new();
        Err(valid)
    }

    /// Keeps the beginning of a line.
    fn keep(&mut self, part: &[u8]) -> Result<(), Invalid> {
        let max = match self.state {
            State::ChunkSize | State::ChunkEnd => CHUNK_LINE_BYTES_MAX,
            _ => LINE_BYTES_MAX,
        };
        if self.line.len() + part.len() > max {
            return Err(Invalid);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }
}

impl State {
    /// Returns the state after a line, which is without its line feed.
    fn after_line(&self, line: &[u8]) -> Result<Self, Invalid> {
        let line = line.strip_suffix(b"\r").ok_or(Invalid)?;
        if line.contains(&b'\r') {
            return Err(Invalid);
        }
        Ok(match self {
            // Empty lines before a request are allowed (RFC 9112, 2.2).
            Self::Start if line.is_empty() => Self::Start,
            Self::Start => Self::Headers(Length::Unstated),
            Self::Headers(length) if line.is_empty() => match length {
                Length::Unstated | Length::Bytes(0) => Self::Start,
                Length::Bytes(bytes) => Self::Body(*bytes),
                Length::Chunked => Self::ChunkSize,
            },
            Self::Headers(length) => Self::Headers(length.with(line)?),
            Self::ChunkSize => match chunk_size(line)? {
                0 => Self::Trailers,
                size => Self::Chunk(size),
            },
            Self::ChunkEnd if line.is_empty() => Self::ChunkSize,
            Self::Trailers if line.is_empty() => Self::Start,
            Self::Trailers => Self::Trailers,
            Self::ChunkEnd | Self::Body(_) | Self::Chunk(_) | Self::Invalid => return Err(Invalid),
        })
    }
}

impl Length {
    /// Returns the length after one more header line. The library checks the syntax of the other headers.
    fn with(self, line: &[u8]) -> Result<Self, Invalid> {
        // The continuation of a line, which is obsolete.
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(Invalid);
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Ok(self);
        };
        let (name, value) = line.split_at(colon);
        let (name, value) = (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
        let stated = if name.eq_ignore_ascii_case(b"content-length") {
            Self::Bytes(decimal(value)?)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Invalid);
            }
            Self::Chunked
        } else {
            return Ok(self);
        };
        if self == Self::Unstated {
            Ok(stated)
        } else {
            Err(Invalid)
        }
    }
}

fn decimal(digits: &[u8]) -> Result<u64, Invalid> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Invalid);
    }
    let text = std::str::from_utf8(digits).map_err(|_| Invalid)?;
    text.parse().map_err(|_| Invalid)
}

fn chunk_size(line: &[u8]) -> Result<u64, Invalid> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, extension) = line.split_at(digits);
    if !matches!(extension.trim_ascii_start().first(), None | Some(b';')) || digits.is_empty() {
        return Err(Invalid);
    }
    let text = std::str::from_utf8(digits).map_err(|_| Invalid)?;
    u64::from_str_radix(text, 16).map_err(|_| Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the bytes in one piece and cut everywhere. Returns the number of bytes before the error.
    fn check(bytes: &[u8]) -> Result<(), usize> {
        let whole = Framing::default().check(bytes);
        for cut in 0..bytes.len() {
            let mut framing = Framing::default();
            let cut_outcome = framing
                .check(&bytes[..cut])
                .and_then(|()| framing.check(&bytes[cut..]).map_err(|valid| cut + valid));
            assert_eq!(cut_outcome, whole, "cut at {cut}");
        }
        whole
    }

    fn request(headers: &str, body: &str) -> String {
        format!("POST /mcp HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}")
    }

    #[test]
    fn valid_requests_follow_each_other() {
        let all = [
            request("", ""),
            request("Content-Length: 4\r\n", "\n\n\r\n"),
            request("content-length:\t0 \r\n", ""),
            request(
                "Transfer-Encoding: chunked\r\n",
                "3;a=b\r\n\n\n\n\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
            ),
            request("transfer-encoding:CHUNKED\r\n", "0\r\n\r\n"),
            format!("\r\n\r\n{}", request("", "")),
        ]
        .concat();
        assert_eq!(check(all.as_bytes()), Ok(()));
    }

    #[test]
    fn ambiguous_requests_are_invalid() {
        for (headers, body) in [
            ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
            ("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
            ("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
            ("Transfer-Encoding: identity\r\n", ""),
            ("Transfer-Encoding: xchunked\r\n", ""),
            ("Transfer-Encoding:\r\n", ""),
            ("Content-Length: 4\r\nContent-Length: 4\r\n", "0000"),
            ("Content-Length: 4, 4\r\n", "0000"),
            ("Content-Length: +4\r\n", "0000"),
            ("Content-Length: 0x4\r\n", "0000"),
            ("Content-Length: 99999999999999999999999\r\n", ""),
            ("X: y\r\n Transfer-Encoding: chunked\r\n", ""),
            ("X: y\n", ""),
            ("X: y\rZ: 1\r\n", ""),
            ("Transfer-Encoding: chunked\r\n", "3\nabc\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "3\r\nabc\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "3 4\r\nabc\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "-3\r\nabc\r\n0\r\n\r\n"),
            (
                "Transfer-Encoding: chunked\r\n",
                "10000000000000003\r\nabc\r\n0\r\n\r\n",
            ),
            ("Transfer-Encoding: chunked\r\n", "0\r\nX: y\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "0\r\n\n"),
        ] {
            assert!(
                check(request(headers, body).as_bytes()).is_err(),
                "{headers}{body}"
            );
        }
        assert!(check(b"GET / HTTP/1.1\nHost: a\r\n\r\n").is_err());
        assert!(check(b"GET / HTTP/1.1\r\nHost: a\r\n\n").is_err());
        assert!(check(b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").is_err());
    }

    #[test]
    fn the_end_of_an_invalid_head_is_not_passed_on() {
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\nGET /x HTTP/1.1\r\n";
        assert_eq!(check(bytes), Err(b"GET / HTTP/1.1\r\nHost: a\r\n".len()));
    }

    #[test]
    fn a_line_before_a_chunk_is_limited() {
        let mut framing = Framing::default();
        let head = request("Transfer-Encoding: chunked\r\n", "");
        assert_eq!(framing.check(head.as_bytes()), Ok(()));
        let endless = [b'0'; 512];
        let pieces = (0..100).take_while(|_| framing.check(&endless).is_ok()).count();
        assert_eq!(pieces, CHUNK_LINE_BYTES_MAX / endless.len());
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(0_u8..=255, 0..300)) {
            let _ = check(&bytes);
            let after_head = [request("Transfer-Encoding: chunked\r\n", "").as_bytes(), &bytes].concat();
            let _ = check(&after_head);
        }
    }
}
