//! A client's name, version and capabilities, and the part that a legacy session stores.

use crate::{
    json::{RawJson, clip},
    revision::Revision,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The number of characters that are kept of a client's name and of its version.
const NAME_MAX: usize = 64;
const VERSION_MAX: usize = 32;

/// The name and version that a client reports. They are unverified: use them for display and logs only, never
/// for decisions (ENV-08). Control characters are removed; `name` has at most 64 characters, `version` at most
/// 32.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// The name of the client program.
    pub name: String,
    /// The version of the client program.
    pub version: String,
}

impl ClientInfo {
    /// Reads an `Implementation` object. Returns `None` if `name` or `version` is missing or isn't a string.
    pub(crate) fn read(value: RawJson<'_>) -> Option<Self> {
        // Serde would also accept an array of the members.
        let info: Self = value.is_object().then(|| value.parse().ok())??;
        Some(Self {
            name: clip(&info.name, NAME_MAX),
            version: clip(&info.version, VERSION_MAX),
        })
    }
}

/// The client capabilities that a server can make use of. Unknown capabilities are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientCapabilities {
    /// The client can show a form. `elicitation: {}` declares only this.
    pub elicitation_form: bool,
    /// The client can open a URL for the user.
    pub elicitation_url: bool,
    /// The client can run a completion with its model.
    pub sampling: bool,
    /// The client can list the directories that it works on.
    pub roots: bool,
    /// The client supports the tasks extension.
    pub tasks: bool,
    /// The client supports the MCP Apps extension.
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
    /// Reads a `ClientCapabilities` object. A member of the wrong type counts as not declared.
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

/// The result of the legacy handshake. The transport stores it with the session, or seals it into the session
/// id so that any process can serve the session. It is small and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// The negotiated revision, always a legacy one.
    pub revision: Revision,
    /// The name and version that the client reported.
    pub client: ClientInfo,
    /// The capabilities that the client declared.
    pub capabilities: ClientCapabilities,
}
