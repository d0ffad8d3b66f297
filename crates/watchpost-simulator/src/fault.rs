//! Faults that a test or a script injects into the vendors' APIs.

use crate::{
    entra, hosts,
    reply::{Body, Reply, Shape},
    when::http_date,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// A simulated vendor API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// Entra's token endpoint, under `/login`.
    Entra,
    /// Microsoft Graph, under `/graph`.
    Graph,
    /// Okta, under `/okta`, including its token endpoint.
    Okta,
    /// SharePoint's tenant administration, under `/sharepoint-admin`.
    #[serde(rename = "sharepoint")]
    SharePoint,
    /// Exchange Online's administration, under `/exchange`.
    Exchange,
    /// Security and compliance cmdlets, under `/compliance`.
    Compliance,
    /// Power Platform's administration, under `/power-platform`.
    PowerPlatform,
    /// Fabric's administration (Power BI), under `/fabric`.
    Fabric,
}

/// A fault. Faults are checked in the order in which they were added, and only the first that matches a request is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The API that the fault affects.
    pub vendor: Vendor,
    /// A part of the path, which has a leading slash and no vendor prefix. An empty text matches every path.
    pub path_contains: String,
    /// The number of matching requests that the fault affects. `u32::MAX` means all.
    pub times: u32,
    /// The effect of the fault.
    pub kind: FaultKind,
}

/// The effect of a fault on a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Status 429 with the vendor's error body.
    TooManyRequests(RetryAfter),
    /// Status 500 with the vendor's error body.
    InternalError,
    /// Status 502 with an HTML body.
    BadGateway,
    /// Status 503 with the vendor's error body.
    Unavailable,
    /// Status 401, as if the token had just expired.
    Unauthorized,
    /// Status 403, as if the permission were missing.
    Forbidden,
    /// The connection is closed without a response.
    Reset,
    /// The normal response after a delay in milliseconds. The delay uses tokio's clock, so a test with paused time doesn't wait.
    Slow(u64),
    /// Status 200 with JSON that is cut off in the middle.
    MalformedJson,
    /// The `id` of the first row is an object. Has no effect on a response that isn't a list.
    WrongTypeInOneRow,
    /// The next link points to the same page.
    LoopingNext,
    /// The next link names another host, but has the path and query of the next page. Has no effect on the last page.
    ForeignNext,
    /// Every page has a next link, each with a different address.
    EndlessPages,
    /// Every field of each row is null, except those that identify or classify the row.
    NullOptionals,
    /// Enumerations have an unknown value.
    UnknownEnum,
    /// Only this share of each page's rows is left, in percent, as if the caller could no longer see the others; at 0, the list
    /// also ends. Has no effect on a response that isn't a list.
    HiddenRows(u8),
    /// The rows are repeated until the page has this many. Has no effect on an empty list or a response that isn't a list.
    HugeList(u32),
}

/// The form in which a response with status 429 gives the time to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// `Retry-After` with a number of seconds.
    Seconds(u32),
    /// `Retry-After` with an HTTP date that is this number of seconds after the simulator's clock.
    Date(u32),
    /// No `Retry-After` header. Okta's reset header still gives one second.
    Absent,
}

impl FaultKind {
    /// Returns the response that replaces the normal one, if this fault replaces it.
    pub(crate) fn replacement(&self, vendor: Vendor, clock_ms: i64, request_id: &str) -> Option<Reply> {
        match self {
            Self::TooManyRequests(retry) => return Some(too_many(*retry, vendor, clock_ms, request_id)),
            Self::BadGateway => {
                return Some(Reply {
                    status: 502,
                    headers: Vec::new(),
                    body: Body::Html(
                        "<html><head><title>502 Bad Gateway</title></head><body>502</body></html>",
                    ),
                    next: None,
                    shape: Shape::Single,
                });
            }
            _ => {}
        }
        match vendor {
            Vendor::Entra => self.at_entra(clock_ms, request_id),
            Vendor::Graph => self.at_graph(clock_ms, request_id),
            Vendor::Okta => self.at_okta(request_id),
            other => {
                let status = match self {
                    Self::InternalError => 500,
                    Self::Unavailable => 503,
                    Self::Unauthorized => 401,
                    Self::Forbidden => 403,
                    _ => return None,
                };
                Some(hosts::failure(other, status, request_id))
            }
        }
    }

