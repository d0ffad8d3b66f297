//! Revisions and eras. Only this module and its child compare revisions; all other code asks a revision for its
//! features.

pub(crate) mod era;

use serde::{Deserialize, Serialize};

/// A published revision of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Revision {
    /// 2024-11-05, the first public revision.
    #[serde(rename = "2024-11-05")]
    V2024_11_05,
    /// 2025-03-26, which added Streamable HTTP, batches and tool annotations.
    #[serde(rename = "2025-03-26")]
    V2025_03_26,
    /// 2025-06-18, which added structured tool output, titles and the version header, and removed batches.
    #[serde(rename = "2025-06-18")]
    V2025_06_18,
    /// 2025-11-25, which added icons and made JSON Schema 2020-12 the default.
    #[serde(rename = "2025-11-25")]
    V2025_11_25,
    /// 2026-07-28, the first stateless revision: each request carries an envelope, and there is no handshake.
    #[serde(rename = "2026-07-28")]
    V2026_07_28,
}

/// One of the two families of revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// The revisions before 2026-07-28, in which a session begins with `initialize`.
    Legacy,
    /// 2026-07-28 and later, in which each request carries an envelope.
    Modern,
}

/// The first revision of the modern era. Revision names are ISO dates, so comparing them as text orders them.
const FIRST_MODERN: &str = "2026-07-28";

impl Revision {
    /// Every revision that this crate can read and write, oldest first. The revisions that a server supports
    /// are its [`Revisions`].
    pub const KNOWN: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// Returns the revision with this name, if it is known.
    pub fn parse(name: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|revision| revision.as_str() == name)
    }

    /// Returns the name on the wire, an ISO date.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => FIRST_MODERN,
        }
    }

    /// Returns the era of the revision.
    pub fn era(self) -> Era {
        if self < Self::V2026_07_28 {
            Era::Legacy
        } else {
            Era::Modern
        }
    }

    // The features of a revision, as defined by the schemas of the revisions.

    /// Whether the revision has JSON-RPC batches.
    pub(crate) fn has_batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// Whether the revision has `Tool.annotations`.
    pub(crate) fn has_tool_annotations(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether the revision has `title` on tools, resources, prompts and implementations.
    pub(crate) fn has_titles(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether the revision has `Tool.outputSchema` and `CallToolResult.structuredContent`.
    pub(crate) fn has_structured_output(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether the revision has `description`, `icons` and `websiteUrl` on implementations.
    pub(crate) fn has_website(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether the revision has `message` in progress notifications.
    pub(crate) fn has_progress_message(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether the revision has content blocks of type `audio`.
    pub(crate) fn has_audio(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether the revision has content blocks of type `resource_link`.
    pub(crate) fn has_resource_links(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether the revision has the capability `completions`. Before, the method existed without a capability.
    pub(crate) fn declares_completions(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether the revision has `elicitation/create`.
    pub(crate) fn has_elicitation(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether the revision has `mode` in the parameters of `elicitation/create`.
    pub(crate) fn has_elicitation_modes(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether the revision has titled choices (`oneOf`) and multiple choices in forms.
    pub(crate) fn has_titled_choices(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether the revision has `default` on every field of a form.
    pub(crate) fn has_form_defaults(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether the event stream of a request can be resumed and starts with an event that has an id but no
    /// data. Earlier clients fail on such an event (SHT-11, SHT-12).
    pub fn has_resumable_streams(self) -> bool {
        self == Self::V2025_11_25
    }

    /// Whether the schema allows an error to leave out `id`. In the other revisions, an error without a usable
    /// id has `null`.
    pub(crate) fn may_omit_id(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Returns the index in [`Revision::KNOWN`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The set of revisions that a server supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revisions([bool; 5]);

impl Revisions {
    /// Every known revision.
    pub const ALL: Self = Self([true; 5]);

    /// Returns the revisions of one era.
    pub fn of(era: Era) -> Self {
        Self(Revision::KNOWN.map(|revision| revision.era() == era))
    }

    /// Whether `revision` is supported.
    pub fn serves(self, revision: Revision) -> bool {
        self.iter().any(|served| served == revision)
    }

    /// Returns the supported revisions, oldest first.
    pub fn iter(self) -> impl Iterator<Item = Revision> {
        Revision::KNOWN
            .into_iter()
            .zip(self.0)
            .filter(|(_, served)| *served)
            .map(|(revision, _)| revision)
    }

    /// Returns the revisions that `server/discover` and errors about an unsupported version list: modern ones
    /// only, since a
    /// legacy revision can't be used inside an envelope (DSC-04); legacy ones only if no modern one is
    /// supported.
    pub(crate) fn advertised(self) -> impl Iterator<Item = Revision> {
        let modern = self.iter().any(|revision| revision.era() == Era::Modern);
        self.iter()
            .filter(move |revision| !modern || revision.era() == Era::Modern)
    }

    /// Returns the revision to answer `initialize` with: the requested one if it is a supported legacy
    /// revision, otherwise the newest supported legacy revision (INI-01 to INI-03). `None` if no legacy
    /// revision is supported.
    pub fn negotiate(self, requested: &str) -> Option<Revision> {
        let legacy = |revision: &Revision| self.serves(*revision) && revision.era() == Era::Legacy;
        Revision::parse(requested)
            .filter(legacy)
            .or_else(|| Revision::KNOWN.into_iter().rfind(legacy))
    }
}
