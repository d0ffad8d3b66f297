//! Lines of bounded length.

use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The size of one read, in bytes.
const READ_BYTES: usize = 16 << 10;

/// The result of reading a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line without its line ending. Never blank.
    Message(Bytes),
    /// A line over the limit. It was skipped; the following lines are read as usual.
    TooLong,
}

/// Splits a byte stream into lines that end in `\n` or `\r\n`. Buffers at most one line of the maximum length
/// and one read.
pub(crate) struct Lines<R> {
    input: R,
    buffer: BytesMut,
    /// The number of bytes at the start of `buffer` that are known to contain no line ending.
    searched: usize,
    skipping: bool,
    bytes_max: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(input: R, bytes_max: usize) -> Self {
        Self {
            input,
            buffer: BytesMut::new(),
            searched: 0,
            skipping: false,
            bytes_max,
        }
    }

    /// Returns the next line, or `None` at the end of the input. The last line needs no line ending.
    ///
    /// Cancel safe: data that has been read stays in the buffer.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.take_line() {
                return Ok(Some(line));
            }
            self.buffer.reserve(READ_BYTES);
            if self.input.read_buf(&mut self.buffer).await? == 0 {
                return Ok(self.take_rest());
            }
        }
    }

    fn take_line(&mut self) -> Option<Line> {
        loop {
            let Some(end) = self.buffer[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            else {
                self.searched = self.buffer.len();
                // One more byte for the carriage return.
                if self.searched > self.bytes_max + 1 {
                    self.skipping = true;
                }
                if self.skipping {
                    self.buffer.clear();
                    self.searched = 0;
                }
                return None;
            };
            let line = self.buffer.split_to(self.searched + end + 1);
            self.searched = 0;
            if std::mem::take(&mut self.skipping) {
                return Some(Line::TooLong);
            }
            if let Some(line) = self.finish_line(line) {
                return Some(line);
            }
        }
    }

    fn take_rest(&mut self) -> Option<Line> {
        if std::mem::take(&mut self.skipping) {
            return Some(Line::TooLong);
        }
        let rest = self.buffer.split();
        self.searched = 0;
        self.finish_line(rest)
    }

    /// Removes the line ending and checks the length. Returns `None` for a blank line.
    fn finish_line(&self, mut line: BytesMut) -> Option<Line> {
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.truncate(line.len() - 1);
        }
        if line.len() > self.bytes_max {
            return Some(Line::TooLong);
        }
        // A line that consists of a byte order mark is blank too: shells on Windows write one at the start of a pipe.
        let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line);
        if text.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        Some(Line::Message(line.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// Feeds `input` in pieces of several sizes and compares the lines.
    async fn check(input: &[u8], expected: &[Line]) {
        for piece in [1, 3, 7, input.len().max(1)] {
            let (mut ours, theirs) = tokio::io::duplex(64);
            let mut lines = Lines::new(theirs, 8);
            let feed = async {
                for chunk in input.chunks(piece) {
                    ours.write_all(chunk).await.unwrap();
                }
                drop(ours);
            };
            let collect = async {
                let mut found = Vec::new();
                while let Some(line) = lines.next().await.unwrap() {
                    found.push(line);
                }
                found
            };
            let ((), found) = tokio::join!(feed, collect);
            assert_eq!(
                found,
                expected,
                "{:?} in pieces of {piece}",
                String::from_utf8_lossy(input)
            );
        }
    }

    fn line(text: &'static str) -> Line {
        Line::Message(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test]
    async fn input_is_split_at_line_endings_and_blank_lines_are_skipped() {
        check(b"", &[]).await;
        check(b"a\nb\n", &[line("a"), line("b")]).await;
        check(b"a\r\n\r\n  \n\nb", &[line("a"), line("b")]).await;
        check(b"12345678\r\n", &[line("12345678")]).await;
        check(b"\xef\xbb\xbf\na\n", &[line("a")]).await;
        check(b"\xef\xbb\xbf\r\na\n", &[line("a")]).await;
    }

    #[tokio::test]
    async fn a_line_over_the_limit_is_skipped_to_its_end() {
        check(b"123456789\nb\n", &[Line::TooLong, line("b")]).await;
        check(
            b"a\n1234567890123456789012345678901234567890\nb\n",
            &[line("a"), Line::TooLong, line("b")],
        )
        .await;
        check(b"123456789012345", &[Line::TooLong]).await;
    }
}
