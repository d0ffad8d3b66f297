//! Completion: values that fit what a person has typed so far.

use crate::json::{RawJson, push_integer, push_string};
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap};

/// The most values that go out (CMP-02).
pub const COMPLETION_VALUES_MAX: usize = 100;

/// Arguments that are filled in already are read up to this many.
const CONTEXT_MAX: usize = 64;

/// What is to be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionQuery<'a> {
    /// Of which prompt or resource template.
    pub reference: CompletionRef<'a>,
    /// The name of the argument.
    pub argument: Cow<'a, str>,
    /// What has been typed so far.
    pub value: Cow<'a, str>,
    /// The arguments that are filled in already.
    pub context: BTreeMap<String, String>,
}

/// What an argument belongs to. Neither is known to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompletionRef<'a> {
    /// A prompt, by its name.
    Prompt(Cow<'a, str>),
    /// A resource or a template, by its URI or URI template.
    Resource(Cow<'a, str>),
}

/// Values that fit, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completions {
    /// The values; those after the first 100 aren't sent.
    pub values: Vec<String>,
    /// How many there are in all, if that's known.
    pub total: Option<u32>,
    /// Whether there are more than these.
    pub has_more: bool,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Argument<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default)]
    arguments: BTreeMap<String, String>,
}

impl<'a> CompletionQuery<'a> {
    /// Reads `ref`, `argument` and `context`; an error is what to say about the first wrong one.
    pub(crate) fn read(
        reference: Option<RawJson<'a>>,
        argument: Option<RawJson<'a>>,
        context: Option<RawJson<'a>>,
    ) -> Result<Self, &'static str> {
        const REFERENCE: &str =
            "`ref` has to be {\"type\":\"ref/prompt\",\"name\":…} or {\"type\":\"ref/resource\",\"uri\":…}";
        // A struct would also be read from an array of its members.
        let reference: Reference<'a> = reference
            .filter(|value| value.is_object())
            .and_then(|value| value.parse().ok())
            .ok_or(REFERENCE)?;
        let reference = match (&*reference.kind, reference.name, reference.uri) {
            ("ref/prompt", Some(name), _) => CompletionRef::Prompt(name),
            ("ref/resource", _, Some(uri)) => CompletionRef::Resource(uri),
            _ => return Err(REFERENCE),
        };
        let argument: Argument<'a> = argument
            .filter(|value| value.is_object())
            .and_then(|value| value.parse().ok())
            .ok_or("`argument` has to be an object with the strings `name` and `value`")?;
        let context = match context {
            None => BTreeMap::new(),
            Some(value) => {
                const CONTEXT: &str = "`context` has to be an object whose `arguments` are strings";
                if !value.is_object() {
                    return Err(CONTEXT);
                }
                let context: Context = value.parse().map_err(|_| CONTEXT)?;
                context.arguments
            }
        };
        if context.len() > CONTEXT_MAX {
            return Err("`context.arguments` has more than 64 arguments");
        }
        Ok(Self {
            reference,
            argument: argument.name,
            value: argument.value,
            context,
        })
    }
}

impl Completions {
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"completion\":{\"values\":[");
        for (index, value) in self.values.iter().take(COMPLETION_VALUES_MAX).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_string(out, value);
        }
        out.push(b']');
        if let Some(total) = self.total {
            out.extend_from_slice(b",\"total\":");
            push_integer(out, i64::from(total));
        }
        out.extend_from_slice(if self.has_more || self.values.len() > COMPLETION_VALUES_MAX {
            b",\"hasMore\":true}".as_slice()
        } else {
            b",\"hasMore\":false}"
        });
    }
}
