//! Arguments of tools: values as models write them, one pass from the raw text into the tool's input struct, and
//! errors that name the field and say what would be right.

use crate::error::Failure;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, Unexpected, Visitor},
};
use std::{borrow::Cow, fmt, marker::PhantomData};
use watchpost_core::{
    app::AppLookup,
    audit::AuditKey,
    check::{CheckResult, Framework, ScanType, Service},
    identity::normal_address,
    report::ReportKind,
    value::{
        id::FindingId,
        word::{AppPolicy, Category, DismissReason, FindingStatus, Platform, RunState, Severity},
    },
};

/// Values that one list takes at the most: each closed list has fewer words.
const LIST_MAX: usize = 32;
/// Characters of an unknown argument's name that an error repeats at the most.
const ECHOED_NAME_MAX: usize = 64;

/// What every tool's input struct can do.
pub(crate) trait Arguments: DeserializeOwned + JsonSchema {
    /// Puts the arguments into the form in which the audit log keeps them.
    ///
    /// Two calls with equal arguments reduce alike; `idempotency_key` is left out.
    fn reduce(&self, out: &mut Reduced<'_>);
    /// The key under which the call takes effect at most once, if the tool takes one and it was given.
    fn idempotency_key(&self) -> Option<&str> {
        None
    }
}

/// A tool that takes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoArguments {}

impl Arguments for NoArguments {
    fn reduce(&self, _: &mut Reduced<'_>) {}
}

/// Parses the arguments of a call. Absent ones are an empty object.
pub(crate) fn parse<I: Arguments>(tool: &str, raw: Option<&str>) -> Result<I, Failure> {
    let text = raw.unwrap_or("{}");
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        Failure::invalid(explain::<I>(tool, &path, &error.into_inner().to_string()))
    })
}

/// Turns a parser's message into one for a model. Of the caller's own text only a number, or the cleaned name of an
/// unknown argument, is repeated.
fn explain<I: Arguments>(tool: &str, path: &str, message: &str) -> String {
    let message = message
        .rfind(" at line ")
        .and_then(|at| message.get(..at))
        .unwrap_or(message);
    if message.starts_with("unknown field") {
        let name: String = path
            .chars()
            .take(ECHOED_NAME_MAX)
            .map(|c| {
                if c.is_ascii_alphanumeric() || "_-.".contains(c) {
                    c
                } else {
                    '?'
                }
            })
            .collect();
        let schema = crate::schema::of_input::<I>();
        let allowed: Vec<&str> = schema
            .get("properties")
            .and_then(|properties| properties.as_object())
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        return if allowed.is_empty() {
            format!("unknown argument `{name}`: `{tool}` takes no arguments")
        } else {
            format!("unknown argument `{name}`: `{tool}` takes {}", allowed.join(", "))
        };
    }
    if let Some(rest) = message.strip_prefix("missing field `") {
        let name = rest.trim_end_matches('`');
        return format!("`{name}` is missing: `{tool}` needs it");
    }
    let Some((_, expected)) = message.rsplit_once(", expected ") else {
        return format!("the arguments of `{tool}` can't be read: give one JSON object");
    };
    if path == "." || path == "?" {
        return format!("the arguments of `{tool}` must be one JSON object");
    }
    let got = ["invalid value: integer `", "invalid value: floating point `"]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix))
        .and_then(|rest| rest.split('`').next());
    match got {
        Some(number) => format!("`{path}` must be {expected}, not {number}"),
        None => format!("`{path}` must be {expected}"),
    }
}

/// A closed list of words that arguments use.
pub(crate) trait WordList: Copy + Ord + 'static {
    /// All words, in the order in which the schema shows them.
    const WORDS: &'static [Self];
    /// A word's text.
    fn text(self) -> &'static str;
    /// A second spelling of a word.
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

/// One word of a closed list.
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
        T::WORDS
            .iter()
            .copied()
            .find(|word| word.text() == text)
            .or_else(|| T::other_spelling(text))
            .map(Word)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de, T: WordList> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor(PhantomData))
    }
}

fn words_schema<T: WordList>() -> Schema {
    let words: Vec<&str> = T::WORDS.iter().map(|word| word.text()).collect();
    json_schema!({ "type": "string", "enum": words })
}

impl<T: WordList> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_schema::<T>()
    }
}

/// Several words of a closed list, sorted and without repeats. A bare string is a list of one.
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
    /// Whether the list is empty (no condition) or contains the word.
    pub(crate) fn admits(&self, word: T) -> bool {
        self.0.is_empty() || self.0.contains(&word)
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: WordList> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of at most 32 words, each ")?;
        WordVisitor::<T>(PhantomData).expecting(f)
    }
    fn visit_unit<E: de::Error>(self) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Many<T>, E> {
        let Word(word) = WordVisitor(PhantomData).visit_str(text)?;
        Ok(Many(vec![word]))
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

impl<T: WordList> JsonSchema for Many<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Many".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": words_schema::<T>() })
    }
}

/// A string of 1 to `MAX` characters after white space at the ends is cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

struct LineVisitor<const MAX: usize>;

