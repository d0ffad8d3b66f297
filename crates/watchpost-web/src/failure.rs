//! The failures of requests, and the bodies in which they are answered: RFC 9457 problems under `/api/v1`, and
//! `{"error":"…"}` on the compatible routes.

use crate::{
    schema::inline_schema,
    text::{self, next_step},
};
use bytes::Bytes;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use watchpost_core::{
    access::ChangeReceipt,
    audit::{AuditOutcome, AuditTarget},
    error::{Error, NextStep, Source, StoreError},
};

/// The media type of problems.
pub(crate) const PROBLEM: &str = "application/problem+json";

/// A stable code of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A parameter has an invalid value.
    InvalidParameter,
    /// The operation doesn't have this parameter.
    UnknownParameter,
    /// A required parameter is missing.
    MissingParameter,
    /// The body isn't one JSON object with distinct names.
    InvalidBody,
    /// The position wasn't made for this list, or it has other filters now.
    InvalidPosition,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The request is malformed in another way.
    BadRequest,
    /// The credential is missing, unknown, revoked or expired.
    Unauthorized,
    /// The key is read-only, and the operation changes something.
    WriteScopeRequired,
    /// The caller isn't allowed to do this, or to use this host name or origin.
    Forbidden,
    /// There is no such thing, or the caller may not see it.
    NotFound,
    /// The path doesn't have this method.
    MethodNotAllowed,
    /// The body took too long.
    Timeout,
    /// The current state doesn't allow the request.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// The body has another media type than JSON.
    UnsupportedMediaType,
    /// The key has used up its allowance.
    TooManyRequests,
    /// A bug; the incident's id is in the log.
    Internal,
    /// It isn't known whether the change was made.
    OutcomeUnknown,
    /// The store or the audit log can't be used right now.
    Unavailable,
}

impl Code {
    /// All codes, in the order of their statuses.
    pub const ALL: &'static [Self] = &[
        Self::InvalidParameter,
        Self::UnknownParameter,
        Self::MissingParameter,
        Self::InvalidBody,
        Self::InvalidPosition,
        Self::BadRequest,
        Self::Unauthorized,
        Self::WriteScopeRequired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::IdempotencyKeyReused,
        Self::Conflict,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::Internal,
        Self::OutcomeUnknown,
        Self::Unavailable,
    ];

    /// Returns the code's text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidParameter => "invalid_parameter",
            Self::UnknownParameter => "unknown_parameter",
            Self::MissingParameter => "missing_parameter",
            Self::InvalidBody => "invalid_body",
            Self::InvalidPosition => "invalid_position",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::WriteScopeRequired => "write_scope_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Timeout => "timeout",
            Self::Conflict => "conflict",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooManyRequests => "too_many_requests",
            Self::Internal => "internal_error",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Unavailable => "unavailable",
        }
    }

    /// Returns the HTTP status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidParameter
            | Self::UnknownParameter
            | Self::MissingParameter
            | Self::InvalidBody
            | Self::InvalidPosition
            | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::WriteScopeRequired | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::IdempotencyKeyReused | Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal | Self::OutcomeUnknown => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the code of an error that the server answers before or instead of an operation.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::Timeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            other if other.is_server_error() => Self::Internal,
            _ => Self::BadRequest,
        }
    }
}

/// Whether a failed change can be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Retry {
    /// Nothing was changed; the same request may succeed later.
    Safe,
    /// The change may have been made; the same request with the same idempotency key makes it at most once.
    SafeWithKey,
    /// The change may have been made, and a repeat would not be recognized: look first.
    Unsafe,
}

impl Serialize for Retry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Safe => "safe",
            Self::SafeWithKey => "safe_with_key",
            Self::Unsafe => "unsafe",
        })
    }
}

inline_schema!(Retry, "Retry", { "type": "string", "enum": ["safe", "safe_with_key", "unsafe"] });

/// A problem as clients see it (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Problem<'a> {
    /// Always `about:blank`: `code` tells problems apart.
    r#type: &'static str,
    /// The words of the status.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// A stable code.
    code: &'static str,
    /// The reason, and the next step.
    detail: &'a str,
    /// The name of the wrong parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    /// The name or the word that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<&'a str>,
    /// Whether a failed change can be sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Retry>,
}

/// Returns the body of a problem.
fn problem(failure: &Problem<'_>) -> Bytes {
    serde_json::to_vec(failure).unwrap_or_default().into()
}

/// Returns the body of a problem that the server answers before or instead of an operation.
pub(crate) fn problem_of_service(status: StatusCode, message: &str) -> Bytes {
    problem(&Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        code: Code::of_status(status).as_str(),
        detail: message,
        parameter: None,
        did_you_mean: None,
        retry: None,
    })
}

