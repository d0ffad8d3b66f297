//! The HTTP server: accepts connections, finds the vendor, checks the token, applies faults, writes responses.

use crate::{
    change::Change,
    control::{Shared, Stage, State},
    entra,
    fault::{Fault, FaultKind, Vendor},
    graph::snapshots,
    hosts::{self, HOSTS},
    ids::{self, Kind},
    okta::OktaRates,
    record::{self, Exchange},
    reply::{Body, Context, Reply, Request, Shape},
    when::http_date,
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};

/// The largest request body. No request to these APIs is larger.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The pause after a failed accept, for example when the process has run out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

type Answer = hyper::Response<Full<Bytes>>;

/// The error that closes a connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("a fault reset the connection")]
struct Reset;

/// Accepts connections until the future is dropped, which also closes the connections.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move {
                        let service = service_fn(|request| serve(Arc::clone(&shared), request));
                        // A client that disconnects or a reset closes the connection; the error isn't needed.
                        let _ = hyper::server::conn::http1::Builder::new()
                            .auto_date_header(false)
                            .serve_connection(TokioIo::new(stream), service)
                            .await;
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, request: hyper::Request<Incoming>) -> Result<Answer, Reset> {
    let recorded = shared.state().exchanges.is_some();
    let headers = recorded.then(|| record::headers(request.headers()));
    let Some(mut request) = read(&shared, request).await else {
        return Ok(respond(
            Reply::json(413, json!({ "error": "body too large" })),
            0,
            None,
        ));
    };
    let Some((prefix, vendor)) = HOSTS
        .into_iter()
        .find(|(prefix, _)| request.path.starts_with(&format!("{prefix}/")))
    else {
        let reply = control_route(&shared, &request);
        return Ok(respond(reply, 0, None));
    };
    let (fault, prepared) = {
        let mut state = shared.state();
        state.serial += 1;
        let route = format!("{} {}", request.method, without_ids(&request.path));
        *state.requests.entry(route).or_default() += 1;
        request.path = request.path.get(prefix.len()..).unwrap_or_default().to_owned();
        let fault = state.take_fault(vendor, &request.path);
        (fault, prepare(&mut state, vendor, &request))
    };
    match fault.as_ref().map(|fault| &fault.kind) {
        Some(FaultKind::Reset) => return Err(Reset),
        Some(FaultKind::Slow(ms)) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        _ => {}
    }
    let Prepared {
        context,
        serial,
        early,
    } = prepared;
    let replacement = fault.as_ref().and_then(|fault| {
        fault
            .kind
            .replacement(vendor, context.clock_ms, &context.request_id)
    });
    let mut reply = replacement
        .or(early)
        .unwrap_or_else(|| answer(&shared, vendor, &request, &context));
    if let Some(fault) = &fault {
        fault.kind.alter(&mut reply, &request.url, serial);
    }
    finish(&mut reply, vendor, &request, &context, serial);
    let answer = respond(reply, context.clock_ms, Some((vendor, context.request_id)));
    if let Some(headers) = headers {
        keep(&shared, prefix, &request, headers, &answer, fault.is_some()).await;
    }
    Ok(answer)
}

/// Records an exchange.
async fn keep(
    shared: &Shared,
    api: &'static str,
    request: &Request,
    headers: Vec<(String, String)>,
    answer: &Answer,
    faulty: bool,
) {
    let Ok(bytes) = answer.body().clone().collect().await;
    let exchange = Exchange {
        api,
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.raw_query.clone(),
        headers,
        body: request.body.to_vec(),
        status: answer.status().as_u16(),
        answer_headers: record::headers(answer.headers()),
        answer: bytes.to_bytes().to_vec(),
        faulty,
    };
    if let Some(exchanges) = &mut shared.state().exchanges {
        exchanges.push(exchange);
    }
}

