//! Fields of a form: their types and constraints, and the check of a value.

use crate::revision::Revision;
use serde_json::{Map, Value, json};

/// A field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub(super) kind: Kind,
    title: Option<String>,
    description: Option<String>,
    pub(super) required: bool,
}

/// The required format of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// An email address.
    Email,
    /// An absolute URI.
    Uri,
    /// A date, such as `2026-07-28`.
    Date,
    /// A date and time, such as `2026-07-28T10:00:00Z`.
    DateTime,
}

impl TextFormat {
    fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Uri => "uri",
            Self::Date => "date",
            Self::DateTime => "date-time",
        }
    }

    /// Whether the text plausibly has this format. A handler that needs certainty must validate the value
    /// itself.
    fn fits(self, text: &str) -> bool {
        let is_date = |text: &str| {
            text.len() == 10
                && text.bytes().enumerate().all(|(index, byte)| match index {
                    4 | 7 => byte == b'-',
                    _ => byte.is_ascii_digit(),
                })
        };
        match self {
            Self::Email => text
                .split_once('@')
                .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@')),
            Self::Uri => text.split_once(':').is_some_and(|(scheme, rest)| {
                !rest.is_empty()
                    && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
            }),
            Self::Date => is_date(text),
            Self::DateTime => text
                .split_once(['T', 't'])
                .is_some_and(|(date, time)| is_date(date) && time.contains(':')),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Text {
        format: Option<TextFormat>,
        characters: Option<(u32, u32)>,
        default: Option<String>,
    },
    Integer {
        range: Option<(i64, i64)>,
        default: Option<i64>,
    },
    Number {
        range: Option<(f64, f64)>,
        default: Option<f64>,
    },
    Boolean {
        default: Option<bool>,
    },
    Choice {
        options: Options,
        default: Option<String>,
    },
    Choices {
        options: Options,
        count: Option<(u32, u32)>,
    },
}

/// Writes the minimum and maximum of a value.
fn push_bounds(out: &mut Map<String, Value>, names: [&str; 2], min: impl Into<Value>, max: impl Into<Value>) {
    let [min_name, max_name] = names;
    out.insert(min_name.into(), min.into());
    out.insert(max_name.into(), max.into());
}

impl Kind {
    fn json_type(&self) -> &'static str {
        match self {
            Self::Text { .. } | Self::Choice { .. } => "string",
            Self::Integer { .. } => "integer",
            Self::Number { .. } => "number",
            Self::Boolean { .. } => "boolean",
            Self::Choices { .. } => "array",
        }
    }

    fn default_value(&self) -> Option<Value> {
        match self {
            Self::Text { default, .. } | Self::Choice { default, .. } => default.as_deref().map(Value::from),
            Self::Integer { default, .. } => default.map(Value::from),
            Self::Number { default, .. } => default.map(|number| json!(number)),
            Self::Boolean { default } => default.map(Value::from),
            Self::Choices { .. } => None,
        }
    }

    /// Writes the schema's constraints, without the type.
    fn push_constraints(&self, revision: Revision, out: &mut Map<String, Value>) {
        match self {
            Self::Text {
                format, characters, ..
            } => {
                if let Some(format) = format {
                    out.insert("format".into(), format.as_str().into());
                }
                if let Some((min, max)) = characters {
                    push_bounds(out, ["minLength", "maxLength"], *min, *max);
                }
            }
            Self::Integer {
                range: Some((min, max)),
                ..
            } => push_bounds(out, ["minimum", "maximum"], *min, *max),
            Self::Number {
                range: Some((min, max)),
                ..
            } => push_bounds(out, ["minimum", "maximum"], *min, *max),
            Self::Integer { range: None, .. } | Self::Number { range: None, .. } | Self::Boolean { .. } => {}
            Self::Choice { options, .. } => options.single(revision, out),
            Self::Choices { options, count } => {
                out.insert("items".into(), options.item());
                if let Some((min, max)) = count {
                    push_bounds(out, ["minItems", "maxItems"], *min, *max);
                }
            }
        }
    }
}

