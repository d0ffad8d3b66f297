//! Requests for input from the client during a call: a form for the user, a completion by the client's model,
//! or the client's roots.
//!
//! A handler asks by returning [`InputRequired`]. It is called again with the answers in its [`Inputs`]. Modern
//! clients receive the questions as the result of the call; for legacy clients, the server sends its own
//! requests and then calls the handler again.

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

/// The maximum number of answers in one request.
const ANSWERS_MAX: usize = 64;

/// The questions of a call that needs input before it can continue.
#[derive(Debug, Clone)]
pub struct InputRequired {
    /// The questions, by keys that the handler chooses. The answers have the same keys.
    pub requests: Vec<(String, InputRequest)>,
    /// The state that the handler receives in [`Inputs::state`] when it is called again. It is sealed while it
    /// travels through the client: nobody can read or change it, or use it as another caller, for another
    /// request or after ten minutes. It can be used more than once; a handler that must prevent this has to
    /// record its use.
    pub state: Option<Vec<u8>>,
}

/// A question to the client.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum InputRequest {
    /// A form for the user.
    Form {
        /// The text that introduces the form.
        message: String,
        /// The fields to fill in.
        form: Form,
    },
    /// A completion by the client's model. Deprecated since 2026-07-28.
    Sampling {
        /// The parameters of `sampling/createMessage`, a JSON object.
        params: Box<RawValue>,
    },
    /// The directories that the client works on. Deprecated since 2026-07-28.
    Roots,
}

impl InputRequest {
    /// Returns the method of the request.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Form { .. } => "elicitation/create",
            Self::Sampling { .. } => "sampling/createMessage",
            Self::Roots => "roots/list",
        }
    }

    /// Returns the capability that the client must have declared (MRT-03, ELI-02).
    pub(crate) fn requires(&self) -> RequiredCapability {
        match self {
            Self::Form { .. } => RequiredCapability::ElicitationForm,
            Self::Sampling { .. } => RequiredCapability::Sampling,
            Self::Roots => RequiredCapability::Roots,
        }
    }

    /// Whether the revision has the method and everything that this request uses.
    pub(crate) fn fits(&self, revision: Revision) -> bool {
        match self {
            Self::Form { form, .. } => revision.has_elicitation() && form.fits(revision),
            Self::Sampling { .. } | Self::Roots => true,
        }
    }

    /// Returns the parameters as a JSON object.
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

/// The answers and the state that a request carries. The answers come from the client unchecked: a value that
/// doesn't answer its question counts as unanswered.
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

/// The answer to a form.
#[derive(Debug, Clone, PartialEq)]
pub enum FormAnswer {
    /// The user filled in the form and submitted it.
    Accepted(FormContent),
    /// The user declined.
    Declined,
    /// The user dismissed the form without an answer.
    Cancelled,
    /// The client responded with an error or not in time. Only for legacy clients; a modern client doesn't
    /// repeat the call.
    Failed,
}

/// The answer to a question that the client itself answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAnswer<'a> {
    /// The result, a JSON object.
    Result(RawJson<'a>),
    /// The client responded with an error or not in time, as in [`FormAnswer::Failed`].
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
    /// Reads `inputResponses`, an object. Values that aren't objects are ignored. Returns `None` if it is
    /// invalid.
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

    /// Records a client's response to a request from the server. `None` means an error or no response.
    pub(crate) fn record(&mut self, key: String, result: Option<String>) {
        let given = match result {
            Some(result) if result.starts_with('{') => Given::Result(result),
            _ => Given::Failed,
        };
        self.answers.insert(key, given);
    }

    pub(crate) fn set_state(&mut self, state: Option<Vec<u8>>) {
        self.state = state;
    }

    /// Whether there are neither answers nor state, as in the first call of a request.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.state.is_none()
    }

    /// Returns the keys that have an answer, valid or not.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.answers.keys().map(String::as_str)
    }

    /// Returns the state that the handler returned with its questions, unchanged.
    pub fn state(&self) -> Option<&[u8]> {
        self.state.as_deref()
    }

    /// Returns the answer to a form. `None` if there is none, or none that satisfies the form, so that the
    /// handler must ask again (ELI-05, MRT-07).
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

    /// Returns the answer to a question that the client itself answers. `None` if there is none.
    pub fn client(&self, key: &str) -> Option<ClientAnswer<'_>> {
        Some(match self.answers.get(key)? {
            Given::Result(result) => ClientAnswer::Result(RawJson::checked(result)),
            Given::Failed => ClientAnswer::Failed,
        })
    }
}
