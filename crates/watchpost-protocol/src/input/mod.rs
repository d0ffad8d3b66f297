//! Asking the client for input before a call can go on: a form for the person, a completion of the client's model,
//! the client's roots.
//!
//! A handler asks by ending its call with [`InputRequired`]; it's called again with the answers in its
//! [`Inputs`]. For modern clients that is what goes over the wire; for legacy ones the server asks in its own
//! requests and calls the handler again by itself.

mod form;

pub use form::{Field, Form, FormContent, TextFormat};

use crate::{
    code::RequiredCapability,
    json::{RawJson, push_string},
    revision::Revision,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The most answers that are read from one request.
const ANSWERS_MAX: usize = 64;

/// A call that needs answers before it can go on.
#[derive(Debug, Clone)]
pub struct InputRequired {
    /// What to ask, by keys of the handler's own that come back with the answers.
    pub requests: Vec<(String, InputRequest)>,
    /// What the handler wants to find in [`Inputs::state`] when it's called again. Sealed on its way through the
    /// client: it can't be read, altered, used by another caller, for another request, or after ten minutes. It
    /// can be used more than once; where that matters the handler has to remember.
    pub state: Option<Vec<u8>>,
}

/// One question to the client.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum InputRequest {
    /// A form for the person.
    Form {
        /// What it's about, for the person.
        message: String,
        /// What to fill in.
        form: Form,
    },
    /// A completion by the client's model. Deprecated since 2026-07-28.
    Sampling {
        /// The parameters of `sampling/createMessage`, a JSON object.
        params: Box<RawValue>,
    },
    /// The folders that the client works on. Deprecated since 2026-07-28.
    Roots,
}

impl InputRequest {
    /// The method that asks it.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Form { .. } => "elicitation/create",
            Self::Sampling { .. } => "sampling/createMessage",
            Self::Roots => "roots/list",
        }
    }

    /// What a client has to have declared before it may be asked (MRT-03, ELI-02).
    pub(crate) fn requires(&self) -> RequiredCapability {
        match self {
            Self::Form { .. } => RequiredCapability::ElicitationForm,
            Self::Sampling { .. } => RequiredCapability::Sampling,
            Self::Roots => RequiredCapability::Roots,
        }
    }

    /// Whether the revision has the method, and everything that this request needs of it.
    pub(crate) fn fits(&self, revision: Revision) -> bool {
        match self {
            Self::Form { form, .. } => revision.has_elicitation() && form.fits(revision),
            Self::Sampling { .. } | Self::Roots => true,
        }
    }

    /// The parameters as a JSON object.
    pub(crate) fn params(&self, revision: Revision) -> Vec<u8> {
        match self {
            Self::Form { message, form } => {
                let mut out = b"{".to_vec();
                if revision.has_elicitation_modes() {
                    out.extend_from_slice(b"\"mode\":\"form\",");
                }
                out.extend_from_slice(b"\"message\":");
                push_string(&mut out, message);
                out.extend_from_slice(b",\"requestedSchema\":");
                form.push(&mut out, revision);
                out.push(b'}');
                out
            }
            Self::Sampling { params } => params.get().as_bytes().to_vec(),
            Self::Roots => b"{}".to_vec(),
        }
    }
}

/// Appends `"inputRequests":{…}`.
pub(crate) fn push_requests(out: &mut Vec<u8>, requests: &[(String, InputRequest)], revision: Revision) {
    out.extend_from_slice(b"\"inputRequests\":{");
    for (index, (key, request)) in requests.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(out, key);
        out.extend_from_slice(b":{\"method\":");
        push_string(out, request.method());
        out.extend_from_slice(b",\"params\":");
        out.extend_from_slice(&request.params(revision));
        out.push(b'}');
    }
    out.push(b'}');
}

/// The answers that a request brings, and the state that its questions were asked with. Answers come from the
/// client as they are: what isn't an answer to the question counts as not answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inputs {
    answers: BTreeMap<String, Given>,
    state: Option<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Given {
    /// A JSON object.
    Result(String),
    Failed,
}

/// What became of a form.
#[derive(Debug, Clone, PartialEq)]
pub enum FormAnswer {
    /// The person filled it in and sent it.
    Accepted(FormContent),
    /// The person said no.
    Declined,
    /// The person went away without an answer.
    Cancelled,
    /// The client answered with an error, or not in time. Modern clients just don't call again.
    Failed,
}

/// What became of a question to the client itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAnswer<'a> {
    /// The result, a JSON object.
    Result(RawJson<'a>),
    /// As [`FormAnswer::Failed`].
    Failed,
}

#[derive(Deserialize)]
struct Elicited<'a> {
    action: Action,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Accept,
    Decline,
    Cancel,
}

impl Inputs {
    /// Reads `inputResponses`, an object; what isn't an object inside isn't an answer.
    pub(crate) fn read(responses: Option<RawJson<'_>>, state: Option<Vec<u8>>) -> Option<Self> {
        let mut answers = BTreeMap::new();
        if let Some(responses) = responses {
            let given: BTreeMap<String, &RawValue> = responses.parse().ok()?;
            if given.len() > ANSWERS_MAX {
                return None;
            }
            answers = given
                .into_iter()
                .filter(|(_, value)| value.get().starts_with('{'))
                .map(|(key, value)| (key, Given::Result(value.get().to_owned())))
                .collect();
        }
        Some(Self { answers, state })
    }

    /// Notes what the client said to a request of ours; `None` is an error or nothing.
    pub(crate) fn note(&mut self, key: String, result: Option<String>) {
        let given = match result {
            Some(result) if result.starts_with('{') => Given::Result(result),
            _ => Given::Failed,
        };
        self.answers.insert(key, given);
    }

    pub(crate) fn set_state(&mut self, state: Option<Vec<u8>>) {
        self.state = state;
    }

    /// Whether nothing was answered and no state came back: the call is a first one.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.state.is_none()
    }

    /// The keys that have an answer, right or wrong.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.answers.keys().map(String::as_str)
    }

    /// The state that the handler gave with its questions, exactly as it was.
    pub fn state(&self) -> Option<&[u8]> {
        self.state.as_deref()
    }

    /// The answer to a form; `None` if there's none, or none that fits the form, so that it has to be asked again
    /// (ELI-05, MRT-07).
    pub fn form(&self, key: &str, form: &Form) -> Option<FormAnswer> {
        let result = match self.client(key)? {
            ClientAnswer::Failed => return Some(FormAnswer::Failed),
            ClientAnswer::Result(result) => result,
        };
        let elicited: Elicited<'_> = result.parse().ok()?;
        match elicited.action {
            Action::Decline => Some(FormAnswer::Declined),
            Action::Cancel => Some(FormAnswer::Cancelled),
            Action::Accept => {
                let content = elicited.content.map(|content| RawJson::checked(content.get()));
                form.read(content).map(FormAnswer::Accepted)
            }
        }
    }

    /// The answer to a question to the client itself; `None` if there's none.
    pub fn client(&self, key: &str) -> Option<ClientAnswer<'_>> {
        Some(match self.answers.get(key)? {
            Given::Result(result) => ClientAnswer::Result(RawJson::checked(result)),
            Given::Failed => ClientAnswer::Failed,
        })
    }
}