/// The options of a choice: values, with labels in the last two variants.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Options {
    Plain(Vec<String>),
    Titled(Vec<(String, String)>),
    /// Options with labels in `enumNames`, the only form in 2025-06-18.
    Named(Vec<(String, String)>),
}

impl Options {
    fn values(&self) -> Vec<&str> {
        match self {
            Self::Plain(values) => values.iter().map(String::as_str).collect(),
            Self::Titled(pairs) | Self::Named(pairs) => {
                pairs.iter().map(|(value, _)| value.as_str()).collect()
            }
        }
    }

    fn named(&self, pairs: &[(String, String)], out: &mut Map<String, Value>) {
        out.insert("enum".into(), json!(self.values()));
        let names: Vec<&str> = pairs.iter().map(|(_, name)| name.as_str()).collect();
        out.insert("enumNames".into(), json!(names));
    }

    /// Writes the options of a single choice into its schema.
    fn single(&self, revision: Revision, out: &mut Map<String, Value>) {
        match self {
            Self::Plain(values) => {
                out.insert("enum".into(), json!(values));
            }
            Self::Titled(pairs) if revision.has_titled_choices() => {
                out.insert("oneOf".into(), titled(pairs));
            }
            Self::Titled(pairs) | Self::Named(pairs) => self.named(pairs, out),
        }
    }

    /// Returns the schema of one item of a multiple choice.
    fn item(&self) -> Value {
        match self {
            Self::Plain(values) => json!({"type": "string", "enum": values}),
            Self::Titled(pairs) | Self::Named(pairs) => json!({"anyOf": titled(pairs)}),
        }
    }
}

fn titled(pairs: &[(String, String)]) -> Value {
    pairs
        .iter()
        .map(|(value, title)| json!({"const": value, "title": title}))
        .collect()
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(value, title)| (value.to_owned(), title.to_owned()))
        .collect()
}

