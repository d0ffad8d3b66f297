//! The raw values of a request's fields.

use super::{Field, FieldValue, Fields, IdempotencyKey, Mismatch, Place, Raw};
use crate::{
    failure::{Code, Failure},
    text,
};
use http::HeaderMap;
use serde::{
    Deserializer as _,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{borrow::Cow, fmt};
use watchpost_core::value::{text::ForeignText, word::edit_distance};

/// The maximum number of parameters in a query.
const PARAMETERS_MAX: usize = 64;
/// The maximum number of characters of an unknown name that an error repeats.
const NAME_CHARS_MAX: usize = 40;

/// The raw values of a request's fields.
#[derive(Debug)]
pub(crate) struct Source<'r> {
    path: &'r [(String, String)],
    headers: &'r HeaderMap,
    given: Given<'r>,
}

/// The fields that are neither in the path nor in headers.
#[derive(Debug)]
enum Given<'r> {
    Query(Vec<(Cow<'r, str>, Cow<'r, str>)>),
    Body(Vec<(String, Value)>),
}

impl<'r> Source<'r> {
    /// Reads the query of a request.
    pub(crate) fn of_query(
        path: &'r [(String, String)],
        headers: &'r HeaderMap,
        query: &'r str,
    ) -> Result<Self, Failure> {
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .take(PARAMETERS_MAX + 1)
            .collect();
        if pairs.len() > PARAMETERS_MAX {
            return Err(Failure::invalid(
                Code::InvalidParameter,
                text::too_many_parameters(PARAMETERS_MAX),
            ));
        }
        Ok(Self {
            path,
            headers,
            given: Given::Query(pairs),
        })
    }

    /// Reads the JSON object in the body of a request. An empty body is an empty object.
    pub(crate) fn of_body(
        path: &'r [(String, String)],
        headers: &'r HeaderMap,
        body: &[u8],
    ) -> Result<Self, Failure> {
        let fields = if body.is_empty() {
            Vec::new()
        } else {
            require_json(headers)?;
            let mut reader = serde_json::Deserializer::from_slice(body);
            let fields = reader.deserialize_map(FieldsVisitor);
            let fields = fields.and_then(|fields| reader.end().map(|()| fields));
            fields.map_err(|error| {
                let is_repeated = error.is_data() && error.to_string().starts_with(text::REPEATED_FIELD);
                let message = if is_repeated {
                    text::REPEATED_FIELD
                } else {
                    text::BODY_NOT_AN_OBJECT
                };
                Failure::invalid(Code::InvalidBody, message.to_owned())
            })?
        };
        Ok(Self {
            path,
            headers,
            given: Given::Body(fields),
        })
    }

    /// Parses all fields of a request, and rejects names that the operation doesn't have.
    pub(crate) fn read<F: Fields>(&self) -> Result<F, Failure> {
        self.check_names(F::LIST.iter())?;
        self.check_idempotency_key(F::LIST)?;
        F::read(self)
    }

    /// Parses the fields that select rows. The others are absent.
    pub(crate) fn read_selection<F: Fields>(&self) -> Result<F, Failure> {
        self.check_names(F::LIST.iter().filter(|field| field.selects))?;
        F::read(self)
    }

