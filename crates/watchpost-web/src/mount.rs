//! The mount of the transport: its routes are the operations, and a router of `axum` passes requests to them.

use crate::{
    answer::Reply,
    context::{Call, Incoming},
    failure::{Code, Failure, PROBLEM, problem_of_service},
    openapi,
    operation::{Form, Kind, Method, Operation},
    operations::OPERATIONS,
    position::PositionKey,
    text,
    web::{Health, Web},
};
use axum::{
    Extension, Router,
    body::Body,
    extract::{RawPathParams, Request as AxumRequest, State, rejection::RawPathParamsRejection},
    response::{IntoResponse as _, Response as AxumResponse},
    routing::{MethodFilter, on},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, request::Parts};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};
use tower_service::Service as _;
use watchpost_core::{access::WorkspaceScope, audit::AuditKey, log_sample::LogSample, service::Watchpost};
use watchpost_transport::{
    Access, Admitted, ErrorBody, Mount, Request, Response, ResponseBody, Route, ServiceError,
};

/// The paths whose errors are problems.
const OWN: &str = "/api/v1/";

/// The headers that operations read.
const READ_HEADERS: [HeaderName; 2] = [
    http::header::CONTENT_TYPE,
    HeaderName::from_static("idempotency-key"),
];

/// The REST API, as a mount of the transport.
#[derive(Clone)]
pub struct WebMount {
    router: Router,
}

impl std::fmt::Debug for WebMount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebMount")
    }
}

impl WebMount {
    /// Creates the mount over the use cases.
    ///
    /// `positions` and `audit_key` are derived from the master key, each for its purpose alone, and are the same in all
    /// processes on one store. `version` is the version of the binary.
    pub fn new(
        watchpost: Watchpost,
        positions: PositionKey,
        audit_key: AuditKey,
        version: &'static str,
        health: Arc<dyn Health>,
    ) -> Self {
        let web = Arc::new(Web {
            watchpost,
            positions,
            audit_key,
            version,
            health,
            outages: LogSample::new(),
            document: openapi::document(version).into(),
        });
        let mut router = Router::new();
        for operation in OPERATIONS {
            let filter = match operation.declaration.method {
                Method::Get => MethodFilter::GET,
                Method::Post => MethodFilter::POST,
            };
            let handler = move |state: State<Arc<Web>>,
                                scope: Option<Extension<Arc<WorkspaceScope>>>,
                                params: Result<RawPathParams, RawPathParamsRejection>,
                                request: AxumRequest| async move {
                serve(operation, &state.0, scope, params, request).await
            };
            router = router.route(operation.declaration.path, on(filter, handler));
        }
        Self {
            router: router.with_state(web),
        }
    }
}

/// Serves a request to an operation.
async fn serve(
    operation: &'static Operation,
    web: &Web,
    scope: Option<Extension<Arc<WorkspaceScope>>>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: AxumRequest,
) -> AxumResponse {
    let (head, body) = request.into_parts();
    let Ok(params) = params else {
        let failure = Failure::invalid(Code::BadRequest, text::PATH_NOT_TEXT.to_owned());
        return web
            .refuse(&operation.declaration, &failure, false)
            .into_response();
    };
    let incoming = Incoming {
        path: params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        // The mount has read it already, within the limits of the route.
        body: body
            .collect()
            .await
            .map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes),
    };
    let reply = match (operation.kind, scope) {
        (Kind::Public(serve), _) => serve(web).await,
        (Kind::Keyed(serve), Some(Extension(scope))) => {
            let call = Call {
                web,
                scope: &scope,
                request: &incoming,
            };
            serve(call).await
        }
        // Admission lets no such request through.
        (Kind::Keyed(_), None) => Reply::problem(
            StatusCode::UNAUTHORIZED,
            problem_of_service(StatusCode::UNAUTHORIZED, text::document::UNAUTHORIZED),
        ),
    };
    reply.into_response()
}

impl WebMount {
    async fn route(&self, head: &Parts, body: Bytes, scope: Option<Arc<WorkspaceScope>>) -> Response {
        let mut request = AxumRequest::new(Body::from(body));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.clone();
        copy_headers(&head.headers, request.headers_mut());
        if let Some(scope) = scope {
            request.extensions_mut().insert(scope);
        }
        let mut router = self.router.clone();
        let Ok(response) = router.call(request).await;
        sent(response).await
    }
}

/// Copies the headers that operations read. The credential isn't among them.
fn copy_headers(from: &HeaderMap, to: &mut HeaderMap) {
    for name in READ_HEADERS {
        for value in from.get_all(&name) {
            to.append(name.clone(), value.clone());
        }
    }
}

/// Returns a response with a body of the transport: its bytes if they are complete, otherwise a stream.
async fn sent(response: AxumResponse) -> Response {
    let (head, body) = response.into_parts();
    let body = if body.size_hint().exact().is_some() {
        let bytes = body.collect().await;
        ResponseBody::bytes(bytes.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes))
    } else {
        ResponseBody::stream(Streamed(body))
    };
    Response::from_parts(head, body)
}

/// A streamed body. It ends at an error, which the export has logged.
struct Streamed(Body);

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match Pin::new(&mut self.0).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(Some(Err(_)) | None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Mount<Arc<WorkspaceScope>> for WebMount {
    fn routes(&self) -> Vec<Route> {
        OPERATIONS
            .iter()
            .map(|operation| {
                let declaration = &operation.declaration;
                let method = match declaration.method {
                    Method::Get => http::Method::GET,
                    Method::Post => http::Method::POST,
                };
                let access = if operation.is_public() {
                    Access::Public
                } else {
                    Access::Either
                };
                if declaration.path.contains('{') {
                    Route::template(declaration.path, [method], access)
                } else {
                    Route::new(declaration.path, [method], access)
                }
            })
            .collect()
    }

    async fn serve(&self, admitted: Admitted<'_, Arc<WorkspaceScope>>) -> Response {
        let Admitted {
            principal, request, ..
        } = admitted;
        let body = match request.body.read().await {
            Ok(body) => body,
            Err(error) => return error.response(),
        };
        self.route(request.head, body, Some(principal)).await
    }

    async fn serve_public(&self, request: Request<'_>) -> Response {
        self.route(request.head, Bytes::new(), None).await
    }

    fn error(&self, path: &str, error: &ServiceError<'_>) -> Option<ErrorBody> {
        let is_own = path.starts_with(OWN)
            || OPERATIONS.iter().any(|operation| {
                operation.declaration.form == Form::Own && operation.declaration.path == path
            });
        is_own.then(|| ErrorBody {
            media_type: PROBLEM,
            bytes: problem_of_service(error.status, error.message),
        })
    }
}