impl Field {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            title: None,
            description: None,
            required: false,
        }
    }

    /// Creates a field for a line of text.
    pub fn text() -> Self {
        Self::of(Kind::Text {
            format: None,
            characters: None,
            default: None,
        })
    }

    /// Creates a field for a line of text with the given format.
    pub fn formatted(format: TextFormat) -> Self {
        Self::of(Kind::Text {
            format: Some(format),
            characters: None,
            default: None,
        })
    }

    /// Creates a field for a line of `min` to `max` characters.
    pub fn text_between(min: u32, max: u32) -> Self {
        Self::of(Kind::Text {
            format: None,
            characters: Some((min, max)),
            default: None,
        })
    }

    /// Creates a field for an integer.
    pub fn integer() -> Self {
        Self::of(Kind::Integer {
            range: None,
            default: None,
        })
    }

    /// Creates a field for an integer from `min` to `max`.
    pub fn integer_between(min: i64, max: i64) -> Self {
        Self::of(Kind::Integer {
            range: Some((min, max)),
            default: None,
        })
    }

    /// Creates a field for a number.
    pub fn number() -> Self {
        Self::of(Kind::Number {
            range: None,
            default: None,
        })
    }

    /// Creates a field for yes or no.
    pub fn boolean() -> Self {
        Self::of(Kind::Boolean { default: None })
    }

    /// Creates a field for one of the given values.
    pub fn choice<const N: usize>(values: [&str; N]) -> Self {
        Self::of(Kind::Choice {
            options: Options::Plain(values.map(str::to_owned).to_vec()),
            default: None,
        })
    }

    /// Creates a field for one of the given values. Each option is a value and its label.
    pub fn titled_choice<const N: usize>(options: [(&str, &str); N]) -> Self {
        Self::of(Kind::Choice {
            options: Options::Titled(owned(options)),
            default: None,
        })
    }

    /// Like [`Field::titled_choice`], but with the labels in `enumNames`, the form of 2025-06-18, for every
    /// client.
    pub fn named_choice<const N: usize>(options: [(&str, &str); N]) -> Self {
        Self::of(Kind::Choice {
            options: Options::Named(owned(options)),
            default: None,
        })
    }

    /// Creates a field for any number of the given values. Supported by clients of 2025-11-25 and later.
    pub fn choices<const N: usize>(values: [&str; N]) -> Self {
        Self::of(Kind::Choices {
            options: Options::Plain(values.map(str::to_owned).to_vec()),
            count: None,
        })
    }

    /// Creates a field for any number of the given values. Each option is a value and its label. Supported by
    /// clients of 2025-11-25 and later.
    pub fn titled_choices<const N: usize>(options: [(&str, &str); N]) -> Self {
        Self::of(Kind::Choices {
            options: Options::Titled(owned(options)),
            count: None,
        })
    }

    /// Sets the minimum and maximum number of selected values of a multiple choice. Has no effect on other
    /// fields.
    #[must_use]
    pub fn count_between(mut self, min: u32, max: u32) -> Self {
        if let Kind::Choices { count, .. } = &mut self.kind {
            *count = Some((min, max));
        }
        self
    }

    /// Sets the value that the client shows initially. A value of the wrong type is ignored.
    #[must_use]
    pub fn default_value(mut self, value: impl Into<Value>) -> Self {
        let value = value.into();
        match &mut self.kind {
            Kind::Text { default, .. } | Kind::Choice { default, .. } => {
                *default = value.as_str().map(str::to_owned);
            }
            Kind::Integer { default, .. } => *default = value.as_i64(),
            Kind::Number { default, .. } => *default = value.as_f64(),
            Kind::Boolean { default } => *default = value.as_bool(),
            Kind::Choices { .. } => {}
        }
        self
    }

    /// Sets the label that the user sees.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the description, which tells the user what to fill in.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Makes the field required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Returns the field's schema for clients of a revision.
    pub(super) fn schema(&self, revision: Revision) -> Value {
        let mut out = Map::new();
        out.insert("type".into(), self.kind.json_type().into());
        for (key, text) in [("title", &self.title), ("description", &self.description)] {
            if let Some(text) = text {
                out.insert(key.into(), text.as_str().into());
            }
        }
        self.kind.push_constraints(revision, &mut out);
        // In 2025-06-18, only booleans have a default.
        let default = self.kind.default_value();
        if let Some(default) = default.filter(|value| value.is_boolean() || revision.has_form_defaults()) {
            out.insert("default".into(), default);
        }
        Value::Object(out)
    }

    /// Whether a value satisfies the field's type and constraints.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        match &self.kind {
            Kind::Text {
                format, characters, ..
            } => value.as_str().is_some_and(|text| {
                let length = text.chars().count();
                let fits =
                    characters.is_none_or(|(min, max)| length >= min as usize && length <= max as usize);
                fits && format.is_none_or(|format| format.fits(text))
            }),
            Kind::Integer { range, .. } => whole(value)
                .is_some_and(|number| range.is_none_or(|(min, max)| (min..=max).contains(&number))),
            Kind::Number { range, .. } => value
                .as_f64()
                .is_some_and(|number| range.is_none_or(|(min, max)| (min..=max).contains(&number))),
            Kind::Boolean { .. } => value.is_boolean(),
            Kind::Choice { options, .. } => value
                .as_str()
                .is_some_and(|chosen| options.values().contains(&chosen)),
            Kind::Choices { options, count } => value.as_array().is_some_and(|chosen| {
                let values = options.values();
                let fits = count
                    .is_none_or(|(min, max)| chosen.len() >= min as usize && chosen.len() <= max as usize);
                fits && chosen
                    .iter()
                    .all(|one| one.as_str().is_some_and(|one| values.contains(&one)))
            }),
        }
    }
}

/// Returns an integer, also if it is written as `42.0`.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    })
}
