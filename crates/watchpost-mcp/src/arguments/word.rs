//! Words from closed lists, one or several.

use super::{ArgumentValue, Reduced, lenient};
use crate::{schema::inline_schema, text::arguments::expect_list};
use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected, Visitor},
};
use std::{fmt, marker::PhantomData};
use watchpost_core::{
    check::{CheckResult, Framework, ScanType, Service},
    report::ReportKind,
    value::word::{AppPolicy, Category, DismissReason, FindingStatus, Platform, RunState, Severity},
};

/// The maximum number of values that a list takes. Each closed list has fewer words.
const LIST_MAX: usize = 32;

/// A closed list of words that an argument takes.
pub(crate) trait WordList: Copy + Ord + 'static {
    /// All words, in the order of the schema.
    const WORDS: &'static [Self];
    /// Returns the word's text.
    fn text(self) -> &'static str;
    /// Parses an alternative spelling of a word.
    fn other_spelling(_: &str) -> Option<Self> {
        None
    }
}

macro_rules! word_lists {
    ($($name:ident),+) => {$(
        impl WordList for $name {
            const WORDS: &'static [Self] = Self::ALL;
            fn text(self) -> &'static str { self.as_str() }
        }
    )+};
}
word_lists!(
    Severity,
    Category,
    FindingStatus,
    Platform,
    DismissReason,
    ScanType,
    CheckResult,
    RunState,
    ReportKind
);

impl WordList for Framework {
    const WORDS: &'static [Self] = Self::ALL;
    fn text(self) -> &'static str {
        self.as_str()
    }
    fn other_spelling(text: &str) -> Option<Self> {
        Self::from_name(text)
    }
}

impl WordList for Service {
    const WORDS: &'static [Self] = Self::ALL;
    fn text(self) -> &'static str {
        self.as_str()
    }
    fn other_spelling(text: &str) -> Option<Self> {
        Self::from_name(text)
    }
}

impl WordList for AppPolicy {
    const WORDS: &'static [Self] = &[Self::Sanctioned, Self::Unauthorized, Self::Blocked, Self::None];
    fn text(self) -> &'static str {
        self.as_str()
    }
    fn other_spelling(text: &str) -> Option<Self> {
        (text == "clear").then_some(Self::None)
    }
}

/// One word from a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word<T>(pub T);

struct WordVisitor<T>(PhantomData<T>);

impl<T: WordList> Visitor<'_> for WordVisitor<T> {
    type Value = Word<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one of: ")?;
        for (at, word) in T::WORDS.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { "; " }, word.text())?;
        }
        Ok(())
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Word<T>, E> {
        let plain = lenient::word(text);
        T::WORDS
            .iter()
            .copied()
            .find(|word| word.text() == plain)
            .or_else(|| T::other_spelling(text))
            .or_else(|| T::other_spelling(&plain))
            .map(Word)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de, T: WordList> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor(PhantomData))
    }
}

/// The texts of all words, for the schema.
fn words<T: WordList>() -> Vec<&'static str> {
    T::WORDS.iter().map(|word| word.text()).collect()
}

inline_schema!(Word<T>, [T: WordList], "Word", { "type": "string", "enum": words::<T>() });

/// Words from a closed list, sorted and without duplicates. A list can also be text: one word, words with commas, or JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Many<T>(Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: WordList> Many<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        &self.0
    }
    /// Whether the word passes this filter: the list contains it or is empty.
    pub(crate) fn admits(&self, word: T) -> bool {
        self.0.is_empty() || self.0.contains(&word)
    }
}

impl<T: WordList> ArgumentValue for Word<T> {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.word(name, self.0.text());
    }
}

impl<T: WordList> ArgumentValue for Many<T> {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        let words: Vec<&str> = self.0.iter().map(|word| word.text()).collect();
        out.words(name, &words);
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: WordList> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_list(f, LIST_MAX)?;
        WordVisitor::<T>(PhantomData).expecting(f)
    }
    fn visit_unit<E: de::Error>(self) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Many<T>, E> {
        let list = lenient::list(text).ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))?;
        if list.len() > LIST_MAX {
            return Err(E::invalid_length(list.len(), &self));
        }
        let words = list
            .iter()
            .map(|text| WordVisitor(PhantomData).visit_str(text).map(|Word(word)| word));
        let mut words: Vec<T> = words.collect::<Result<_, E>>()?;
        words.sort_unstable();
        words.dedup();
        Ok(Many(words))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Many<T>, A::Error> {
        let mut words = Vec::new();
        while let Some(Word(word)) = list.next_element()? {
            if words.len() >= LIST_MAX {
                return Err(de::Error::invalid_length(words.len(), &self));
            }
            words.push(word);
        }
        words.sort_unstable();
        words.dedup();
        Ok(Many(words))
    }
}

impl<'de, T: WordList> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

inline_schema!(Many<T>, [T: WordList], "Many", {
    "type": "array", "items": { "type": "string", "enum": words::<T>() }
});
