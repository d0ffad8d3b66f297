//! Takes a JSON text apart into its rows without parsing them: one row is in memory at a time.

use super::source::from_io;
use std::io::{BufRead, BufReader, Read};
use watchpost_core::import::{ImportError, ImportLimits};

/// How a row came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// It is whole, as far as brackets tell.
    Whole,
    /// The text ended within it.
    Cut,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A row, which lies in [`Splitter::row`].
    Row(Piece),
    /// Nothing: the rows have ended as they should.
    End,
    /// Nothing: the text has ended, and a bracket is missing.
    NoEnd,
    /// Something that is neither.
    Garbage,
}

/// How rows follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// In a list that hasn't begun.
    List,
    /// In a list, after its first element.
    ListGoesOn,
    /// One a line.
    Lines,
}

/// A text that is taken apart.
pub(super) struct Splitter<'r> {
    input: BufReader<Box<dyn Read + 'r>>,
    limits: ImportLimits,
    /// Bytes taken so far.
    pub(super) offset: u64,
    /// The row last taken.
    pub(super) row: Vec<u8>,
    order: Order,
    first: u64,
}

impl<'r> Splitter<'r> {
    pub(super) fn new(input: Box<dyn Read + 'r>, limits: ImportLimits) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, input),
            limits,
            offset: 0,
            row: Vec::new(),
            order: Order::List,
            first: 0,
        }
    }

    /// Bytes that a document may have.
    pub(super) const fn document_bytes(&self) -> u64 {
        self.limits.document_bytes
    }

    /// Position of the first row that is an object.
    pub(super) const fn first_index(&self) -> u64 {
        self.first
    }

    /// Sets that position.
    pub(super) const fn set_first_index(&mut self, index: u64) {
        self.first = index;
    }

    /// Takes the bracket of a list, which was peeked at.
    pub(super) fn begin_list(&mut self) {
        self.take(1);
        self.order = Order::List;
    }

    /// From now on, a row is a line.
    pub(super) const fn begin_lines(&mut self) {
        self.order = Order::Lines;
    }

    /// Takes the next row.
    pub(super) fn next_row(&mut self, index: u64) -> Result<Next, ImportError> {
        if self.order == Order::Lines {
            return self.line(index);
        }
        match (self.peek()?, self.order) {
            (None, _) => return Ok(Next::NoEnd),
            (Some(b']'), _) => {
                self.take(1);
                return Ok(if self.peek()?.is_some() {
                    Next::Garbage
                } else {
                    Next::End
                });
            }
            (Some(b','), Order::ListGoesOn) => {
                self.take(1);
                match self.peek()? {
                    None => return Ok(Next::NoEnd),
                    Some(b',' | b']') => return Ok(Next::Garbage),
                    Some(_) => {}
                }
            }
            (Some(_), Order::List) => {}
            (Some(_), _) => return Ok(Next::Garbage),
        }
        self.order = Order::ListGoesOn;
        let piece = self.value(1, index, self.limits.row_bytes)?;
        Ok(if self.row.is_empty() {
            Next::Garbage
        } else {
            Next::Row(piece)
        })
    }

    /// The next byte that isn't white space; it stays.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        loop {
            let buffer = self.input.fill_buf().map_err(from_io)?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let skip = buffer
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
                .unwrap_or(buffer.len());
            let found = buffer.get(skip).copied();
            self.take(skip);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.input.consume(count);
        self.offset = self.offset.saturating_add(count as u64);
    }

    /// Takes the value that begins with the byte peeked at, an object or a list by its brackets, anything else up to
    /// the next comma or bracket. `above` is how deep it lies; `max` how many bytes it may have.
    pub(super) fn value(&mut self, above: u32, index: u64, max: u64) -> Result<Piece, ImportError> {
        self.row.clear();
        let mut state = Brackets::default();
        loop {
            let buffer = self.input.fill_buf().map_err(from_io)?;
            if buffer.is_empty() {
                return Ok(if state.depth == 0 && !state.in_text && !self.row.is_empty() {
                    Piece::Whole
                } else {
                    Piece::Cut
                });
            }
            let mut taken = 0_usize;
            let mut ended = false;
            for byte in buffer {
                if state.depth == 0 && !state.in_text && matches!(byte, b',' | b']' | b'}') {
                    ended = true;
                    break;
                }
                taken = taken.saturating_add(1);
                state.step(*byte);
                if above.saturating_add(state.depth) > self.limits.nesting {
                    return Err(ImportError::TooDeep {
                        limit: self.limits.nesting,
                        byte: self.offset.saturating_add(taken as u64),
                    });
                }
                if state.depth == 0 && matches!(byte, b']' | b'}') && !state.in_text {
                    ended = true;
                    break;
                }
            }
            let fits = (self.row.len() as u64).saturating_add(taken as u64) <= max;
            if fits {
                self.row
                    .extend_from_slice(buffer.get(..taken).unwrap_or_default());
            }
            self.take(taken);
            if !fits {
                return Err(ImportError::RowTooLarge {
                    row: index,
                    limit: max,
                });
            }
            if ended {
                return Ok(Piece::Whole);
            }
        }
    }

    /// Takes the next line that isn't blank.
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
            .map_err(from_io)?;
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
        let cut = (state.depth > 0 || state.in_text) && !self.row.ends_with(b"\n");
        Ok(Next::Row(if cut { Piece::Cut } else { Piece::Whole }))
    }
}

/// Where in nested brackets a scan is. Brackets in texts don't count.
#[derive(Default)]
struct Brackets {
    depth: u32,
    in_text: bool,
    escaped: bool,
}

impl Brackets {
    const fn step(&mut self, byte: u8) {
        if self.in_text {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.in_text = false;
            }
            return;
        }
        match byte {
            b'"' => self.in_text = true,
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
                splitter.take(1);
                continue;
            }
            let piece = splitter.value(1, 0, 1_000).expect("fits");
            out.push((String::from_utf8(splitter.row.clone()).expect("text"), piece));
        }
        out
    }

    #[test]
    fn values_are_told_by_their_brackets() {
        assert_eq!(
            values(r#" {"a": "}\"{"} , [1,[2]], 7 , {"b": "#),
            [
                (r#"{"a": "}\"{"}"#.to_owned(), Piece::Whole),
                ("[1,[2]]".to_owned(), Piece::Whole),
                ("7 ".to_owned(), Piece::Whole),
                (r#"{"b": "#.to_owned(), Piece::Cut),
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