impl<const MAX: usize> Visitor<'_> for LineVisitor<MAX> {
    type Value = Line<MAX>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string of 1 to {MAX} characters")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Line<MAX>, E> {
        let text = text.trim();
        // Bytes first: counting the characters of a huge string costs.
        if text.is_empty() || text.len() > MAX.saturating_mul(4) || text.chars().count() > MAX {
            return Err(E::invalid_value(
                Unexpected::Other("a string of another length"),
                &self,
            ));
        }
        Ok(Line(text.to_owned()))
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Line<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LineVisitor)
    }
}

impl<const MAX: usize> JsonSchema for Line<MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Line".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A whole number within bounds; `25.0` is one, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: i64, const MAX: i64>(pub i64);

struct WholeVisitor<const MIN: i64, const MAX: i64>;

impl<const MIN: i64, const MAX: i64> Visitor<'_> for WholeVisitor<MIN, MAX> {
    type Value = Whole<MIN, MAX>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        if (MIN..=MAX).contains(&number) {
            Ok(Whole(number))
        } else {
            Err(E::invalid_value(Unexpected::Signed(number), &self))
        }
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        // Bounds are small, so a whole number within them is exact as a float: compare candidates, cast nothing.
        (MIN..=MAX)
            .find(|whole| i32::try_from(*whole).is_ok_and(|whole| f64::from(whole) == number))
            .map(Whole)
            .ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A key that makes a repeated call take effect once: 1 to 64 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnceKey(String);

impl OnceKey {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters of a key at the most.
const ONCE_KEY_MAX: usize = 64;

struct OnceKeyVisitor;

impl Visitor<'_> for OnceKeyVisitor {
    type Value = OnceKey;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a string of 1 to {ONCE_KEY_MAX} visible ASCII characters without blanks"
        )
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<OnceKey, E> {
        let fits =
            (1..=ONCE_KEY_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(E::invalid_value(Unexpected::Other("another string"), &self));
        }
        Ok(OnceKey(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for OnceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceKeyVisitor)
    }
}

impl JsonSchema for OnceKey {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "OnceKey".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A finding's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FindingArg(pub FindingId);

struct FindingVisitor;

impl Visitor<'_> for FindingVisitor {
    type Value = FindingArg;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the id of a finding as `list_findings` gives it, like 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
        )
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<FindingArg, E> {
        text.trim()
            .parse()
            .map(FindingArg)
            .map_err(|_| E::invalid_value(Unexpected::Other("another string"), &self))
    }
}

impl<'de> Deserialize<'de> for FindingArg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FindingVisitor)
    }
}

impl JsonSchema for FindingArg {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "FindingId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A name or id of an app, as a look-up.
pub(crate) fn app_lookups(text: &str) -> Vec<AppLookup> {
    // A vendor's own id of an app may look like one of ours: ours first, then by name.
    let by_name = AppLookup::Name(text.to_owned());
    match text.parse() {
        Ok(id) => vec![AppLookup::Id(id), by_name],
        Err(_) => vec![by_name],
    }
}

/// The arguments of a call as the audit log keeps them: one JSON object in canonical text (names sorted). What is on
/// the safe list (closed words, numbers, ids) stands in the clear; every other string as an HMAC.
#[derive(Clone)]
pub(crate) struct Reduced<'k> {
    key: &'k AuditKey,
    fields: Vec<(&'static str, String)>,
}

impl<'k> Reduced<'k> {
    pub(crate) fn new(key: &'k AuditKey) -> Self {
        Self {
            key,
            fields: Vec::new(),
        }
    }

    /// A list of words; an empty one is left out.
    pub(crate) fn words<T: WordList>(&mut self, name: &'static str, words: &[T]) {
        if !words.is_empty() {
            let list: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.text())).collect();
            self.fields.push((name, format!("[{}]", list.join(","))));
        }
    }
    /// One word of ours.
    pub(crate) fn word(&mut self, name: &'static str, word: &str) {
        self.fields.push((name, format!("\"{word}\"")));
    }
    /// A number.
    pub(crate) fn number(&mut self, name: &'static str, number: Option<i64>) {
        if let Some(number) = number {
            self.fields.push((name, number.to_string()));
        }
    }
    /// An id of ours, if it is one; any other text as a digest.
    pub(crate) fn id(&mut self, name: &'static str, text: Option<&str>) {
        match text {
            Some(text) if text.parse::<FindingId>().is_ok() => self.word(name, text),
            other => self.secret(name, other),
        }
    }
    /// A finding's id.
    pub(crate) fn finding(&mut self, id: FindingArg) {
        self.fields.push(("finding_id", format!("\"{}\"", id.0)));
    }
    /// An address: the same person gives the same digest, however written.
    pub(crate) fn address(&mut self, name: &'static str, text: &str) {
        let normal = normal_address(text);
        let digest = self.key.digest(normal.as_deref().unwrap_or(text));
        self.word(name, &digest);
    }
    /// Any other string.
    pub(crate) fn secret(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            let digest = self.key.digest(text);
            self.word(name, &digest);
        }
    }

    /// The object's text.
    pub(crate) fn finish(mut self) -> String {
        self.fields.sort_unstable_by_key(|(name, _)| *name);
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    }
}
