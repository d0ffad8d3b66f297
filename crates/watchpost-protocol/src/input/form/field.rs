//! One field of a form: its type, its constraints, and which values fit.

use crate::revision::Revision;
use serde_json::{Map, Value, json};

/// One field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub(super) kind: Kind,
    title: Option<String>,
    description: Option<String>,
    pub(super) required: bool,
}

/// What a text has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// An email address.
    Email,
    /// An absolute URI.
    Uri,
    /// A day, as `2026-07-28`.
    Date,
    /// A moment, as `2026-07-28T10:00:00Z`.
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

    /// A plausibility check; a handler that depends on more looks for itself.
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

/// Writes the least and the most that a value may be.
fn push_bounds(
    out: &mut Map<String, Value>,
    names: [&str; 2],
    least: impl Into<Value>,
    most: impl Into<Value>,
) {
    let [least_name, most_name] = names;
    out.insert(least_name.into(), least.into());
    out.insert(most_name.into(), most.into());
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

    /// Writes what a value has to be, besides its type.
    fn push_constraints(&self, revision: Revision, out: &mut Map<String, Value>) {
        match self {
            Self::Text {
                format, characters, ..
            } => {
                if let Some(format) = format {
                    out.insert("format".into(), format.as_str().into());
                }
                if let Some((least, most)) = characters {
                    push_bounds(out, ["minLength", "maxLength"], *least, *most);
                }
            }
            Self::Integer {
                range: Some((least, most)),
                ..
            } => push_bounds(out, ["minimum", "maximum"], *least, *most),
            Self::Number {
                range: Some((least, most)),
                ..
            } => push_bounds(out, ["minimum", "maximum"], *least, *most),
            Self::Integer { range: None, .. } | Self::Number { range: None, .. } | Self::Boolean { .. } => {}
            Self::Choice { options, .. } => options.single(revision, out),
            Self::Choices { options, count } => {
                out.insert("items".into(), options.item());
                if let Some((least, most)) = count {
                    push_bounds(out, ["minItems", "maxItems"], *least, *most);
                }
            }
        }
    }
}

/// The options of a choice: value, and the label that a person sees.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Options {
    Plain(Vec<String>),
    Titled(Vec<(String, String)>),
    /// Labels in the older form that 2025-06-18 knows.
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

    /// The schema of one item of a multiple choice.
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

    /// A line of text.
    pub fn text() -> Self {
        Self::of(Kind::Text {
            format: None,
            characters: None,
            default: None,
        })
    }

    /// A line of text that looks like this.
    pub fn formatted(format: TextFormat) -> Self {
        Self::of(Kind::Text {
            format: Some(format),
            characters: None,
            default: None,
        })
    }

    /// A line of text of so many characters, at least and at most.
    pub fn text_between(least: u32, most: u32) -> Self {
        Self::of(Kind::Text {
            format: None,
            characters: Some((least, most)),
            default: None,
        })
    }

    /// A whole number.
    pub fn integer() -> Self {
        Self::of(Kind::Integer {
            range: None,
            default: None,
        })
    }

    /// A whole number, at least and at most.
    pub fn integer_between(least: i64, most: i64) -> Self {
        Self::of(Kind::Integer {
            range: Some((least, most)),
            default: None,
        })
    }

    /// A number.
    pub fn number() -> Self {
        Self::of(Kind::Number {
            range: None,
            default: None,
        })
    }

    /// Yes or no.
    pub fn boolean() -> Self {
        Self::of(Kind::Boolean { default: None })
    }

    /// One of some values.
    pub fn choice<const N: usize>(values: [&str; N]) -> Self {
        Self::of(Kind::Choice {
            options: Options::Plain(values.map(str::to_owned).to_vec()),
            default: None,
        })
    }

    /// One of some values that have a label each.
    pub fn titled_choice<const N: usize>(options: [(&str, &str); N]) -> Self {
        Self::of(Kind::Choice {
            options: Options::Titled(owned(options)),
            default: None,
        })
    }

    /// As [`Field::titled_choice`], with the labels in the form of 2025-06-18 (`enumNames`) for every client.
    pub fn named_choice<const N: usize>(options: [(&str, &str); N]) -> Self {
        Self::of(Kind::Choice {
            options: Options::Named(owned(options)),
            default: None,
        })
    }

    /// Any of some values; 2025-11-25 and later.
    pub fn choices<const N: usize>(values: [&str; N]) -> Self {
        Self::of(Kind::Choices {
            options: Options::Plain(values.map(str::to_owned).to_vec()),
            count: None,
        })
    }

    /// Any of some values that have a label each; 2025-11-25 and later.
    pub fn titled_choices<const N: usize>(options: [(&str, &str); N]) -> Self {
        Self::of(Kind::Choices {
            options: Options::Titled(owned(options)),
            count: None,
        })
    }

    /// At least and at most so many of the choices. Means nothing on other fields.
    #[must_use]
    pub fn picking(mut self, least: u32, most: u32) -> Self {
        if let Kind::Choices { count, .. } = &mut self.kind {
            *count = Some((least, most));
        }
        self
    }

    /// What the client fills in beforehand. A value of another type than the field's is ignored.
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

    /// The label that the person sees.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What to fill in.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// It has to be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The schema that clients of a revision get.
    pub(super) fn schema(&self, revision: Revision) -> Value {
        let mut out = Map::new();
        out.insert("type".into(), self.kind.json_type().into());
        for (key, text) in [("title", &self.title), ("description", &self.description)] {
            if let Some(text) = text {
                out.insert(key.into(), text.as_str().into());
            }
        }
        self.kind.push_constraints(revision, &mut out);
        // 2025-06-18 has a default on booleans alone.
        let default = self.kind.default_value();
        if let Some(default) = default.filter(|value| value.is_boolean() || revision.has_form_defaults()) {
            out.insert("default".into(), default);
        }
        Value::Object(out)
    }

    /// Whether a value is what was asked for.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        match &self.kind {
            Kind::Text {
                format, characters, ..
            } => value.as_str().is_some_and(|text| {
                let length = text.chars().count();
                let fits = characters
                    .is_none_or(|(least, most)| length >= least as usize && length <= most as usize);
                fits && format.is_none_or(|format| format.fits(text))
            }),
            Kind::Integer { range, .. } => whole(value)
                .is_some_and(|number| range.is_none_or(|(least, most)| (least..=most).contains(&number))),
            Kind::Number { range, .. } => value
                .as_f64()
                .is_some_and(|number| range.is_none_or(|(least, most)| (least..=most).contains(&number))),
            Kind::Boolean { .. } => value.is_boolean(),
            Kind::Choice { options, .. } => value
                .as_str()
                .is_some_and(|chosen| options.values().contains(&chosen)),
            Kind::Choices { options, count } => value.as_array().is_some_and(|chosen| {
                let values = options.values();
                let fits = count.is_none_or(|(least, most)| {
                    chosen.len() >= least as usize && chosen.len() <= most as usize
                });
                fits && chosen
                    .iter()
                    .all(|one| one.as_str().is_some_and(|one| values.contains(&one)))
            }),
        }
    }
}

/// A whole number, also one that's written as `42.0`.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    })
}
