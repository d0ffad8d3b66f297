//! Completion: suggested values for a partly typed argument.

use crate::{
    json::{RawJson, push_integer, push_string},
    text,
};
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap};

/// The maximum number of values in a completion result (CMP-02).
pub const COMPLETION_VALUES_MAX: usize = 100;

/// The maximum number of arguments in a query's `context`.
const CONTEXT_MAX: usize = 64;

/// A request for completions of one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionQuery<'a> {
    /// The prompt or resource template that the argument belongs to.
    pub reference: CompletionRef<'a>,
    /// The name of the argument.
    pub argument: Cow<'a, str>,
    /// The part of the value that the user has typed.
    pub value: Cow<'a, str>,
    /// The values of the other arguments that the user has filled in, by name.
    pub context: BTreeMap<String, String>,
}

/// The prompt or template that an argument belongs to. It isn't known to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompletionRef<'a> {
    /// A prompt, by name.
    Prompt(Cow<'a, str>),
    /// A resource or template, by URI or URI template.
    Resource(Cow<'a, str>),
}

/// Suggested values, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completions {
    /// The values. Only the first 100 are sent.
    pub values: Vec<String>,
    /// The total number of matching values, if known.
    pub total: Option<u32>,
    /// Whether there are more matching values than these.
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
    arguments: BTreeMap<String, Option<String>>,
}

impl<'a> CompletionQuery<'a> {
    /// Reads `ref`, `argument` and `context`. Returns the error message for the first invalid one.
    pub(crate) fn read(
        reference: Option<RawJson<'a>>,
        argument: Option<RawJson<'a>>,
        context: Option<RawJson<'a>>,
    ) -> Result<Self, &'static str> {
        // Serde would also accept an array of the members.
        let reference: Reference<'a> = reference
            .filter(|value| value.is_object())
            .and_then(|value| value.parse().ok())
            .ok_or(text::COMPLETION_REFERENCE)?;
        let reference = match (&*reference.kind, reference.name, reference.uri) {
            ("ref/prompt", Some(name), _) => CompletionRef::Prompt(name),
            ("ref/resource", _, Some(uri)) => CompletionRef::Resource(uri),
            _ => return Err(text::COMPLETION_REFERENCE),
        };
        let argument: Argument<'a> = argument
            .filter(|value| value.is_object())
            .and_then(|value| value.parse().ok())
            .ok_or(text::COMPLETION_ARGUMENT)?;
        let context = match context {
            None => BTreeMap::new(),
            Some(value) => {
                if !value.is_object() {
                    return Err(text::COMPLETION_CONTEXT);
                }
                let context: Context = value.parse().map_err(|_| text::COMPLETION_CONTEXT)?;
                let known = context.arguments.into_iter();
                known.filter_map(|(name, value)| Some((name, value?))).collect()
            }
        };
        if context.len() > CONTEXT_MAX {
            return Err(text::TOO_MANY_COMPLETION_ARGUMENTS);
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
