//! Splits a JSON text into rows without parsing them. Only one row is in memory at a time.

use super::source::import_error;
use std::io::{BufRead, BufReader, Read};
use watchpost_core::import::{ImportError, ImportLimits};

/// The part of a row that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// The whole row: its brackets are balanced.
    Complete,
    /// The text ends within the row.
    Truncated,
    /// The row is too large, and was skipped.
    TooLarge,
    /// The row is nested too deeply, and was skipped.
    TooDeep,
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
}

/// Something between two rows that JSON doesn't allow there. The rows on both sides are whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A list or an object begins without a comma in front of it.
    Glued,
    /// A comma has no row in front of it, or none behind it.
    Comma,
    /// Other characters.
    Other,
}

/// The position within the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// At the beginning of a list.
    Start,
    /// After a comma.
    Comma,
    /// After a row or a list.
    Row,
}

/// A text that is split into rows. Rows are the elements of a list, of lists within it, and of lists and objects that follow
/// it; or the objects on the lines of a text.
pub(super) struct Splitter<'r> {
    input: BufReader<Box<dyn Read + 'r>>,
    limits: ImportLimits,
    /// The number of bytes consumed so far.
    pub(super) offset: u64,
    /// The last row that was read.
    pub(super) row: Vec<u8>,
    /// The reason for each row in front of the first usable one.
    pub(super) unusable: Vec<&'static str>,
    position: Position,
    /// The number of open lists.
    lists: u32,
    /// Whether a list was opened.
    had_list: bool,
    /// Whether each row is on a line of its own, so that a line break ends a broken row.
    lines: bool,
    /// Whether a line break precedes the byte that was peeked last.
    new_line: bool,
    /// Whether the last value ended with a line break, which was consumed.
    line_ended: bool,
    /// The first flaw of each kind, with its position.
    flaws: Vec<(Flaw, u64)>,
    /// The number of flaws that were taken.
    flaws_taken: usize,
}

