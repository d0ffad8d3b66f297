//! The probe routes: `/healthz`, `/readyz` and `/metrics`.

use crate::{
    gate::Probes,
    response::{self, Response},
    routing::{
        mount::{Mount, Request},
        route::{Access, Route},
    },
};
use bytes::Bytes;
use http::{Method, StatusCode};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The mount that serves the [`Probes`].
pub(crate) struct ProbeMount<P> {
    pub(crate) probes: P,
    pub(crate) stopping: Arc<AtomicBool>,
}

impl<T: Send, P: Probes> Mount<T> for ProbeMount<P> {
    fn routes(&self) -> Vec<Route> {
        ["/healthz", "/readyz", "/metrics"]
            .map(|path| Route::new(path, [Method::GET, Method::HEAD], Access::Public))
            .into()
    }

    async fn serve_public(&self, request: Request<'_>) -> Response {
        match request.head.uri.path() {
            "/healthz" => response::json(StatusCode::OK, Bytes::from_static(br#"{"status":"ok"}"#)),
            "/readyz" => self.ready().await,
            "/metrics" => response::typed(
                StatusCode::OK,
                "text/plain; version=0.0.4; charset=utf-8",
                self.probes.metrics().await,
            ),
            _ => response::not_found(),
        }
    }
}

impl<P: Probes> ProbeMount<P> {
    async fn ready(&self) -> Response {
        if self.stopping.load(Ordering::Acquire) {
            return not_ready("stopping");
        }
        match self.probes.ready().await {
            Ok(()) => response::json(StatusCode::OK, Bytes::from_static(br#"{"status":"ready"}"#)),
            Err(reason) => not_ready(&reason),
        }
    }
}

fn not_ready(reason: &str) -> Response {
    let body = serde_json::json!({"status": "not ready", "reason": reason}).to_string();
    response::json(StatusCode::SERVICE_UNAVAILABLE, Bytes::from(body))
}
