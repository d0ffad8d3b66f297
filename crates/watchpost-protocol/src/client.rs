//! What is known of the client, and what a legacy session remembers of it.

use crate::{
    json::{RawJson, clip},
    revision::Revision,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Characters of a client's name and version that are kept.
const NAME: usize = 64;
const VERSION: usize = 32;

/// Who a client says it is. Unverified: for display and logs only, never for decisions (ENV-08). Control
/// characters are gone; `name` has at most 64 characters, `version` at most 32.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// The program's name.
    pub name: String,
    /// The program's version.
    pub version: String,
}

impl ClientInfo {
    /// Reads an `Implementation`; `None` without a `name` and a `version`.
    pub(crate) fn read(value: RawJson<'_>) -> Option<Self> {
        // A struct would also be read from an array of its members.
        let info: Self = value.is_object().then(|| value.parse().ok())??;
        Some(Self {
            name: clip(&info.name, NAME),
            version: clip(&info.version, VERSION),
        })
    }
}

/// What a client can do, as far as a server makes use of it. Unknown capabilities are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientCapabilities {
    /// It can show a form. `elicitation: {}` means just this.
    pub elicitation_form: bool,
    /// It can open a URL for the person.
    pub elicitation_url: bool,
    /// Its model can complete a text.
    pub sampling: bool,
    /// It can say which folders it works on.
    pub roots: bool,
    /// It polls tasks of the tasks extension.
    pub tasks: bool,
    /// It shows user interfaces of the apps extension.
    pub apps: bool,
}

#[derive(Deserialize)]
struct Declared<'a> {
    #[serde(borrow, default)]
    elicitation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sampling: Option<&'a RawValue>,
    #[serde(borrow, default)]
    roots: Option<&'a RawValue>,
    #[serde(borrow, default)]
    extensions: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Modes<'a> {
    #[serde(borrow, default)]
    form: Option<&'a RawValue>,
    #[serde(borrow, default)]
    url: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Extensions<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/tasks")]
    tasks: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/ui")]
    apps: Option<&'a RawValue>,
}

impl ClientCapabilities {
    /// Reads a capabilities object. A member of a wrong type counts as not declared.
    pub(crate) fn read(value: RawJson<'_>) -> Self {
        fn object<'a, T: Deserialize<'a>>(value: Option<&'a RawValue>) -> Option<T> {
            value
                .filter(|value| value.get().starts_with('{'))
                .and_then(|value| serde_json::from_str(value.get()).ok())
        }
        fn declared(value: Option<&RawValue>) -> bool {
            value.is_some_and(|value| value.get().starts_with('{'))
        }
        let Ok(all) = value.parse::<Declared<'_>>() else {
            return Self::default();
        };
        let modes: Option<Modes<'_>> = object(all.elicitation);
        let extensions: Option<Extensions<'_>> = object(all.extensions);
        let url = modes.as_ref().is_some_and(|modes| declared(modes.url));
        Self {
            elicitation_form: modes.as_ref().is_some_and(|modes| declared(modes.form) || !url),
            elicitation_url: url,
            sampling: declared(all.sampling),
            roots: declared(all.roots),
            tasks: extensions
                .as_ref()
                .is_some_and(|extensions| declared(extensions.tasks)),
            apps: extensions
                .as_ref()
                .is_some_and(|extensions| declared(extensions.apps)),
        }
    }
}

/// What the legacy handshake settled. A transport keeps it for the session, or seals it into the session id so
/// that any process can go on; it's small, and holds nothing that changes later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// The negotiated revision, always a legacy one.
    pub revision: Revision,
    /// Who the client says it is.
    pub client: ClientInfo,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
}