    /// Rejects names that aren't in a list.
    pub(crate) fn check_names<'f>(&self, list: impl Iterator<Item = &'f Field>) -> Result<(), Failure> {
        let is_in_path = |name: &str| self.path.iter().any(|(other, _)| other == name);
        let allowed: Vec<&'static str> = list
            .filter(|field| field.place == Place::Given && !is_in_path(field.name))
            .map(|field| field.name)
            .collect();
        let unknown = match &self.given {
            Given::Query(pairs) => pairs
                .iter()
                .map(|(name, _)| name.as_ref())
                .find(|name| !allowed.contains(name)),
            Given::Body(fields) => fields
                .iter()
                .map(|(name, _)| name.as_str())
                .find(|name| !allowed.contains(name)),
        };
        let Some(name) = unknown else { return Ok(()) };
        let shown = ForeignText::clean(name, NAME_CHARS_MAX);
        let similar = most_similar(name, allowed.iter().copied());
        let failure = Failure::invalid(
            Code::UnknownParameter,
            text::unknown_parameter(shown.untrusted(), similar, &allowed),
        );
        Err(failure.with_similar(similar))
    }

    /// Rejects an idempotency key for a change that doesn't read it, since the client would rely on it.
    fn check_idempotency_key(&self, list: &[Field]) -> Result<(), Failure> {
        let is_change = matches!(self.given, Given::Body(_));
        let is_read = list.iter().any(|field| field.place == IdempotencyKey::PLACE);
        if is_change && !is_read && self.headers.contains_key(IdempotencyKey::HEADER) {
            return Err(Failure::invalid(
                Code::UnknownParameter,
                text::NO_IDEMPOTENCY_KEY.to_owned(),
            ));
        }
        Ok(())
    }

    /// Parses a field.
    pub(crate) fn field<T: FieldValue>(&self, name: &'static str) -> Result<T, Failure> {
        let raw = self.raw(name, T::PLACE)?;
        if raw.is_none() && T::IS_REQUIRED {
            return Err(
                Failure::invalid(Code::MissingParameter, text::missing_parameter(name)).with_parameter(name),
            );
        }
        T::read(raw.as_ref()).map_err(|Mismatch { reason, similar }| {
            Failure::invalid(
                Code::InvalidParameter,
                text::invalid_parameter(name, &reason, similar),
            )
            .with_parameter(name)
            .with_similar(similar)
        })
    }

    fn raw(&self, name: &str, place: Place) -> Result<Option<Raw<'_>>, Failure> {
        if let Place::Header(header) = place {
            let mut values = self.headers.get_all(header).iter();
            let Some(value) = values.next() else {
                return Ok(None);
            };
            let text = value.to_str().ok().filter(|_| values.next().is_none());
            let text =
                text.ok_or_else(|| Failure::invalid(Code::InvalidParameter, text::invalid_header(header)))?;
            return Ok(Some(Raw::Text(vec![Cow::Borrowed(text)])));
        }
        if let Some((_, value)) = self.path.iter().find(|(other, _)| other == name) {
            return Ok(Some(Raw::Text(vec![Cow::Borrowed(value)])));
        }
        Ok(match &self.given {
            Given::Query(pairs) => {
                let values: Vec<Cow<'_, str>> = pairs
                    .iter()
                    .filter(|(other, _)| other == name)
                    .map(|(_, value)| Cow::Borrowed(value.as_ref()))
                    .collect();
                (!values.is_empty()).then_some(Raw::Text(values))
            }
            Given::Body(fields) => fields
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, value)| Raw::Json(value)),
        })
    }
}

/// Requires the media type of JSON for a body.
fn require_json(headers: &HeaderMap) -> Result<(), Failure> {
    let given = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Failure::invalid(
            Code::UnsupportedMediaType,
            text::CONTENT_TYPE_JSON.to_owned(),
        ))
    }
}

