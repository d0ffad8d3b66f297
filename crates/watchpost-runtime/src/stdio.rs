//! One local client on standard input and output. Nothing heavy happens before its first answer: rules, connectors and
//! the worker come later or not at all.

use crate::{
    changes,
    clock::ForTransport,
    data_dir::Purpose,
    gate::StdioGate,
    instance::Instance,
    metrics::Counters,
    serve::{event_loop, stop_signal},
    worker,
};
use secrecy::SecretString;
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio::sync::watch;
use watchpost_core::{access::KeyScope, access::WorkspaceScope};
use watchpost_protocol::{
    Call, CallError, Capabilities, Changes, Handler, Interest, Method, Outcome, ParameterHeaders, Server,
    ServerInfo,
};
use watchpost_transport::{Caller, Gate as _, Limits, Refusal, StateKeys, StdioService, Timing};

/// The environment variable with the client's key.
pub const API_KEY_VARIABLE: &str = "WATCHPOST_API_KEY";

/// The worker lets the handshake go first.
const WORKER_DELAY: Duration = Duration::from_secs(1);

/// Who the client is.
#[derive(Debug)]
pub struct StdioOptions {
    /// The key from the environment. A wrong one is refused on every request.
    pub key: Option<SecretString>,
    /// Without a key: the workspace's name, where there are several.
    pub workspace: Option<String>,
    /// Without a key: what the client may do.
    pub scope: KeyScope,
}

/// Whether tools can be called yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Calls wait.
    Waiting,
    /// Calls are answered.
    Ready,
    /// Calls fail: preparing failed.
    Failed,
}

/// Serves the client on this process's standard input and output until the input ends or a stop signal comes. Tool
/// calls wait for `ready`.
///
/// # Errors
/// If the store can't be used, no workspace fits, or input or output break.
pub fn serve_stdio(
    instance: &Instance,
    options: StdioOptions,
    ready: watch::Receiver<Readiness>,
) -> anyhow::Result<()> {
    let runtime = event_loop()?;
    let counters = Arc::new(Counters::default());
    let gate = Arc::new(StdioGate::new(
        Arc::clone(instance.access()),
        options.key,
        Arc::clone(&counters),
    ));
    let (stopping, stop) = watch::channel(false);
    let served = runtime.block_on(async {
        let signal = stop_signal()?;
        let admission = match gate.admit(None, &Caller::local()).await {
            Err(Refusal::Missing) => {
                let workspace = instance.workspace(options.workspace.as_deref()).await?;
                Ok(instance.local_client(&workspace, options.scope))
            }
            admission => admission,
        };
        let mut prepared = ready.clone();
        let begin = async move {
            tokio::time::sleep(WORKER_DELAY).await;
            // The demo runs the jobs of its past itself; if that fails there is nothing to work on.
            let settled = prepared.wait_for(|state| *state != Readiness::Waiting).await;
            if !settled.is_ok_and(|state| *state == Readiness::Ready) {
                std::future::pending::<()>().await;
            }
        };
        let mcp = instance.mcp()?;
        let feeder = changes::spawn(mcp.change_feed(), stop.clone())?;
        let handler = Waiting { inner: mcp, ready };
        let service = StdioService {
            server: Arc::new(Server::new(handler)),
            gate,
            admission,
            limits: Limits::default(),
            timing: Timing::default(),
            state_keys: StateKeys::new(*instance.derived(Purpose::RequestState)),
            clock: Arc::new(ForTransport(Arc::clone(&instance.environment().clock))),
            random: Arc::new(ForTransport(Arc::clone(&instance.environment().random))),
        };
        let worker = worker::spawn(instance.clone(), counters, begin, stop)?;
        let served =
            watchpost_transport::serve_stdio(service, tokio::io::stdin(), tokio::io::stdout(), signal).await;
        let _ = stopping.send(true);
        for thread in [worker, feeder] {
            if thread.join().is_err() {
                tracing::error!("a thread broke off");
            }
        }
        anyhow::Ok(served?)
    });
    // A read of standard input may still be waiting; nobody waits for it.
    runtime.shutdown_background();
    instance.store().close();
    served
}

/// Holds what asks for data back until the demo has its first analysis.
struct Waiting<H> {
    inner: H,
    ready: watch::Receiver<Readiness>,
}

impl<H: Handler<Principal = Arc<WorkspaceScope>>> Handler for Waiting<H> {
    type Principal = Arc<WorkspaceScope>;

    fn info(&self) -> &ServerInfo {
        self.inner.info()
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
    fn instructions(&self, principal: &Self::Principal) -> Option<Cow<'_, str>> {
        self.inner.instructions(principal)
    }
    fn parameter_headers(&self) -> ParameterHeaders {
        self.inner.parameter_headers()
    }
    fn watch(&self, principal: &Self::Principal, interest: &Interest) -> Box<dyn Changes> {
        self.inner.watch(principal, interest)
    }
    async fn call(&self, principal: &Self::Principal, call: Call<'_>) -> Outcome {
        if !matches!(call.method, Method::ListTools { .. } | Method::ListPrompts { .. })
            && *self.ready.borrow() != Readiness::Ready
        {
            let mut ready = self.ready.clone();
            let settled = ready.wait_for(|state| *state != Readiness::Waiting).await;
            if !settled.is_ok_and(|state| *state == Readiness::Ready) {
                return Outcome::Error(CallError::Internal);
            }
        }
        self.inner.call(principal, call).await
    }
}
