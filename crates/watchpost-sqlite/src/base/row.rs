//! Columns to words, ids, times and texts. Nothing here trusts the file: what can't be read is damaged, not a panic.
//!
//! # Words that this version doesn't know
//! A newer version on the same file may have written a word that this one doesn't know. Such a row stops nothing:
//! - A word that has a least one is read as that (see the table of `stored_words!`): an unknown status of an integration
//!   is disconnected, an unknown collection is failed, an unknown account is never active, an unknown decision about an
//!   app is none.
//! - Any other makes the row unreadable ([`Fault::Unknown`]). Whoever goes over many rows passes over it
//!   ([`super::unknown::known_rows`]): a job of an unknown kind or state isn't leased, a finding of an unknown status
//!   is neither open nor ended, a key of an unknown scope doesn't authenticate. Whoever asks for that row alone is told
//!   that it is damaged, and so is whoever reads the audit log, which is never shown with a gap.
//! - An optional word that isn't known is none.
//!
//! What is written back is never a word that was read in place of an unknown one. Each unknown word is counted (see
//! [`super::unknown`]).

use crate::base::{
    fault::{Fault, Res},
    unknown,
};
use rusqlite::{Row, types::ValueRef};
use watchpost_core::value::{
    text::{DESCRIPTION_CHARS_MAX, ForeignText},
    time::Timestamp,
};

/// A closed list of words that a column holds by code.
pub(crate) trait Word: Sized + Copy {
    /// What a code counts as that this version doesn't know: never more than any word that it knows. `None`: the row
    /// can't be read.
    const LEAST: Option<Self>;
    /// The word at a position.
    fn at(code: u8) -> Option<Self>;
    /// Its position.
    fn position(self) -> u8;
}

macro_rules! stored_words {
    (@least $name:path) => { None };
    (@least $name:path, $least:ident) => { Some(<$name>::$least) };
    ($($name:path $(= $least:ident)?),+ $(,)?) => {$(
        impl Word for $name {
            const LEAST: Option<Self> = stored_words!(@least $name $(, $least)?);
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
);

/// A word's code as SQLite takes it.
pub(crate) fn code(word: impl Word) -> i64 {
    i64::from(word.position())
}

/// Reading columns by position.
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

impl Columns for Row<'_> {
    fn word<T: Word>(&self, i: usize) -> Res<T> {
        word_of(self.get(i)?)
    }
    fn word_opt<T: Word>(&self, i: usize) -> Res<Option<T>> {
        Ok(self.get::<_, Option<i64>>(i)?.and_then(|code| word_of(code).ok()))
    }
    fn id<T>(&self, i: usize, make: fn([u8; 16]) -> T) -> Res<T> {
        match self.get_ref(i)? {
            ValueRef::Blob(bytes) => bytes
                .try_into()
                .map(make)
                .map_err(|_| Fault::Damaged("ids", format!("an id of {} bytes", bytes.len()))),
            other => Err(Fault::Damaged(
                "ids",
                format!("an id that is {:?}", other.data_type()),
            )),
        }
    }
    fn text(&self, i: usize) -> Res<ForeignText> {
        Ok(foreign(str_of(self.get_ref(i)?)?))
    }
    fn text_opt(&self, i: usize) -> Res<Option<ForeignText>> {
        match self.get_ref(i)? {
            ValueRef::Null => Ok(None),
            value => Ok(Some(foreign(str_of(value)?))),
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
        u64::try_from(value).map_err(|_| Fault::Damaged("counts", format!("a count of {value}")))
    }
    fn texts(&self, i: usize) -> Res<Vec<ForeignText>> {
        texts_of(str_of(self.get_ref(i)?)?)
    }
}

fn word_of<T: Word>(code: i64) -> Res<T> {
    let known = u8::try_from(code).ok().and_then(T::at);
    known
        .or_else(|| {
            unknown::count();
            T::LEAST
        })
        .ok_or_else(|| Fault::Unknown(format!("no word has the code {code}")))
}

/// The text of a value.
pub(crate) fn str_of(value: ValueRef<'_>) -> Res<&str> {
    value
        .as_str()
        .map_err(|error| Fault::Damaged("texts", error.to_string()))
}

/// Text as it was cleaned when it was stored: cleaning again changes nothing but costs next to nothing, and holds
/// against a file that somebody edited.
pub(crate) fn foreign(raw: &str) -> ForeignText {
    ForeignText::clean(raw, DESCRIPTION_CHARS_MAX)
}

/// A JSON array of texts.
pub(crate) fn texts_of(json: &str) -> Res<Vec<ForeignText>> {
    if json == "[]" {
        return Ok(Vec::new());
    }
    let raw: Vec<std::borrow::Cow<'_, str>> =
        serde_json::from_str(json).map_err(|error| Fault::Damaged("texts", error.to_string()))?;
    Ok(raw.iter().map(|text| foreign(text)).collect())
}

/// Texts as a JSON array.
pub(crate) fn texts_json(texts: &[ForeignText]) -> String {
    serde_json::to_string(texts).unwrap_or_else(|_| "[]".into())
}

/// A count as SQLite keeps it.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