impl<'r> Splitter<'r> {
    pub(super) fn new(input: Box<dyn Read + 'r>, limits: ImportLimits) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, input),
            limits,
            offset: 0,
            row: Vec::new(),
            unusable: Vec::new(),
            position: Position::Start,
            lists: 0,
            had_list: false,
            lines: false,
            new_line: false,
            line_ended: false,
            flaws: Vec::new(),
            flaws_taken: 0,
        }
    }

    /// Returns the limits of the import.
    pub(super) const fn limits(&self) -> &ImportLimits {
        &self.limits
    }

    /// Consumes the opening bracket of a list.
    pub(super) fn begin_list(&mut self) {
        self.open();
    }

    /// Continues after a first object. `lines`: each row is on a line of its own.
    pub(super) const fn begin_objects(&mut self, lines: bool) {
        self.lines = lines;
        self.position = Position::Row;
    }

    /// Returns the flaws found since the last call, each kind once for the whole text.
    pub(super) fn take_flaws(&mut self) -> Vec<(Flaw, u64)> {
        let new = self.flaws.get(self.flaws_taken..).unwrap_or_default().to_vec();
        self.flaws_taken = self.flaws.len();
        new
    }

    fn flaw(&mut self, flaw: Flaw) {
        if self.flaws.iter().all(|(known, _)| *known != flaw) {
            self.flaws.push((flaw, self.offset));
        }
    }

    fn open(&mut self) {
        self.consume(1);
        self.lists = self.lists.saturating_add(1);
        self.had_list = true;
        self.position = Position::Start;
    }

    /// Reads the next row, of at most `max` bytes.
    pub(super) fn next_row(&mut self, max: u64) -> Result<Next, ImportError> {
        loop {
            let Some(byte) = self.peek()? else {
                return Ok(if self.lists > 0 {
                    Next::Truncated
                } else {
                    Next::End
                });
            };
            let follows = self.position == Position::Row;
            match byte {
                b'[' => {
                    if follows {
                        self.flaw(Flaw::Glued);
                    }
                    if self.lists >= self.limits.nesting {
                        return Err(self.too_deep());
                    }
                    self.open();
                    // The rows of the list may span lines.
                    self.lines = false;
                }
                b']' => {
                    if self.lists == 0 {
                        self.flaw(Flaw::Other);
                    } else if self.position == Position::Comma {
                        self.flaw(Flaw::Comma);
                    }
                    self.consume(1);
                    self.lists = self.lists.saturating_sub(1);
                    self.position = Position::Row;
                }
                b',' => {
                    if !follows || self.lists == 0 {
                        self.flaw(Flaw::Comma);
                    }
                    self.consume(1);
                    self.position = Position::Comma;
                }
                b'}' | b':' => {
                    self.flaw(Flaw::Other);
                    self.consume(1);
                }
                _ => {
                    let is_line = !self.had_list && self.new_line;
                    if follows && !is_line {
                        self.flaw(Flaw::Glued);
                    }
                    self.position = Position::Row;
                    return self.value(self.lists, max).map(Next::Row);
                }
            }
        }
    }

    /// Returns the error for text that is nested too deeply.
    pub(super) const fn too_deep(&self) -> ImportError {
        ImportError::TooDeep {
            limit: self.limits.nesting,
            byte: self.offset,
        }
    }

    /// Skips white space, byte order marks and record separators, and returns the next byte without consuming it.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        self.new_line = std::mem::take(&mut self.line_ended);
        loop {
            let buffer = self.input.fill_buf().map_err(import_error)?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let skip = buffer
                .iter()
                .position(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf | 0x1e))
                .unwrap_or(buffer.len());
            let found = buffer.get(skip).copied();
            self.new_line |= buffer.iter().take(skip).any(|byte| *byte == b'\n');
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

    /// Reads the next value: an object or a list up to its closing bracket, anything else up to the next separator. `above` is
    /// the number of enclosing brackets, and `max` is the maximum size in bytes. A value that exceeds a limit is skipped
    /// without being held in memory.
    pub(super) fn value(&mut self, above: u32, max: u64) -> Result<Piece, ImportError> {
        self.row.clear();
        let mut state = Brackets::default();
        let mut bytes = 0_u64;
        let mut exceeded = None;
        loop {
            let buffer = self.input.fill_buf().map_err(import_error)?;
            if buffer.is_empty() {
                let is_scalar = state.depth == 0 && !state.in_string && bytes > 0;
                let piece = if is_scalar {
                    Piece::Complete
                } else {
                    Piece::Truncated
                };
                return Ok(exceeded.unwrap_or(piece));
            }
            let mut consumed = 0_usize;
            let mut ended = false;
            for byte in buffer {
                let outside = state.depth == 0 && !state.in_string;
                if outside && (bytes > 0 || consumed > 0) && ends_scalar(*byte) {
                    ended = true;
                    break;
                }
                consumed = consumed.saturating_add(1);
                state.step(*byte);
                if above.saturating_add(state.depth) > self.limits.nesting {
                    exceeded.get_or_insert(Piece::TooDeep);
                }
                let closed = state.depth == 0 && matches!(byte, b']' | b'}') && !state.in_string;
                if closed || (self.lines && *byte == b'\n') {
                    ended = true;
                    break;
                }
            }
            let buffer_ends_line = consumed.checked_sub(1).and_then(|last| buffer.get(last)) == Some(&b'\n');
            bytes = bytes.saturating_add(consumed as u64);
            if bytes > max {
                exceeded.get_or_insert(Piece::TooLarge);
            }
            if exceeded.is_some() {
                self.row = Vec::new();
            } else {
                self.row
                    .extend_from_slice(buffer.get(..consumed).unwrap_or_default());
            }
            self.line_ended = self.lines && buffer_ends_line;
            self.consume(consumed);
            if ended {
                return Ok(exceeded.unwrap_or(Piece::Complete));
            }
        }
    }
}