/// The failure of a request.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    /// The message for the caller, without text from outside except a cleaned name from the request itself.
    pub(crate) detail: String,
    pub(crate) parameter: Option<&'static str>,
    pub(crate) similar: Option<&'static str>,
    /// The outcome in the audit entry.
    pub(crate) outcome: AuditOutcome,
    /// The target in the audit entry.
    pub(crate) target: Box<AuditTarget>,
    /// The receipt of the audit entry that the use case has stored; `None` if it has yet to be stored.
    pub(crate) receipt: Option<ChangeReceipt>,
    /// The cause of an internal error or an outage, for the log.
    pub(crate) source: Option<Source>,
}

impl Failure {
    /// Creates a failure whose audit entry has yet to be stored.
    pub(crate) fn new(code: Code, outcome: AuditOutcome, detail: String) -> Self {
        Self {
            code,
            detail,
            parameter: None,
            similar: None,
            outcome,
            target: Box::default(),
            receipt: None,
            source: None,
        }
    }

    /// Creates the failure of an invalid request.
    pub(crate) fn invalid(code: Code, detail: String) -> Self {
        Self::new(code, AuditOutcome::Invalid, detail)
    }

    /// Creates the failure of a change whose audit entry the use case has stored.
    pub(crate) fn of_change(
        code: Code,
        outcome: AuditOutcome,
        detail: String,
        receipt: ChangeReceipt,
    ) -> Self {
        Self {
            receipt: Some(receipt),
            ..Self::new(code, outcome, detail)
        }
    }

    /// Creates the failure of an answer that can't be serialized, which is a bug.
    pub(crate) fn unwritable(error: serde_json::Error) -> Self {
        Self {
            source: Some(Box::new(error)),
            ..Self::new(Code::Internal, AuditOutcome::Error, String::new())
        }
    }

    /// Sets the parameter that the failure is about.
    pub(crate) fn with_parameter(mut self, name: &'static str) -> Self {
        self.parameter = Some(name);
        self
    }

    /// Sets the name or the word that was probably meant.
    pub(crate) const fn with_similar(mut self, similar: Option<&'static str>) -> Self {
        self.similar = similar;
        self
    }

    /// Sets the target of the audit entry.
    pub(crate) fn about(mut self, target: AuditTarget) -> Self {
        *self.target = target;
        self
    }

    /// Whether a failed change can be sent again. `None` if it fails again for the same reason.
    pub(crate) const fn retry(&self, has_key: bool) -> Option<Retry> {
        match self.code {
            Code::OutcomeUnknown if has_key => Some(Retry::SafeWithKey),
            Code::OutcomeUnknown => Some(Retry::Unsafe),
            Code::Internal | Code::Unavailable => Some(Retry::Safe),
            _ => None,
        }
    }

    /// Returns the body as a problem. `retry` is given for changes.
    pub(crate) fn problem(&self, retry: Option<Retry>) -> Bytes {
        let status = self.code.status();
        problem(&Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: &self.detail,
            parameter: self.parameter,
            did_you_mean: self.similar,
            retry,
        })
    }
}

/// Returns the failure of looking something up. A name of several things is a conflict, as are two scans that can't be compared,
/// and a name that nothing can have names nothing.
pub(crate) fn of_lookup(error: Error) -> Failure {
    let code = match &error {
        Error::Invalid {
            next: Some(NextStep::ChoosePerson),
            ..
        }
        | Error::Invalid {
            field: "app" | "app_name" | "entity" | "before_scan_id",
            ..
        } => Code::Conflict,
        Error::Invalid { field: "email", .. } => Code::NotFound,
        _ => return error.into(),
    };
    Failure { code, ..error.into() }
}

/// Returns the body `{"error":"…"}`.
pub(crate) fn error_body(message: &str) -> Bytes {
    serde_json::json!({ "error": message }).to_string().into()
}

/// Maps a use case's error to a code, an outcome of the audit log, and a message.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let outcome = error.outcome();
        let detail = match error {
            Error::WriteScopeRequired => text::WRITE_SCOPE_REQUIRED.to_owned(),
            _ => next_step::explained(&error),
        };
        let (code, parameter, source) = match error {
            Error::NotFound { .. } => (Code::NotFound, None, None),
            Error::WriteScopeRequired => (Code::WriteScopeRequired, None, None),
            Error::Denied => (Code::Forbidden, None, None),
            Error::Invalid { field, .. } if field == text::IDEMPOTENCY_FIELD => {
                (Code::IdempotencyKeyReused, Some(field), None)
            }
            Error::Invalid { field, .. } => (Code::InvalidParameter, Some(field), None),
            Error::Conflict { .. } => (Code::Conflict, None, None),
            Error::Unavailable { source, .. } => (Code::Unavailable, None, Some(source)),
            Error::Unknown(source) => (Code::OutcomeUnknown, None, Some(source)),
            Error::Internal(source) => (Code::Internal, None, Some(source)),
        };
        Self {
            parameter,
            source,
            ..Self::new(code, outcome, detail)
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}