/// Reads a request with its body. Returns `None` if the body is too large.
async fn read(shared: &Shared, request: hyper::Request<Incoming>) -> Option<Request> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let raw_query = head.uri.query().unwrap_or_default().to_owned();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.ok()?;
    let query = if raw_query.is_empty() {
        String::new()
    } else {
        format!("?{raw_query}")
    };
    Some(Request {
        method: head.method.as_str().to_owned(),
        url: format!("{}{path}{query}", shared.base),
        raw_query,
        authorization: header(&head.headers, "authorization"),
        accept: header(&head.headers, "accept").unwrap_or_default(),
        prefer: header(&head.headers, "prefer").unwrap_or_default(),
        body: body.to_bytes(),
        path,
    })
}

/// Returns the normal response to a request with a valid token.
fn answer(shared: &Shared, vendor: Vendor, request: &Request, context: &Context) -> Reply {
    match vendor {
        Vendor::Entra => token(shared, request, context),
        Vendor::Graph => match snapshots::route(&request.path) {
            Some(route) => {
                let mut reply = snapshots::answer(route, request, context, &mut shared.state().snapshots);
                crate::graph::add_context(request, &mut reply);
                reply
            }
            None => crate::graph::answer(request, context),
        },
        Vendor::SharePoint => hosts::sharepoint::answer(request, context),
        Vendor::Exchange | Vendor::Compliance => hosts::exchange::answer(request, context, vendor),
        Vendor::PowerPlatform => hosts::power_platform::answer(request, context),
        Vendor::Fabric => hosts::fabric::answer(request, context),
        Vendor::Okta if request.path == "/oauth2/v1/token" => token_for_okta(shared, request, context),
        Vendor::Okta => crate::okta::answer(request, context),
    }
}

struct Prepared {
    context: Context,
    serial: u64,
    /// The response if the token is invalid.
    early: Option<Reply>,
}

/// Checks the token and collects the context of the request. This is all the work that needs the lock.
fn prepare(state: &mut State, vendor: Vendor, request: &Request) -> Prepared {
    let world = Arc::clone(&state.world);
    let clock_ms = state.now_ms();
    let serial = state.serial;
    let request_id = if vendor == Vendor::Okta {
        ids::okta(world.seed, "req", Kind::Request, serial)
    } else {
        ids::guid(world.seed, Kind::Request, serial)
    };
    let mut denied: BTreeSet<String> = state
        .denied
        .iter()
        .filter(|(of, _)| *of == vendor)
        .map(|(_, name)| name.clone())
        .collect();
    let unlicensed = state.unlicensed.clone();
    let credential = |scheme| {
        let value = request.authorization.as_deref()?;
        strip_scheme(value, scheme)
    };
    let token = credential("Bearer")
        .and_then(|text| state.tokens.get(text))
        .filter(|token| token.vendor == vendor && token.expires_ms > clock_ms);
    let okta_rate = match &mut state.okta_rates {
        Some(rates) if vendor == Vendor::Okta => Some(rates.count(&request.path, clock_ms)),
        _ => None,
    };
    let early = match vendor {
        Vendor::Entra => None,
        Vendor::Graph => token
            .is_none()
            .then(|| graph_token_refused(request, clock_ms, &request_id)),
        Vendor::Okta if okta_rate.is_some_and(|rate| rate.exceeded) => {
            let summary = "API call exceeded rate limit due to too many requests.";
            Some(Reply::okta_error(429, "E0000047", summary, &request_id))
        }
        Vendor::Okta if request.path == "/oauth2/v1/token" => None,
        Vendor::Okta => match (token, credential("SSWS")) {
            (Some(token), _) => {
                // An OAuth token has the scopes it was requested with, except those that were removed since.
                let lacking = crate::okta::SCOPES
                    .iter()
                    .filter(|scope| !token.scopes.contains(**scope));
                denied.extend(lacking.map(|&scope| scope.to_owned()));
                None
            }
            (None, Some(text)) if text == state.okta_api_token() => None,
            (None, ssws) => Some(Reply::okta_bad_token(&request_id, ssws.is_none())),
        },
        Vendor::SharePoint if token.is_some_and(|token| state.certificates_only && !token.by_certificate) => {
            Some(hosts::sharepoint::certificate_required())
        }
        other => token.is_none().then(|| hosts::failure(other, 401, &request_id)),
    };
    Prepared {
        context: Context {
            world,
            clock_ms,
            denied,
            unlicensed,
            okta_role: state.okta_role,
            okta_rate,
            client_secret: state.client_secret(),
            request_id,
        },
        serial,
        early,
    }
}