/// Returns the name that is most similar to a text, if at most a third of it differs.
pub(crate) fn most_similar(text: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let text: String = text.chars().take(64).collect::<String>().to_ascii_lowercase();
    names
        .map(|name| (edit_distance(&text, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// Reads an object, and rejects one with a repeated name: parsers differ on which value counts.
struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.len() >= PARAMETERS_MAX || fields.iter().any(|(other, _)| *other == name) {
                return Err(serde::de::Error::custom(text::REPEATED_FIELD));
            }
            fields.push((name, value));
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{Flag, Id, Limit, Line, Many, NoFields, Whole, fields};
    use watchpost_core::{
        audit::{AuditKey, Reduced},
        value::{id::FindingId, word::Severity},
    };

    fields! {
        struct Sample {
            /// The id.
            id: Id<FindingId>,
            /// Severities.
            severity: Many<Severity>,
            /// A number.
            days: Option<Whole<1, 90>>,
            /// A flag.
            fresh: Option<Flag>,
            /// A text.
            note: Option<Line<10>>,
            /// Rows.
            limit: Limit<25>,
            /// Once.
            idempotency_key: Option<IdempotencyKey>,
        }
    }

    const ID: &str = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

    fn path() -> Vec<(String, String)> {
        vec![("id".to_owned(), ID.to_owned())]
    }

    fn query(text: &str) -> Result<String, String> {
        let (path, headers) = (path(), HeaderMap::new());
        let source = Source::of_query(&path, &headers, text).map_err(|failure| failure.detail)?;
        source
            .read::<Sample>()
            .map(|sample| reduced(&sample))
            .map_err(|failure| failure.detail)
    }

    fn reduced(sample: &Sample) -> String {
        let key = AuditKey::new([1; 32]);
        let mut out = Reduced::new(&key);
        sample.reduce(&mut out);
        out.text()
    }

    fn body(text: &str, media_type: &'static str) -> Result<String, String> {
        let path = path();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(media_type));
        let source = Source::of_body(&path, &headers, text.as_bytes()).map_err(|failure| failure.detail)?;
        source
            .read::<Sample>()
            .map(|sample| reduced(&sample))
            .map_err(|failure| failure.detail)
    }

    #[test]
    fn a_query_and_a_body_with_the_same_values_are_the_same_request() {
        let from_query = query("severity=high,critical&days=7&fresh=true&note=abc&limit=3").unwrap();
        let repeated = query("severity=critical&severity=high&days=7&fresh=true&note=abc&limit=3").unwrap();
        assert_eq!(from_query, repeated);
        let json = r#"{"severity":["critical","high"],"days":7,"fresh":true,"note":"abc","limit":3}"#;
        assert_eq!(body(json, "application/json; charset=utf-8").unwrap(), from_query);
        assert!(
            from_query.contains(r#""severity":["critical","high"]"#),
            "{from_query}"
        );
        assert!(from_query.contains(&format!(r#""id":"{ID}""#)) && !from_query.contains("abc"));
    }

    #[test]
    fn what_an_operation_does_not_take_is_an_error_with_the_most_similar_name() {
        let error = |text: &str| query(text).unwrap_err();
        assert!(
            error("severty=high").contains("did you mean `severity`?"),
            "{}",
            error("severty=high")
        );
        assert!(
            error("severity=hihg").contains("did you mean `high`?"),
            "{}",
            error("severity=hihg")
        );
        assert!(
            error("severity=").contains("must be one of"),
            "{}",
            error("severity=")
        );
        assert!(
            error("id=1").contains("unknown parameter `id`"),
            "{}",
            error("id=1")
        );
        assert!(
            error("zzzzzz=1").contains("takes severity, days, fresh, note, limit"),
            "{}",
            error("zzzzzz=1")
        );
        for wrong in [
            "days=0",
            "days=91",
            "days=7.5",
            "days=+7",
            "days=07",
            "days=7&days=8",
            "days=",
            "limit=0",
            "limit=201",
            "fresh=1",
            "fresh=True",
            "note=",
            "note=12345678901",
        ] {
            assert!(query(wrong).is_err(), "{wrong}");
        }
        assert!(query("").is_ok());
        let many = vec!["severity=high"; PARAMETERS_MAX + 1].join("&");
        assert!(query(&many).is_err());
    }

    #[test]
    fn only_one_object_with_distinct_names_is_a_body() {
        for wrong in [
            "[]",
            "{",
            "{}{}",
            "null",
            "7",
            r#"{"days":7,"days":8}"#,
            r#"{"days":"7"}"#,
            r#"{"days":7.5}"#,
            r#"{"days":null}"#,
            r#"{"severity":[["high"]]}"#,
            r#"{"note":7}"#,
            r#"{"fresh":"true"}"#,
            r#"{"id":"x"}"#,
            "\u{feff}{}",
        ] {
            assert!(body(wrong, "application/json").is_err(), "{wrong}");
        }
        assert!(body("{}", "text/plain").is_err());
        assert!(body("", "text/plain").is_ok());
        assert!(
            body(r#"{"days":7.0}"#, "application/json").is_ok(),
            "JSON has one kind of number"
        );
    }

    #[test]
    fn the_idempotency_key_is_a_header() {
        let path = path();
        let mut headers = HeaderMap::new();
        let read = |headers: &HeaderMap| {
            let source = Source::of_query(&path, headers, "").unwrap();
            source
                .read::<Sample>()
                .map(|sample| reduced(&sample).contains("idempotency_key"))
        };
        assert!(!read(&headers).unwrap());
        headers.insert("idempotency-key", http::HeaderValue::from_static("abc"));
        assert!(read(&headers).unwrap());
        headers.append("idempotency-key", http::HeaderValue::from_static("abd"));
        assert!(read(&headers).is_err(), "two keys");
        headers.insert("idempotency-key", http::HeaderValue::from_static("a b"));
        assert!(read(&headers).is_err(), "a space");
        assert!(
            query("idempotency_key=abc").is_err(),
            "not a parameter of the query"
        );
    }

    #[test]
    fn a_change_that_reads_no_idempotency_key_rejects_one() {
        let (path, mut headers) = (Vec::new(), HeaderMap::new());
        let read = |headers: &HeaderMap| {
            let source = Source::of_body(&path, headers, b"").unwrap();
            source.read::<NoFields>().map_err(|failure| failure.code)
        };
        assert!(read(&headers).is_ok());
        headers.insert("idempotency-key", http::HeaderValue::from_static("abc"));
        assert_eq!(read(&headers).unwrap_err(), Code::UnknownParameter);
        let source = Source::of_query(&path, &headers, "").unwrap();
        assert!(source.read::<NoFields>().is_ok(), "reading again is harmless");
    }
}
