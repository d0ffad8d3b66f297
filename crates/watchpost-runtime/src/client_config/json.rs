//! JSON and YAML with ordered members, since people read it.

use serde::{Serialize, Serializer};

/// A JSON value whose members keep their order.
pub(super) enum Json {
    Text(String),
    Flag(bool),
    Number(serde_json::Number),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<bool> for Json {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
impl From<serde_json::Number> for Json {
    fn from(number: serde_json::Number) -> Self {
        Self::Number(number)
    }
}
impl<T: Into<Self>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

/// Makes an object from its members, in order.
pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

impl Json {
    /// Appends a member to an object.
    pub(super) fn push(&mut self, name: &str, value: impl Into<Self>) {
        if let Self::Object(members) = self {
            members.push((name.to_owned(), value.into()));
        }
    }
    /// Appends the members of another object to an object.
    pub(super) fn append(&mut self, other: Self) {
        if let (Self::Object(members), Self::Object(more)) = (self, other) {
            members.extend(more);
        }
    }
    /// Formats the value with line breaks, for a file.
    pub(super) fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).expect("text, flags, lists and objects always serialize")
    }
    /// Formats an object as YAML.
    pub(super) fn yaml(&self) -> String {
        let mut out = String::new();
        self.write_yaml(0, &mut out);
        out.truncate(out.trim_end().len());
        out
    }

    /// Writes the value after a key or a dash, and ends its last line.
    fn write_yaml(&self, indent: usize, out: &mut String) {
        match self {
            Self::List(items) if !items.is_empty() => {
                for item in items {
                    out.push_str(&format!("{:indent$}- ", ""));
                    let first = out.len();
                    item.write_yaml(indent + 2, out);
                    // The first member of an object stands on the line of its dash.
                    let after = out.split_off(first);
                    out.push_str(after.trim_start());
                }
            }
            Self::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    out.push_str(&format!("{:indent$}{}:", "", yaml_text(name)));
                    let is_block = match value {
                        Self::List(items) => !items.is_empty(),
                        Self::Object(members) => !members.is_empty(),
                        Self::Text(_) | Self::Flag(_) | Self::Number(_) => false,
                    };
                    out.push(if is_block { '\n' } else { ' ' });
                    value.write_yaml(indent + 2, out);
                }
            }
            Self::Text(text) => out.push_str(&format!("{}\n", yaml_text(text))),
            // Flags, numbers and empty collections are written as in JSON.
            other => out.push_str(&format!("{}\n", other.pretty())),
        }
    }
}

/// Writes a text as a plain word if every reader of YAML takes it for one, and in double quotes otherwise.
fn yaml_text(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    // Some readers take these for flags or for nothing.
    let is_reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if is_word && !is_reserved {
        text.to_owned()
    } else {
        Json::from(text).pretty()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}