    fn at_entra(&self, clock_ms: i64, request_id: &str) -> Option<Reply> {
        let busy = "A transient error has occurred. Please try again.";
        let (status, error, code, text) = match self {
            Self::InternalError => (500, "temporarily_unavailable", 90_033, busy),
            Self::Unavailable => (503, "temporarily_unavailable", 90_033, busy),
            Self::Unauthorized => (
                401,
                "invalid_client",
                7_000_222,
                "The provided client secret keys are expired.",
            ),
            Self::Forbidden => (
                400,
                "unauthorized_client",
                7_000_112,
                "The application is disabled.",
            ),
            _ => return None,
        };
        Some(entra::failure(status, error, code, text, clock_ms, request_id))
    }

    fn at_graph(&self, clock_ms: i64, request_id: &str) -> Option<Reply> {
        let (status, code, text) = match self {
            Self::InternalError => (500, "generalException", "An unexpected error occurred."),
            Self::Unavailable => (
                503,
                "serviceNotAvailable",
                "The service is temporarily unavailable.",
            ),
            Self::Unauthorized => (
                401,
                "InvalidAuthenticationToken",
                "Lifetime validation failed, the token is expired.",
            ),
            Self::Forbidden => (
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
            ),
            _ => return None,
        };
        Some(Reply::graph_error(status, code, text, clock_ms, request_id))
    }

    fn at_okta(&self, request_id: &str) -> Option<Reply> {
        let (status, code, summary) = match self {
            Self::InternalError => (500, "E0000009", "Internal Server Error"),
            Self::Unavailable => (503, "E0000009", "Service temporarily unavailable"),
            Self::Forbidden => (
                403,
                "E0000006",
                "You do not have permission to perform the requested action",
            ),
            Self::Unauthorized => return Some(Reply::okta_bad_token(request_id, true)),
            _ => return None,
        };
        Some(Reply::okta_error(status, code, summary, request_id))
    }

    /// Modifies the normal response, if this fault does so.
    pub(crate) fn alter(&self, reply: &mut Reply, self_url: &str, serial: u64) {
        match self {
            Self::MalformedJson => {
                if let Body::Json(value) = &reply.body {
                    let mut text = value.to_string();
                    // Cut off at the character boundary nearest to the middle.
                    let mut cut = text.len() / 2;
                    while !text.is_char_boundary(cut) {
                        cut -= 1;
                    }
                    text.truncate(cut);
                    reply.body = Body::BrokenJson(text);
                }
                reply.next = None;
            }
            Self::LoopingNext if reply.shape != Shape::Single => reply.next = Some(self_url.to_owned()),
            Self::ForeignNext => {
                if let Some(next) = &mut reply.next {
                    *next = on_foreign_host(next);
                }
            }
            Self::EndlessPages => {
                let parameter = match reply.shape {
                    Shape::Single => return,
                    Shape::Graph | Shape::Arm => "$skiptoken",
                    Shape::Fabric => "continuationToken",
                    Shape::Okta | Shape::OktaValue => "after",
                };
                let (path, query) = self_url.split_once('?').unwrap_or((self_url, ""));
                let kept = crate::reply::without_parameter(query, parameter);
                let join = if kept.is_empty() { "" } else { "&" };
                reply.next = Some(format!("{path}?{kept}{join}{parameter}=endless-{serial}"));
            }
            Self::WrongTypeInOneRow => {
                if let Some(Value::Object(row)) = reply.rows_mut().and_then(|rows| rows.first_mut()) {
                    row.insert("id".to_owned(), json!({ "unexpected": true }));
                }
            }
            Self::NullOptionals => {
                for row in reply.rows_mut().into_iter().flatten() {
                    null_optionals(row);
                }
            }
            Self::HiddenRows(percent) => {
                if let Some(rows) = reply.rows_mut() {
                    rows.truncate(rows.len() * usize::from(*percent) / 100);
                    if *percent == 0 {
                        reply.next = None;
                    }
                }
            }
            Self::HugeList(count) => {
                if let Some(rows) = reply.rows_mut().filter(|rows| !rows.is_empty()) {
                    let once = rows.clone();
                    let count = (*count).min(ROWS_MAX) as usize;
                    *rows = once.into_iter().cycle().take(count).collect();
                }
            }
            Self::UnknownEnum => {
                for row in reply.rows_mut().into_iter().flatten() {
                    unknown_enums(row);
                }
            }
            _ => {}
        }
    }
}

