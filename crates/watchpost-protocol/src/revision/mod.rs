//! Revisions and eras. This module and its child are the only places where revisions are compared: everything
//! else asks a revision for what it has.

pub(crate) mod era;

use serde::{Deserialize, Serialize};

/// A published revision of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Revision {
    /// The first public one.
    #[serde(rename = "2024-11-05")]
    V2024_11_05,
    /// Streamable HTTP, batches, tool annotations.
    #[serde(rename = "2025-03-26")]
    V2025_03_26,
    /// Structured tool output, titles, the version header.
    #[serde(rename = "2025-06-18")]
    V2025_06_18,
    /// Icons, JSON Schema 2020-12.
    #[serde(rename = "2025-11-25")]
    V2025_11_25,
    /// Stateless: an envelope on every request instead of a handshake.
    #[serde(rename = "2026-07-28")]
    V2026_07_28,
}

/// The two families of revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// Opens with `initialize`: every revision before 2026-07-28.
    Legacy,
    /// An envelope on each request: 2026-07-28 and later.
    Modern,
}

/// Where the modern era begins. Revision strings are ISO dates, so comparing text orders them.
const FIRST_MODERN: &str = "2026-07-28";

impl Revision {
    /// Every revision that this crate can read and write, oldest first. What a server *serves* is its
    /// [`Revisions`].
    pub const KNOWN: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The revision of this name, if it's a known one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|revision| revision.as_str() == name)
    }

    /// Its name on the wire, an ISO date.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => FIRST_MODERN,
        }
    }

    /// The era it belongs to.
    pub fn era(self) -> Era {
        if self < Self::V2026_07_28 {
            Era::Legacy
        } else {
            Era::Modern
        }
    }

    // What a revision has: the columns of mcp.md 2.2.

    /// JSON-RPC batches (mcp.md 8.5).
    pub(crate) fn has_batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// `Tool.annotations`.
    pub(crate) fn has_tool_annotations(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// `title`, `outputSchema` and `_meta` on tools, `title` on implementations.
    pub(crate) fn has_titles(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// `Tool.outputSchema` and `CallToolResult.structuredContent`.
    pub(crate) fn has_structured_output(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// `description` and `websiteUrl` on implementations.
    pub(crate) fn has_website(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// `message` in progress notifications.
    pub(crate) fn has_progress_message(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Content blocks of type `audio`.
    pub(crate) fn has_audio(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Content blocks of type `resource_link`.
    pub(crate) fn has_resource_links(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// The capability `completions`; before, the method exists without one.
    pub(crate) fn declares_completions(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// `elicitation/create`.
    pub(crate) fn has_elicitation(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// `mode` in the parameters of `elicitation/create`.
    pub(crate) fn has_elicitation_modes(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Choices with titles as `oneOf`, and multiple choices, in forms.
    pub(crate) fn has_titled_choices(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// `default` on every field of a form.
    pub(crate) fn has_form_defaults(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Event streams of one request can be resumed, and open with an event that has an id and no data. Earlier
    /// clients fail on such an event (SHT-11, SHT-12).
    pub fn has_resumable_streams(self) -> bool {
        self == Self::V2025_11_25
    }

    /// Whether an error without a usable id leaves `id` out (its schema allows that); otherwise it's `null`.
    pub(crate) fn may_omit_id(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Its place in [`Revision::KNOWN`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The revisions that one server serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revisions([bool; 5]);

impl Revisions {
    /// Every known revision.
    pub const ALL: Self = Self([true; 5]);

    /// Only those of one era.
    pub fn of(era: Era) -> Self {
        Self(Revision::KNOWN.map(|revision| revision.era() == era))
    }

    /// Whether `revision` is served.
    pub fn serves(self, revision: Revision) -> bool {
        self.iter().any(|served| served == revision)
    }

    /// The served ones, oldest first.
    pub fn iter(self) -> impl Iterator<Item = Revision> {
        Revision::KNOWN
            .into_iter()
            .zip(self.0)
            .filter(|(_, served)| *served)
            .map(|(revision, _)| revision)
    }

    /// What an error about an unserved version lists: modern ones only, since a legacy revision can't be used
    /// inside an envelope (DSC-04); legacy ones only if nothing else is served.
    pub(crate) fn named(self) -> impl Iterator<Item = Revision> {
        let modern = self.iter().any(|revision| revision.era() == Era::Modern);
        self.iter()
            .filter(move |revision| !modern || revision.era() == Era::Modern)
    }

    /// The answer to `initialize`: the requested revision if it's a served legacy one, else the newest served
    /// legacy one, never a modern one (INI-01 to INI-03). `None` if no legacy revision is served.
    pub fn negotiate(self, requested: &str) -> Option<Revision> {
        let legacy = |revision: &Revision| self.serves(*revision) && revision.era() == Era::Legacy;
        Revision::parse(requested)
            .filter(legacy)
            .or_else(|| Revision::KNOWN.into_iter().rfind(legacy))
    }
}