/// Whether a byte ends a value that isn't an object, a list or a string.
const fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}' | b'\n')
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

    fn within(limits: ImportLimits, text: &str) -> Splitter<'_> {
        let mut splitter = Splitter::new(Box::new(text.as_bytes()), limits);
        if splitter.peek().expect("text") == Some(b'[') {
            splitter.begin_list();
        } else {
            splitter.begin_objects(true);
            splitter.position = Position::Start;
        }
        splitter
    }

    /// Returns the rows, the end, and the flaws.
    fn split(text: &str) -> (Vec<String>, Next, Vec<Flaw>) {
        let mut splitter = within(ImportLimits::FILE, text);
        let mut rows = Vec::new();
        loop {
            match splitter.next_row(1_000).expect("text") {
                Next::Row(Piece::Complete) => {
                    rows.push(String::from_utf8_lossy(&splitter.row).trim().to_owned());
                }
                Next::Row(piece) => rows.push(format!("{piece:?}")),
                end => {
                    let flaws = splitter.take_flaws();
                    return (rows, end, flaws.into_iter().map(|(flaw, _)| flaw).collect());
                }
            }
        }
    }

    #[test]
    fn rows_on_both_sides_of_a_flaw_are_whole() {
        use Flaw::{Comma, Glued, Other};
        let check = |text: &str, flaws: &[Flaw]| {
            let (rows, end, found) = split(text);
            assert_eq!(rows, [r#"{"a":1}"#, r#"{"b":[2]}"#], "{text}");
            assert_eq!((end, found.as_slice()), (Next::End, flaws), "{text}");
        };
        let good: [&str; 7] = [
            r#"[{"a":1},{"b":[2]}]"#,
            "[{\"a\":1}\n,\r\n{\"b\":[2]}]\n",
            r#"[[{"a":1}],[{"b":[2]}]]"#,
            r#"[[],[{"a":1},{"b":[2]}]]"#,
            "{\"a\":1}\n{\"b\":[2]}",
            "{\"a\":1}\r\n\r\n{\"b\":[2]}\r\n",
            "\u{1e}{\"a\":1}\n\u{1e}{\"b\":[2]}\n",
        ];
        for text in good {
            check(text, &[]);
        }
        check(r#"[{"a":1}][{"b":[2]}]"#, &[Glued]);
        check("[{\"a\":1}]\n\u{feff}[{\"b\":[2]}]", &[Glued]);
        check(r#"[{"a":1}]{"b":[2]}]"#, &[Glued, Other]);
        check(r#"[{"a":1}]{"b":[2]}"#, &[Glued]);
        check(r#"[{"a":1}{"b":[2]}]"#, &[Glued]);
        check(r#"[{"a":1}[{"b":[2]}]]"#, &[Glued]);
        check(r#"{"a":1}{"b":[2]}"#, &[Glued]);
        check("{\"a\":1}\n[{\"b\":[2]}]", &[Glued]);
        check(r#"[{"a":1},,{"b":[2]}]"#, &[Comma]);
        check(r#"[,{"a":1},{"b":[2]}]"#, &[Comma]);
        check(r#"[{"a":1},{"b":[2]},]"#, &[Comma]);
        check(r#"[{"a":1}],[{"b":[2]}]"#, &[Comma]);
        check("{\"a\":1},\n{\"b\":[2]}", &[Comma]);
        check(r#"[{"a":1}},{"b":[2]}]]"#, &[Other]);
    }

    #[test]
    fn other_values_are_rows_of_their_own() {
        let (rows, end, _) = split(r#"[ {"a": "}\"{"} , 7 , null,"x,[" {"b": "#);
        assert_eq!(rows, [r#"{"a": "}\"{"}"#, "7", "null", r#""x,[""#, "Truncated"]);
        assert_eq!(end, Next::Truncated);
        let (rows, end, flaws) = split("nonsense\n{\"a\":\n{\"b\":1}\n{\"c\":\"\n{\"d\":1");
        assert_eq!(
            rows,
            ["nonsense", "{\"a\":", "{\"b\":1}", "{\"c\":\"", "Truncated"]
        );
        assert_eq!((end, flaws.len()), (Next::End, 0));
    }

    #[test]
    fn a_row_that_exceeds_a_limit_is_skipped() {
        let large = format!("\"{}\"", "x".repeat(2_000));
        let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
        let text = format!(r#"[{{"a":{large}}},{{"a":{deep}}},{{"b":1}}]"#);
        let (rows, end, flaws) = split(&text);
        assert_eq!(rows, ["TooLarge", "TooDeep", r#"{"b":1}"#]);
        assert_eq!((end, flaws.len()), (Next::End, 0));
        let mut splitter = within(ImportLimits::FILE, "[[[[");
        splitter.limits.nesting = 3;
        assert!(matches!(
            splitter.next_row(1_000),
            Err(ImportError::TooDeep { limit: 3, byte: 3 })
        ));
    }

    #[test]
    fn every_cut_and_every_byte_in_between_ends() {
        let text = "[{\"a\": \"x\\\"\"}, [7], {\"b\": {\"c\": []}}]{\"d\": 1}\n[{\"e\": 2}]";
        for at in 0..text.len() {
            split(text.get(..at).unwrap_or_default());
            for byte in ["[", "]", "{", "}", ",", "\"", "\\", "\n", ":", "x"] {
                let (before, after) = text.split_at(at);
                let (rows, _, _) = split(&format!("{before}{byte}{after}"));
                assert!(rows.len() <= 12, "{at} {byte}: {rows:?}");
            }
        }
    }
}
