//! Determines the era of a message: on HTTP by its body first and its version header second (ERA-03), on stdio
//! by the body and the handshake. Pure functions of a message's visible signals.

use super::{Era, FIRST_MODERN, Revision, Revisions};
use crate::header::Header;

/// The transport that carries a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportKind {
    /// Streamable HTTP: both eras on one endpoint.
    Http,
    /// HTTP+SSE of 2024-11-05: legacy only.
    HttpSse,
    /// Standard input and output of one client: both eras, decided message by message.
    Stdio,
}

/// The kind of a JSON-RPC message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Notification,
    Response,
}

/// The parts of a message that determine its era.
pub(crate) struct Signals<'a> {
    pub(crate) transport: TransportKind,
    pub(crate) kind: Kind,
    /// Whether the method is `initialize`.
    pub(crate) initialize: bool,
    /// Whether `params._meta` has the key `io.modelcontextprotocol/protocolVersion`.
    pub(crate) envelope: bool,
    pub(crate) header: Header<'a>,
    /// The revision that the handshake of this session or process negotiated.
    pub(crate) negotiated: Option<Revision>,
}

/// The era of a message, or the reason why it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A modern request. It is served statelessly and must still be validated.
    Modern,
    /// A valid position for `initialize`.
    Handshake,
    /// A message of this legacy revision.
    Legacy(Revision),
    /// A legacy request before the handshake that it needs.
    BeforeHandshake,
    /// `initialize` with a modern version header.
    HandshakeUnderModernHeader,
    /// A request with a modern version header but without an envelope.
    EnvelopeMissing,
    /// A response with a modern version header. Modern servers send no requests.
    ResponseToModern,
    /// A modern notification. It is checked and then ignored.
    ModernNotification,
    /// An envelope on a transport that is legacy only.
    ModernOnLegacyTransport,
    /// A version header that names no supported legacy revision.
    UnsupportedHeader,
    /// More than one version header.
    RepeatedHeader,
}

fn is_modern(version: &str) -> bool {
    version >= FIRST_MODERN
}

/// Determines the era of one message.
pub(crate) fn classify(signals: &Signals<'_>, served: Revisions) -> Verdict {
    match signals.transport {
        TransportKind::Http => over_http(signals, served),
        TransportKind::HttpSse if signals.envelope => Verdict::ModernOnLegacyTransport,
        TransportKind::HttpSse => in_process(signals),
        TransportKind::Stdio if signals.envelope => match signals.kind {
            Kind::Request => Verdict::Modern,
            Kind::Notification | Kind::Response => Verdict::ModernNotification,
        },
        TransportKind::Stdio => in_process(signals),
    }
}

/// Determines the era of a message on Streamable HTTP (ERA-01 to ERA-03, ERA-05, ERA-06).
fn over_http(signals: &Signals<'_>, served: Revisions) -> Verdict {
    let header = match signals.header {
        Header::Absent => None,
        Header::One(_) => Some(signals.header.text().unwrap_or_default()),
        // The validation of a request with an envelope reports this error itself. Other messages can't be
        // classified.
        Header::Repeated if signals.envelope && signals.kind == Kind::Request => return Verdict::Modern,
        Header::Repeated => return Verdict::RepeatedHeader,
    };
    let modern = header.is_some_and(is_modern);
    match signals.kind {
        Kind::Response if modern => return Verdict::ResponseToModern,
        Kind::Request if signals.envelope => return Verdict::Modern,
        Kind::Request if signals.initialize && modern => return Verdict::HandshakeUnderModernHeader,
        // `initialize` isn't expected to have a version header. A legacy one is ignored.
        Kind::Request if signals.initialize => return Verdict::Handshake,
        Kind::Request if modern => return Verdict::EnvelopeMissing,
        Kind::Notification if signals.envelope || modern => return Verdict::ModernNotification,
        _ => {}
    }
    let named = match header {
        None => None,
        Some(name) => match Revision::parse(name).filter(|revision| served.serves(*revision)) {
            Some(revision) => Some(revision),
            None => return Verdict::UnsupportedHeader,
        },
    };
    // The negotiated revision takes precedence, then the header, then 2025-03-26 (SHT-09).
    let revision = signals.negotiated.or(named).unwrap_or(Revision::V2025_03_26);
    match header {
        _ if served.serves(revision) => Verdict::Legacy(revision),
        Some(_) => Verdict::UnsupportedHeader,
        None => Verdict::EnvelopeMissing,
    }
}

/// Determines the era of a legacy message on a transport where the connection is the session.
fn in_process(signals: &Signals<'_>) -> Verdict {
    match (signals.kind, signals.negotiated) {
        // A client that starts again on the same connection starts a new session.
        (Kind::Request, _) if signals.initialize => Verdict::Handshake,
        (Kind::Request, None) => Verdict::BeforeHandshake,
        (_, negotiated) => Verdict::Legacy(negotiated.unwrap_or(Revision::V2025_03_26)),
    }
}

/// Whether an array of messages is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArrayVerdict {
    /// The array is served under this revision.
    Batch(Revision),
    /// The client's revision has no batches.
    Rejected,
}

/// Classifies an array whose elements are all messages without an envelope (BAT-01).
pub(crate) fn classify_array(
    transport: TransportKind,
    header: Header<'_>,
    negotiated: Option<Revision>,
    served: Revisions,
) -> ArrayVerdict {
    let signals = Signals {
        transport,
        kind: Kind::Notification,
        initialize: false,
        envelope: false,
        header,
        negotiated,
    };
    // On stdio and HTTP+SSE, no revision may be assumed before the handshake.
    if transport != TransportKind::Http && negotiated.is_none() {
        return ArrayVerdict::Rejected;
    }
    match classify(&signals, served) {
        Verdict::Legacy(revision) if revision.has_batches() => ArrayVerdict::Batch(revision),
        _ => ArrayVerdict::Rejected,
    }
}

/// The era of an HTTP GET or DELETE on the MCP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodiless {
    /// A legacy request: it opens a session's stream, or ends the session.
    Legacy,
    /// A modern request. That era has only POST, so the response is 405 with `Allow: POST`.
    MethodNotAllowed,
}

/// Classifies a GET or DELETE. It has no body, so the version header alone decides (HTP-04).
pub fn classify_bodiless(version: Header<'_>) -> Bodiless {
    match version.text() {
        Some(name) if is_modern(name) => Bodiless::MethodNotAllowed,
        _ => Bodiless::Legacy,
    }
}

impl Verdict {
    /// Returns the era under which the verdict is answered.
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