fn graph_token_refused(request: &Request, clock_ms: i64, request_id: &str) -> Reply {
    let text = match request.authorization.as_deref() {
        None => "Access token is empty.",
        Some(value) if strip_scheme(value, "Bearer").is_none() => {
            "CompactToken parsing failed with error code: 80049217"
        }
        _ => "Lifetime validation failed, the token is expired.",
    };
    Reply::graph_error(401, "InvalidAuthenticationToken", text, clock_ms, request_id)
}

fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = value.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn header(headers: &hyper::HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// Handles a request for a token, which is valid for one host of Microsoft 365.
fn token(shared: &Shared, request: &Request, context: &Context) -> Reply {
    entra::answer(
        request,
        context,
        |scope| hosts::audience(&shared.base, scope),
        |vendor, by_certificate| {
            shared.state().issue(
                vendor,
                entra::TOKEN_LIFETIME_SECS,
                BTreeSet::new(),
                by_certificate,
            )
        },
    )
}

fn token_for_okta(shared: &Shared, request: &Request, context: &Context) -> Reply {
    crate::okta::token(request, context, |scopes| {
        shared.state().issue(Vendor::Okta, 3600, scopes, false)
    })
}

/// Adds the next link and the vendor's headers.
fn finish(reply: &mut Reply, vendor: Vendor, request: &Request, context: &Context, serial: u64) {
    if vendor == Vendor::Okta {
        if reply.shape != Shape::Single {
            reply
                .headers
                .push(("link", format!("<{}>; rel=\"self\"", request.url)));
            if let Some(next) = &reply.next {
                reply.headers.push(("link", format!("<{next}>; rel=\"next\"")));
            }
        }
        if !reply
            .headers
            .iter()
            .any(|(name, _)| *name == "x-rate-limit-limit")
        {
            let (limit, remaining, reset) = context.okta_rate.map_or_else(
                || {
                    let minute = context.clock_ms.div_euclid(60_000);
                    (600, 599 - serial % 300, (minute + 1) * 60)
                },
                |rate| (rate.limit, rate.remaining.into(), rate.reset),
            );
            reply.headers.extend([
                ("x-rate-limit-limit", limit.to_string()),
                ("x-rate-limit-remaining", remaining.to_string()),
                ("x-rate-limit-reset", reset.to_string()),
            ]);
        }
    }
    let next = reply.next.take();
    if let (Body::Json(Value::Object(body)), Some(next)) = (&mut reply.body, next) {
        match reply.shape {
            Shape::Graph => {
                body.insert("@odata.nextLink".to_owned(), json!(next));
            }
            Shape::OktaValue => {
                body.insert("_links".to_owned(), json!({ "next": { "href": next } }));
            }
            Shape::Arm => {
                body.insert("nextLink".to_owned(), json!(next));
            }
            Shape::Fabric => {
                body.insert("continuationUri".to_owned(), json!(next));
            }
            Shape::Okta | Shape::Single => {}
        }
    }
}

fn respond(reply: Reply, clock_ms: i64, vendor: Option<(Vendor, String)>) -> Answer {
    let (content_type, bytes) = match reply.body {
        Body::Json(value) => ("application/json", Bytes::from(value.to_string())),
        Body::BrokenJson(text) => ("application/json", Bytes::from(text)),
        Body::Html(text) => ("text/html", Bytes::from_static(text.as_bytes())),
        Body::Empty => ("application/json", Bytes::new()),
    };
    let mut response = hyper::Response::builder()
        .status(reply.status)
        .header("content-type", content_type)
        .header("date", http_date(clock_ms));
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    if let Some((vendor, request_id)) = vendor {
        response = match vendor {
            Vendor::Okta => response.header("x-okta-request-id", request_id),
            Vendor::Entra | Vendor::PowerPlatform => response.header("x-ms-request-id", request_id),
            Vendor::SharePoint => response.header("sprequestguid", request_id),
            Vendor::Fabric => response.header("requestid", request_id),
            Vendor::Graph | Vendor::Exchange | Vendor::Compliance => response
                .header("client-request-id", &request_id)
                .header("request-id", request_id),
        };
    }
    response.body(Full::new(bytes)).unwrap_or_else(|_| {
        // This happens only for a header value with a control character.
        let mut failed = Answer::new(Full::new(Bytes::from_static(b"invalid header value")));
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

/// Replaces identifiers in a path, so that there is one count per route.
fn without_ids(path: &str) -> String {
    path.split('/')
        .map(|part| {
            let digits = part.bytes().filter(u8::is_ascii_digit).count();
            if part.len() >= 18 && digits >= 3 {
                "{id}"
            } else {
                part
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// An order over HTTP, for scripts. The orders correspond to the methods of [`crate::SimulatorHandle`].
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Order {
    Stage(Stage),
    NowMs(i64),
    Fault(Fault),
    ClearFaults,
    Deny { vendor: Vendor, permission: String },
    Grant { vendor: Vendor, permission: String },
    Unlicensed { vendor: Vendor, on: bool },
    ExpireTokens,
    Change(Change),
    CertificatesOnly(bool),
    SnapshotPolls(u32),
    SnapshotBudget(u64),
    UnknownSnapshotType(String),
    OktaRole(crate::OktaRole),
    OktaRequestsPerMinute(u32),
}

/// Handles the routes of the simulator itself: `/_simulator/orders` takes one [`Order`] by POST, `/_simulator/requests`
/// returns the counts of requests.
fn control_route(shared: &Arc<Shared>, request: &Request) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_simulator/requests") => Reply::json(200, json!(shared.state().requests)),
        ("GET", "/_simulator/expected") => embedded(crate::Company::expected_json()),
        ("GET", "/_simulator/expected-checks") => embedded(crate::Company::expected_checks_json()),
        ("POST", "/_simulator/orders") => match serde_json::from_slice::<Order>(&request.body) {
            Ok(order) => match execute(&mut shared.state(), order) {
                Ok(()) => Reply::json(200, json!({ "ok": true })),
                Err(error) => Reply::json(409, json!({ "error": error.to_string() })),
            },
            Err(error) => Reply::json(400, json!({ "error": error.to_string() })),
        },
        _ => Reply::json(
            404,
            json!({ "error": format!("the simulator serves {} and /_simulator", HOSTS.map(|(path, _)| path).join(", ")) }),
        ),
    }
}

fn embedded(json: &str) -> Reply {
    match serde_json::from_str(json) {
        Ok(expected) => Reply::json(200, expected),
        Err(error) => Reply::json(500, json!({ "error": error.to_string() })),
    }
}

fn execute(state: &mut State, order: Order) -> Result<(), crate::ChangeError> {
    match order {
        Order::Stage(stage) => state.set_stage(stage),
        Order::NowMs(now_ms) => state.set_now(now_ms),
        Order::Fault(fault) => state.faults.push(fault),
        Order::ClearFaults => state.faults.clear(),
        Order::Deny { vendor, permission } => {
            state.denied.insert((vendor, permission));
        }
        Order::Grant { vendor, permission } => {
            state.denied.remove(&(vendor, permission));
        }
        Order::Unlicensed { vendor, on: true } => {
            state.unlicensed.insert(vendor);
        }
        Order::Unlicensed { vendor, on: false } => {
            state.unlicensed.remove(&vendor);
        }
        Order::ExpireTokens => state.tokens.clear(),
        Order::Change(change) => state.apply(&change)?,
        Order::CertificatesOnly(only) => state.certificates_only = only,
        Order::SnapshotPolls(polls) => state.snapshots.polls = polls,
        Order::SnapshotBudget(budget) => state.snapshots.budget = budget,
        Order::OktaRole(role) => state.okta_role = role,
        Order::OktaRequestsPerMinute(requests) => state.okta_rates = Some(OktaRates::new(requests)),
        Order::UnknownSnapshotType(name) => {
            state.snapshots.unknown.insert(name);
        }
    }
    Ok(())
}
