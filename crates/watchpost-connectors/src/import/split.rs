//! Splits a JSON text into rows without parsing them. Only one row is in memory at a time.

use super::source::import_error;
use std::io::{BufRead, BufReader, Read};
use watchpost_core::import::{ImportError, ImportLimits};

/// Whether a row is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// The brackets of the row are balanced.
    Complete,
    /// The text ends within the row.
    Truncated,
}

/// The next item of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A row, which is in [`Splitter::row`].
    Row(Piece),
    /// The regular end of the rows.
    End,
    /// The end of the text, with a closing bracket missing.
    Truncated,
    /// Anything else.
    Invalid,
}

/// The layout of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A list, before its first element.
    ListStart,
    /// A list, after its first element.
    List,
    /// One row per line.
    Lines,
}

/// A text that is split into rows.
pub(super) struct Splitter<'r> {
    input: BufReader<Box<dyn Read + 'r>>,
    limits: ImportLimits,
    /// The number of bytes consumed so far.
    pub(super) offset: u64,
    /// The last row that was read.
    pub(super) row: Vec<u8>,
    layout: Layout,
    first: u64,
}

impl<'r> Splitter<'r> {
    pub(super) fn new(input: Box<dyn Read + 'r>, limits: ImportLimits) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, input),
            limits,
            offset: 0,
            row: Vec::new(),
            layout: Layout::ListStart,
            first: 0,
        }
    }

    /// Returns the maximum size of a document, in bytes.
    pub(super) const fn document_bytes(&self) -> u64 {
        self.limits.document_bytes
    }

    /// Returns the position of the first row that is an object.
    pub(super) const fn first_index(&self) -> u64 {
        self.first
    }

    /// Sets the position of the first row that is an object.
    pub(super) const fn set_first_index(&mut self, index: u64) {
        self.first = index;
    }

    /// Consumes the opening bracket of a list.
    pub(super) fn begin_list(&mut self) {
        self.consume(1);
        self.layout = Layout::ListStart;
    }

    /// Switches to one row per line.
    pub(super) const fn begin_lines(&mut self) {
        self.layout = Layout::Lines;
    }

    /// Reads the next row.
    pub(super) fn next_row(&mut self, index: u64) -> Result<Next, ImportError> {
        if self.layout == Layout::Lines {
            return self.line(index);
        }
        match (self.peek()?, self.layout) {
            (None, _) => return Ok(Next::Truncated),
            (Some(b']'), _) => {
                self.consume(1);
                return Ok(if self.peek()?.is_some() {
                    Next::Invalid
                } else {
                    Next::End
                });
            }
            (Some(b','), Layout::List) => {
                self.consume(1);
                match self.peek()? {
                    None => return Ok(Next::Truncated),
                    Some(b',' | b']') => return Ok(Next::Invalid),
                    Some(_) => {}
                }
            }
            (Some(_), Layout::ListStart) => {}
            (Some(_), _) => return Ok(Next::Invalid),
        }
        self.layout = Layout::List;
        let piece = self.value(1, index, self.limits.row_bytes)?;
        Ok(if self.row.is_empty() {
            Next::Invalid
        } else {
            Next::Row(piece)
        })
    }

    /// Skips whitespace and returns the next byte without consuming it.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        loop {
            let buffer = self.input.fill_buf().map_err(import_error)?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let skip = buffer
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
                .unwrap_or(buffer.len());
            let found = buffer.get(skip).copied();
            self.consume(skip);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.offset = self.offset.saturating_add(count as u64);
    }

    /// Reads the next value: an object or a list up to its closing bracket, anything else up to the next comma or bracket.
    /// `above` is the number of enclosing brackets, and `max` is the maximum size in bytes.
    pub(super) fn value(&mut self, above: u32, index: u64, max: u64) -> Result<Piece, ImportError> {
        self.row.clear();
        let mut state = Brackets::default();
        loop {
            let buffer = self.input.fill_buf().map_err(import_error)?;
            if buffer.is_empty() {
                return Ok(if state.depth == 0 && !state.in_string && !self.row.is_empty() {
                    Piece::Complete
                } else {
                    Piece::Truncated
                });
            }
            let mut consumed = 0_usize;
            let mut ended = false;
            for byte in buffer {
                if state.depth == 0 && !state.in_string && matches!(byte, b',' | b']' | b'}') {
                    ended = true;
                    break;
                }
                consumed = consumed.saturating_add(1);
                state.step(*byte);
                if above.saturating_add(state.depth) > self.limits.nesting {
                    return Err(ImportError::TooDeep {
                        limit: self.limits.nesting,
                        byte: self.offset.saturating_add(consumed as u64),
                    });
                }
                if state.depth == 0 && matches!(byte, b']' | b'}') && !state.in_string {
                    ended = true;
                    break;
                }
            }
            let fits = (self.row.len() as u64).saturating_add(consumed as u64) <= max;
            if fits {
                self.row
                    .extend_from_slice(buffer.get(..consumed).unwrap_or_default());
            }
            self.consume(consumed);
            if !fits {
                return Err(ImportError::RowTooLarge {
                    row: index,
                    limit: max,
                });
            }
            if ended {
                return Ok(Piece::Complete);
            }
        }
    }

    /// Reads the next line that isn't blank.
    fn line(&mut self, index: u64) -> Result<Next, ImportError> {
        self.row.clear();
        if self.peek()?.is_none() {
            return Ok(Next::End);
        }
        let max = self.limits.row_bytes;
        let count = self
            .input
            .by_ref()
            .take(max.saturating_add(1))
            .read_until(b'\n', &mut self.row)
            .map_err(import_error)?;
        self.offset = self.offset.saturating_add(count as u64);
        if count as u64 > max {
            return Err(ImportError::RowTooLarge {
                row: index,
                limit: max,
            });
        }
        let mut state = Brackets::default();
        for byte in &self.row {
            state.step(*byte);
            if state.depth > self.limits.nesting {
                return Err(ImportError::TooDeep {
                    limit: self.limits.nesting,
                    byte: self.offset,
                });
            }
        }
        let truncated = (state.depth > 0 || state.in_string) && !self.row.ends_with(b"\n");
        Ok(Next::Row(if truncated {
            Piece::Truncated
        } else {
            Piece::Complete
        }))
    }
}