/// Returns a response with status 429 and the vendor's error body and headers.
fn too_many(retry: RetryAfter, vendor: Vendor, clock_ms: i64, request_id: &str) -> Reply {
    let mut reply = match vendor {
        Vendor::Okta => {
            let summary = "API call exceeded rate limit due to too many requests.";
            Reply::okta_error(429, "E0000047", summary, request_id)
        }
        Vendor::Graph => {
            Reply::graph_error(429, "TooManyRequests", "Too many requests.", clock_ms, request_id)
        }
        Vendor::Entra => {
            let text = "There are too many incoming requests.";
            entra::failure(429, "temporarily_unavailable", 90_055, text, clock_ms, request_id)
        }
        other => hosts::failure(other, 429, request_id),
    };
    let wait_secs = match retry {
        RetryAfter::Seconds(seconds) => {
            reply.headers.push(("retry-after", seconds.to_string()));
            seconds
        }
        RetryAfter::Date(seconds) => {
            let date = http_date(clock_ms + i64::from(seconds) * 1000);
            reply.headers.push(("retry-after", date));
            seconds
        }
        RetryAfter::Absent => 1,
    };
    if vendor == Vendor::Okta {
        reply.headers.push(("x-rate-limit-limit", "600".to_owned()));
        reply.headers.push(("x-rate-limit-remaining", "0".to_owned()));
        let reset = clock_ms / 1000 + i64::from(wait_secs);
        reply.headers.push(("x-rate-limit-reset", reset.to_string()));
    }
    reply
}

/// The most rows of a huge list, so that the fault doesn't exhaust the memory of a small machine.
const ROWS_MAX: u32 = 200_000;

/// The fields that identify or classify a row.
const IDENTIFYING: [&str; 11] = [
    "id",
    "appId",
    "clientId",
    "principalId",
    "resourceId",
    "roleDefinitionId",
    "userPrincipalName",
    "login",
    "profile",
    "status",
    "type",
];

fn null_optionals(row: &mut Value) {
    if let Value::Object(fields) = row {
        for (name, value) in fields.iter_mut() {
            if name == "profile" {
                null_optionals(value);
            } else if !IDENTIFYING.contains(&name.as_str()) {
                *value = Value::Null;
            }
        }
    }
}

const ENUMERATIONS: [&str; 12] = [
    "assignmentType",
    "consentType",
    "externalUserState",
    "factorType",
    "memberType",
    "principalType",
    "servicePrincipalType",
    "signOnMode",
    "state",
    "status",
    "type",
    "userType",
];

fn unknown_enums(row: &mut Value) {
    if let Value::Object(fields) = row {
        for name in ENUMERATIONS {
            if let Some(value) = fields.get_mut(name).filter(|value| value.is_string()) {
                *value = json!("somethingNobodyHasSeenYet");
            }
        }
    }
}

/// Returns an address with another host.
fn on_foreign_host(address: &str) -> String {
    let path = address
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'));
    format!(
        "https://collector.foreign.example/{}",
        path.map_or("", |(_, path)| path)
    )
}
