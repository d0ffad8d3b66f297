//! Which era a message belongs to: the tables of mcp.md 6.1 (one HTTP endpoint) and 6.2 (one stdio stream), on
//! the body first and the version header second. Pure functions over what a message shows.

use super::{Era, FIRST_MODERN, Revision, Revisions};
use crate::header::Header;

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// Streamable HTTP: both eras on one endpoint.
    Http,
    /// HTTP+SSE of 2024-11-05: legacy only.
    HttpSse,
    /// One client on standard input and output: both eras, message by message.
    Stdio,
}

/// Which of the three JSON-RPC messages something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Notification,
    Response,
}

/// What the era is decided on.
pub(crate) struct Signals<'a> {
    pub(crate) wire: Wire,
    pub(crate) kind: Kind,
    /// The method is `initialize`.
    pub(crate) initialize: bool,
    /// `params._meta` has the key `io.modelcontextprotocol/protocolVersion`.
    pub(crate) envelope: bool,
    pub(crate) header: Header<'a>,
    /// The revision that the handshake of this session or process negotiated.
    pub(crate) negotiated: Option<Revision>,
}

/// The era of a message, or why it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Served statelessly; the validation of mcp.md 7.3 follows.
    Modern,
    /// `initialize`.
    Handshake,
    /// Served under this legacy revision.
    Legacy(Revision),
    /// A legacy request before the handshake, where one is needed.
    BeforeHandshake,
    /// A handshake after the handshake.
    SecondHandshake,
    /// `initialize` with a modern version header.
    HandshakeUnderModernHeader,
    /// A modern version header over a request without the envelope.
    EnvelopeMissing,
    /// A client's response posted as modern traffic.
    ResponseToModern,
    /// A modern notification: checked and dropped.
    ModernNotification,
    /// An envelope on a transport that is legacy only.
    ModernOnLegacyWire,
    /// A version header that names no legacy revision that is served.
    UnservedHeader,
    /// The version header is there more than once.
    RepeatedHeader,
}

fn is_modern(version: &str) -> bool {
    version >= FIRST_MODERN
}

/// Decides the era of one message.
pub(crate) fn classify(signals: &Signals<'_>, served: Revisions) -> Verdict {
    match signals.wire {
        Wire::Http => over_http(signals, served),
        Wire::HttpSse if signals.envelope => Verdict::ModernOnLegacyWire,
        Wire::HttpSse => in_process(signals),
        Wire::Stdio if signals.envelope => match signals.kind {
            Kind::Request => Verdict::Modern,
            Kind::Notification | Kind::Response => Verdict::ModernNotification,
        },
        Wire::Stdio => in_process(signals),
    }
}

/// Rows 5 to 12 of mcp.md 6.1.
fn over_http(signals: &Signals<'_>, served: Revisions) -> Verdict {
    let header = match signals.header {
        Header::Absent => None,
        Header::One(_) => Some(signals.header.text().unwrap_or_default()),
        // An enveloped request gets the validation's own answer to this; nothing else can be classified.
        Header::Repeated if signals.envelope && signals.kind == Kind::Request => return Verdict::Modern,
        Header::Repeated => return Verdict::RepeatedHeader,
    };
    let modern = header.is_some_and(is_modern);
    match signals.kind {
        Kind::Response if modern => return Verdict::ResponseToModern,
        Kind::Request if signals.envelope => return Verdict::Modern,
        Kind::Request if signals.initialize && modern => return Verdict::HandshakeUnderModernHeader,
        // A legacy version header isn't expected here and is ignored (mcp.md 8.4).
        Kind::Request if signals.initialize && signals.negotiated.is_some() => {
            return Verdict::SecondHandshake;
        }
        Kind::Request if signals.initialize => return Verdict::Handshake,
        Kind::Request if modern => return Verdict::EnvelopeMissing,
        Kind::Notification if signals.envelope || modern => return Verdict::ModernNotification,
        _ => {}
    }
    let named = match header {
        None => None,
        Some(name) => match Revision::parse(name).filter(|revision| served.serves(*revision)) {
            Some(revision) => Some(revision),
            None => return Verdict::UnservedHeader,
        },
    };
    // What was negotiated governs; without a session the header does, and without both it's 2025-03-26 (SHT-09).
    let revision = signals.negotiated.or(named).unwrap_or(Revision::V2025_03_26);
    match header {
        _ if served.serves(revision) => Verdict::Legacy(revision),
        Some(_) => Verdict::UnservedHeader,
        None => Verdict::EnvelopeMissing,
    }
}

/// Legacy traffic on a transport whose connection is the session.
fn in_process(signals: &Signals<'_>) -> Verdict {
    match (signals.kind, signals.negotiated) {
        (Kind::Request, None) if signals.initialize => Verdict::Handshake,
        (Kind::Request, Some(_)) if signals.initialize => Verdict::SecondHandshake,
        (Kind::Request, None) => Verdict::BeforeHandshake,
        (_, negotiated) => Verdict::Legacy(negotiated.unwrap_or(Revision::V2025_03_26)),
    }
}

/// What becomes of an array of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArrayVerdict {
    /// Served under this revision.
    Batch(Revision),
    /// The peer's revision has no batches.
    Refused,
}

/// Rows 3 and 4 of mcp.md 6.1, for an array whose elements are all messages without an envelope.
pub(crate) fn classify_array(
    wire: Wire,
    header: Header<'_>,
    negotiated: Option<Revision>,
    served: Revisions,
) -> ArrayVerdict {
    let signals = Signals {
        wire,
        kind: Kind::Notification,
        initialize: false,
        envelope: false,
        header,
        negotiated,
    };
    // On stdio and HTTP+SSE no revision may be assumed before the handshake.
    if wire != Wire::Http && negotiated.is_none() {
        return ArrayVerdict::Refused;
    }
    match classify(&signals, served) {
        Verdict::Legacy(revision) if revision.has_batches() => ArrayVerdict::Batch(revision),
        _ => ArrayVerdict::Refused,
    }
}

/// What an HTTP GET or DELETE on the MCP endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodiless {
    /// Legacy: a session's stream, or its end.
    Legacy,
    /// The modern era has POST only: answer 405 with `Allow: POST`.
    MethodNotAllowed,
}

/// Rows 1 and 2 of mcp.md 6.1: GET and DELETE have no body, so the version header alone decides.
pub fn classify_bodiless(version: Header<'_>) -> Bodiless {
    match version.text() {
        Some(name) if is_modern(name) => Bodiless::MethodNotAllowed,
        _ => Bodiless::Legacy,
    }
}

impl Verdict {
    /// The era that answers under this verdict.
    pub(crate) fn era(self) -> Era {
        match self {
            Self::Modern
            | Self::HandshakeUnderModernHeader
            | Self::EnvelopeMissing
            | Self::ResponseToModern
            | Self::ModernNotification => Era::Modern,
            _ => Era::Legacy,
        }
    }
}
