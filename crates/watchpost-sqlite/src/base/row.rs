//! Conversion of columns to words, ids, times and texts. The file isn't trusted: a value that can't be read is reported
//! as damaged and never causes a panic.
//!
//! # Words that this version doesn't know
//! A newer version that uses the same file may have written a word that this version doesn't know. Such a row doesn't
//! stop anything:
//! - A type with a fallback (see the list in `stored_words!`) reads an unknown word as that fallback: an unknown status
//!   of an integration reads as disconnected, an unknown state of a collection as failed, an unknown status of an account
//!   as pending, which is never active, an unknown policy of an app as none.
//! - For any other type the row is unreadable ([`Fault::Unknown`]). Lists skip it ([`super::unknown::known_rows`]): a job
//!   of an unknown kind or state isn't leased, a finding of an unknown status is neither open nor ended, a key of an
//!   unknown scope doesn't authenticate. A read of that row alone reports it as damaged, and so does any read of the
//!   audit log, which is never shown with a gap.
//! - An unknown word in an optional column reads as `None`.
//!
//! A fallback is never written back. Each unknown word is counted (see [`super::unknown`]).

use crate::{
    base::{
        fault::{Fault, Res},
        unknown,
    },
    text,
};
use rusqlite::{Row, types::ValueRef};
use watchpost_core::value::{
    id::FindingId,
    text::{DESCRIPTION_CHARS_MAX, ForeignText},
    time::Timestamp,
};

/// A closed list of words that a column stores by their code.
pub(crate) trait Word: Sized + Copy {
    /// The word that an unknown code is read as. It must not allow more than any known word does. `None` if a row with
    /// an unknown code can't be read.
    const FALLBACK: Option<Self>;
    /// Returns the word with the code.
    fn at(code: u8) -> Option<Self>;
    /// Returns the word's code, which is its position in the list.
    fn position(self) -> u8;
}

macro_rules! stored_words {
    (@fallback $name:path) => { None };
    (@fallback $name:path, $fallback:ident) => { Some(<$name>::$fallback) };
    ($($name:path $(= $fallback:ident)?),+ $(,)?) => {$(
        impl Word for $name {
            const FALLBACK: Option<Self> = stored_words!(@fallback $name $(, $fallback)?);
            fn at(code: u8) -> Option<Self> { Self::from_code(code) }
            fn position(self) -> u8 { self.code() }
        }
    )+};
}

stored_words!(
    watchpost_core::access::KeyScope,
    watchpost_core::access::OnceTokenKind,
    watchpost_core::audit::ActorKind,
    watchpost_core::audit::AuditOutcome,
    watchpost_core::check::CheckResult,
    watchpost_core::check::Framework,
    watchpost_core::check::ScanType,
    watchpost_core::check::Service,
    watchpost_core::check::SkipReason,
    watchpost_core::integration::Doubt,
    watchpost_core::integration::fact::Dataset,
    watchpost_core::import::ExceptionKind,
    watchpost_core::import::ImportFormat,
    watchpost_core::import::ImportTool,
    watchpost_core::job::JobKind,
    watchpost_core::scan::ScanTrigger,
    watchpost_core::value::word::AccountKind = Service,
    watchpost_core::value::word::AccountStatus = Pending,
    watchpost_core::value::word::AppPolicy = None,
    watchpost_core::value::word::Category,
    watchpost_core::value::word::CollectionState = Failed,
    watchpost_core::value::word::DismissReason,
    watchpost_core::value::word::EntityType,
    watchpost_core::value::word::FindingStatus,
    watchpost_core::value::word::GrantKind,
    watchpost_core::value::word::GrantRisk,
    watchpost_core::value::word::IntegrationStatus = Disconnected,
    watchpost_core::value::word::Mfa = Unknown,
    watchpost_core::value::word::Platform,
    watchpost_core::value::word::RemediationState,
    watchpost_core::value::word::RoleHold = Unknown,
    watchpost_core::value::word::RunState,
    watchpost_core::value::word::Severity,
    watchpost_core::value::word::TokenNetwork,
);

/// Returns a word's code as a value for SQLite.
pub(crate) fn code(word: impl Word) -> i64 {
    i64::from(word.position())
}

/// Reads columns by position.
pub(crate) trait Columns {
    fn word<T: Word>(&self, i: usize) -> Res<T>;
    fn word_opt<T: Word>(&self, i: usize) -> Res<Option<T>>;
    fn id<T>(&self, i: usize, make: fn([u8; 16]) -> T) -> Res<T>;
    fn text(&self, i: usize) -> Res<ForeignText>;
    fn text_opt(&self, i: usize) -> Res<Option<ForeignText>>;
    fn time(&self, i: usize) -> Res<Timestamp>;
    fn time_opt(&self, i: usize) -> Res<Option<Timestamp>>;
    fn count(&self, i: usize) -> Res<u64>;
    fn texts(&self, i: usize) -> Res<Vec<ForeignText>>;
}

