//! The server for one local client on standard input and output. Expensive work doesn't delay the first answer: rules and
//! connectors are loaded when they are needed, and the worker starts later.

use crate::{
    changes,
    clock::ForTransport,
    data_dir::Purpose,
    gate::StdioGate,
    guard,
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

/// The environment variable with the client's API key.
pub const API_KEY_VARIABLE: &str = "WATCHPOST_API_KEY";

/// Delay before the worker starts, so that it doesn't slow down the handshake.
const WORKER_DELAY: Duration = Duration::from_secs(1);

/// Identity and permissions of the client.
#[derive(Debug)]
pub struct StdioOptions {
    /// The API key from the environment. With a wrong key, every request is rejected.
    pub key: Option<SecretString>,
    /// For a client without a key: the workspace's name, if there are several.
    pub workspace: Option<String>,
    /// For a client without a key: the client's scope.
    pub scope: KeyScope,
}

/// Whether tools can be called yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// The data is being prepared: calls wait.
    Waiting,
    /// The data is ready: calls are answered.
    Ready,
    /// The preparation failed: calls fail.
    Failed,
}

/// Serves the client on the standard input and output of this process until the input ends or the process receives
/// SIGTERM, SIGINT or SIGHUP. Calls of tools wait until `ready` is no longer [`Readiness::Waiting`].
///
/// # Errors
/// If the store fails, if no workspace can be selected, or if standard input or output fail.
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
        let guard = guard::start(instance, event_loop()?, stop.clone()).await?;
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
            // The demo runs the jobs of its history on its own. If that fails, the worker has nothing to do.
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
        for thread in [worker, feeder, guard] {
            if thread.join().is_err() {
                tracing::error!("a thread panicked");
            }
        }
        anyhow::Ok(served?)
    });
    // Doesn't wait for a pending read of standard input.
    runtime.shutdown_background();
    instance.store().close();
    served
}

/// A handler that delays requests for data until the data is ready.
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