/// The nesting of brackets at a position. Brackets in strings are ignored.
#[derive(Default)]
struct Brackets {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Brackets {
    const fn step(&mut self, byte: u8) {
        if self.in_string {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.in_string = false;
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, Piece)> {
        let mut splitter = Splitter::new(Box::new(text.as_bytes()), ImportLimits::FILE);
        let mut out = Vec::new();
        while let Ok(Some(byte)) = splitter.peek() {
            if byte == b',' {
                splitter.consume(1);
                continue;
            }
            let piece = splitter.value(1, 0, 1_000).expect("fits");
            out.push((String::from_utf8(splitter.row.clone()).expect("text"), piece));
        }
        out
    }

    #[test]
    fn values_are_delimited_by_their_brackets() {
        assert_eq!(
            values(r#" {"a": "}\"{"} , [1,[2]], 7 , {"b": "#),
            [
                (r#"{"a": "}\"{"}"#.to_owned(), Piece::Complete),
                ("[1,[2]]".to_owned(), Piece::Complete),
                ("7 ".to_owned(), Piece::Complete),
                (r#"{"b": "#.to_owned(), Piece::Truncated),
            ]
        );
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let large = format!("\"{}\"", "x".repeat(2_000));
        let mut splitter = Splitter::new(Box::new(large.as_bytes()), ImportLimits::FILE);
        let error = splitter.value(1, 4, 1_000);
        assert!(matches!(
            error,
            Err(ImportError::RowTooLarge { row: 4, limit: 1_000 })
        ));
        let deep = "[".repeat(64);
        let mut splitter = Splitter::new(Box::new(deep.as_bytes()), ImportLimits::FILE);
        let error = splitter.value(1, 0, 1_000);
        assert!(matches!(error, Err(ImportError::TooDeep { limit: 64, byte: 64 })));
    }
}