/// Returns an id as it is shown everywhere, or `None` if the bytes are none.
pub(crate) fn id_text(bytes: &[u8]) -> Option<String> {
    // All ids are shown alike.
    let id = <[u8; 16]>::try_from(bytes).ok()?;
    Some(FindingId::from_bytes(id).to_string())
}

/// Names the column of a value that can't be read, and the first id in the row, by which an administrator finds it.
fn in_row(row: &Row<'_>, i: usize, fault: Fault) -> Fault {
    let name = |i| row.as_ref().column_name(i).unwrap_or_default();
    let id = || {
        (0..row.as_ref().column_count()).find_map(|i| match row.get_ref(i) {
            Ok(ValueRef::Blob(bytes)) => id_text(bytes).map(|id| (name(i), id)),
            _ => None,
        })
    };
    match fault {
        Fault::Unknown(problem) => Fault::Unknown(text::in_row(&problem, name(i), id())),
        Fault::Value(problem) => Fault::Value(text::in_row(&problem, name(i), id())),
        other => other,
    }
}

impl Columns for Row<'_> {
    fn word<T: Word>(&self, i: usize) -> Res<T> {
        word_from_code(self.get(i)?).map_err(|fault| in_row(self, i, fault))
    }
    fn word_opt<T: Word>(&self, i: usize) -> Res<Option<T>> {
        Ok(self
            .get::<_, Option<i64>>(i)?
            .and_then(|code| word_from_code(code).ok()))
    }
    fn id<T>(&self, i: usize, make: fn([u8; 16]) -> T) -> Res<T> {
        match self.get_ref(i)? {
            ValueRef::Blob(bytes) => bytes
                .try_into()
                .map(make)
                .map_err(|_| text::id_of_wrong_length(bytes.len())),
            other => Err(text::id_of_wrong_type(other.data_type())),
        }
        .map_err(|problem| in_row(self, i, Fault::Value(problem)))
    }
    fn text(&self, i: usize) -> Res<ForeignText> {
        let text = str_of(self.get_ref(i)?).map_err(|fault| in_row(self, i, fault))?;
        Ok(foreign(text))
    }
    fn text_opt(&self, i: usize) -> Res<Option<ForeignText>> {
        match self.get_ref(i)? {
            ValueRef::Null => Ok(None),
            _ => self.text(i).map(Some),
        }
    }
    fn time(&self, i: usize) -> Res<Timestamp> {
        Ok(Timestamp::from_millis(self.get(i)?))
    }
    fn time_opt(&self, i: usize) -> Res<Option<Timestamp>> {
        Ok(self.get::<_, Option<i64>>(i)?.map(Timestamp::from_millis))
    }
    fn count(&self, i: usize) -> Res<u64> {
        let value: i64 = self.get(i)?;
        u64::try_from(value).map_err(|_| in_row(self, i, Fault::Value(text::negative_count(value))))
    }
    fn texts(&self, i: usize) -> Res<Vec<ForeignText>> {
        str_of(self.get_ref(i)?)
            .and_then(parse_texts)
            .map_err(|fault| in_row(self, i, fault))
    }
}

fn word_from_code<T: Word>(code: i64) -> Res<T> {
    let known = u8::try_from(code).ok().and_then(T::at);
    known
        .or_else(|| {
            unknown::count();
            T::FALLBACK
        })
        .ok_or_else(|| Fault::Unknown(text::unknown_code(code)))
}

/// Returns the text of a value.
pub(crate) fn str_of(value: ValueRef<'_>) -> Res<&str> {
    value.as_str().map_err(|error| Fault::Value(error.to_string()))
}

/// Returns text that was cleaned when it was stored. Cleaning it again costs next to nothing and changes nothing, except
/// in a file that somebody has edited.
pub(crate) fn foreign(raw: &str) -> ForeignText {
    ForeignText::clean(raw, DESCRIPTION_CHARS_MAX)
}

/// Parses a JSON array of texts.
pub(crate) fn parse_texts(json: &str) -> Res<Vec<ForeignText>> {
    if json == "[]" {
        return Ok(Vec::new());
    }
    let raw: Vec<std::borrow::Cow<'_, str>> =
        serde_json::from_str(json).map_err(|error| Fault::Value(error.to_string()))?;
    Ok(raw.iter().map(|text| foreign(text)).collect())
}

/// Writes texts as a JSON array.
pub(crate) fn texts_json(texts: &[ForeignText]) -> String {
    serde_json::to_string(texts).unwrap_or_else(|_| "[]".into())
}

/// Converts a count to an integer of SQLite.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
