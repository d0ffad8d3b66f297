//! A test server with a fake gate and some tools.

use crate::http_client::HttpClient;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot, watch},
    task::JoinHandle,
};
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, ChangeHub, Changes, Completed, Field, Form,
    FormAnswer, Handler, InputRequest, InputRequired, Interest, LogLevel, Method, Offer, Outcome, Server,
    ServerInfo, ToolCatalog, ToolDefinition, ToolHints, ToolPage, ToolResult,
};
use watchpost_transport::{
    Binding, Caller, Clock, Config, Credential, Gate, Mounts, Probes, Random, Refusal, RouteConflict,
    Service, SessionKey, StateKeys, StdioService, Timing, serve,
};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const GOOD: &str = "good-key";
pub(crate) const OTHER: &str = "other-key";

/// A clock that changes only when it is advanced.
pub(crate) struct SetClock(AtomicU64);

impl SetClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn unix_seconds(&self) -> u64 {
        NOW + self.0.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(1_000 + self.0.load(Ordering::SeqCst))
    }
}

/// Yields different bytes on each call.
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = n[at % 8] ^ u8::try_from(at).unwrap();
        }
    }
}

/// A gate that accepts two keys until they are revoked.
pub(crate) struct FakeGate {
    keys: Mutex<HashMap<&'static str, bool>>,
    /// The number of requests that a key may still make. Unlimited for keys without an entry.
    allowances: Mutex<HashMap<&'static str, u32>>,
}

impl FakeGate {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            keys: Mutex::new([(GOOD, true), (OTHER, true)].into()),
            allowances: Mutex::default(),
        })
    }

    pub(crate) fn revoke(&self, key: &'static str) {
        self.keys.lock().unwrap().insert(key, false);
    }

    /// Limits the number of further requests that a key may make.
    pub(crate) fn allow(&self, key: &'static str, requests: u32) {
        self.allowances.lock().unwrap().insert(key, requests);
    }

    fn is_within_allowance(&self, key: &str) -> bool {
        match self.allowances.lock().unwrap().get_mut(key) {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    fn is_valid(&self, key: &str) -> bool {
        self.keys.lock().unwrap().get(key).copied().unwrap_or(false)
    }
}

impl Gate for FakeGate {
    type Principal = Arc<str>;

    fn is_key(&self, secret: &str) -> bool {
        secret.contains("key")
    }

    async fn admit(&self, credential: Option<Credential<'_>>, _: &Caller<'_>) -> Result<Arc<str>, Refusal> {
        let retry_after = Duration::from_millis(6_500);
        let secret = match credential {
            None => return Err(Refusal::Missing),
            Some(Credential::Key(secret)) => secret.expose(),
            Some(_) => return Err(Refusal::Invalid),
        };
        match secret {
            "spent-key" => Err(Refusal::Throttled { retry_after }),
            "key-of-a-locked-store" => Err(Refusal::Unavailable { retry_after }),
            key if !self.is_valid(key) => Err(Refusal::Invalid),
            key if self.is_within_allowance(key) => Ok(key.into()),
            _ => Err(Refusal::Throttled { retry_after }),
        }
    }

    fn binding(&self, principal: &Arc<str>) -> Binding {
        Binding::new(principal.as_bytes()).unwrap()
    }

    async fn still_valid(&self, principal: &Arc<str>) -> bool {
        self.is_valid(principal)
    }
}

pub(crate) struct FakeProbes;

impl Probes for FakeProbes {
    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    async fn metrics(&self) -> String {
        "calls_total 1\n".to_owned()
    }
}

/// The state that tests and tools share: signals that tools wait for, and counters.
pub(crate) struct Bench {
    pub(crate) release: Semaphore,
    pub(crate) started: watch::Sender<usize>,
    pub(crate) finished: watch::Sender<usize>,
    pub(crate) dropped: watch::Sender<usize>,
    /// The hub on which tests publish changes.
    pub(crate) hub: ChangeHub,
}

impl Bench {
    pub(crate) async fn until(counter: &watch::Sender<usize>, count: usize) {
        let mut seen = counter.subscribe();
        let waiting = seen.wait_for(|now| *now >= count);
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .expect("the counter reaches the value in time")
            .unwrap();
    }
}

struct Dropped<'a>(&'a Bench, bool);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        let counter = if self.1 { &self.0.finished } else { &self.0.dropped };
        counter.send_modify(|count| *count += 1);
    }
}

/// The tools: `echo` returns its arguments, `wait` waits to be released, `step` reports progress and waits,
/// `panic` panics, `ask` asks the user, `say` logs, `disconnect` makes its client disconnect and waits.
pub(crate) struct Tools {
    info: ServerInfo,
    catalog: Arc<ToolCatalog>,
    bench: Arc<Bench>,
}

impl Handler for Tools {
    type Principal = Arc<str>;

    fn info(&self) -> &ServerInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            tools: Offer::Changing,
            resources: Offer::Changing,
            resource_subscriptions: true,
            logging: true,
            ..Capabilities::default()
        }
    }

    fn instructions(&self, _: &Arc<str>) -> Option<std::borrow::Cow<'_, str>> {
        None
    }

    fn watch(&self, _: &Arc<str>, interest: &Interest) -> Box<dyn Changes> {
        self.bench.hub.open(interest)
    }

    async fn call(&self, principal: &Arc<str>, call: Call<'_>) -> Outcome {
        let (name, arguments) = match &call.method {
            Method::ListTools { .. } => {
                return Outcome::Complete(Completed::Tools(ToolPage {
                    catalog: Arc::clone(&self.catalog),
                    next_cursor: None,
                    cache: CacheHint {
                        ttl_ms: 1_000,
                        scope: CacheScope::Private,
                    },
                }));
            }
            Method::CallTool { name, arguments } => {
                (name.as_ref(), arguments.map_or("{}", |raw| raw.as_str()))
            }
            Method::Subscribe { .. } | Method::Unsubscribe { .. } | Method::Listen { .. } => {
                return Outcome::Complete(Completed::Acknowledged);
            }
            // There are no resources to read. They only report changes.
            Method::ReadResource { .. } => return Outcome::Error(CallError::UnknownResource),
            Method::ListResources { .. } | Method::ListResourceTemplates { .. } => {
                return Outcome::Error(CallError::InvalidCursor);
            }
            other => panic!("not offered: {other:?}"),
        };
        let text = match name {
            "echo" => format!("{principal} said {arguments}"),
            "ask" => {
                let form = Form::new().field("really", Field::boolean().required());
                let state = call.meta.inputs().state().map(<[u8]>::to_vec);
                match call.meta.inputs().form("sure", &form) {
                    Some(FormAnswer::Accepted(content)) => {
                        assert_eq!(state.as_deref(), Some(b"asked".as_slice()));
                        format!("accepted {:?}", content.boolean("really"))
                    }
                    Some(other) => format!("{other:?}"),
                    None => {
                        let message = "Really?".to_owned();
                        return Outcome::InputRequired(InputRequired {
                            requests: vec![("sure".to_owned(), InputRequest::Form { message, form })],
                            state: Some(b"asked".to_vec()),
                        });
                    }
                }
            }
            "say" => {
                call.meta.notify().log(LogLevel::Debug, None, "a detail");
                call.meta
                    .notify()
                    .log(LogLevel::Error, Some("bench"), "a failure");
                "said".to_owned()
            }
            "disconnect" => {
                call.meta.notify().disconnect(Duration::from_millis(7));
                self.bench.started.send_modify(|count| *count += 1);
                self.bench.release.acquire().await.unwrap().forget();
                "resumed".to_owned()
            }
            "wait" | "step" => {
                let mut guard = Dropped(&self.bench, false);
                self.bench.started.send_modify(|count| *count += 1);
                if name == "step" {
                    call.meta.notify().progress(1.0, Some(2.0), Some("half-way"));
                }
                self.bench.release.acquire().await.unwrap().forget();
                guard.1 = true;
                "done".to_owned()
            }
            "panic" => panic!("this tool always panics"),
            _ => return Outcome::Error(CallError::UnknownTool),
        };
        Outcome::Complete(Completed::Tool(ToolResult::text(&text)))
    }
}

pub(crate) fn server(bench: &Arc<Bench>) -> Arc<Server<Tools>> {
    let tools = ["ask", "echo", "panic", "disconnect", "say", "step", "wait"].map(|name| ToolDefinition {
        name: name.to_owned(),
        title: None,
        description: format!("For tests: {name}."),
        input_schema: serde_json::value::to_raw_value(&serde_json::json!({"type": "object"})).unwrap(),
        output_schema: None,
        hints: ToolHints {
            read_only: true,
            destructive: false,
            idempotent: true,
            open_world: false,
        },
    });
    let info = ServerInfo {
        name: "bench".to_owned(),
        title: None,
        version: "1.0.0".to_owned(),
        description: None,
        website_url: None,
        icon: None,
    };
    let catalog = Arc::new(ToolCatalog::new(tools.to_vec()).unwrap());
    Arc::new(Server::new(Tools {
        info,
        catalog,
        bench: Arc::clone(bench),
    }))
}

pub(crate) type FakeService = Service<FakeGate, Tools, FakeProbes>;

/// A server that isn't listening yet.
pub(crate) struct Unserved {
    service: FakeService,
    gate: Arc<FakeGate>,
    clock: Arc<SetClock>,
    bench: Arc<Bench>,
}

/// A running server on its own port.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) gate: Arc<FakeGate>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) bench: Arc<Bench>,
    pub(crate) service: FakeService,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

pub(crate) fn bench() -> Arc<Bench> {
    Arc::new(Bench {
        release: Semaphore::new(0),
        started: watch::Sender::new(0),
        finished: watch::Sender::new(0),
        dropped: watch::Sender::new(0),
        hub: ChangeHub::new(),
    })
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Changes the configuration before the server starts.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_mounts(change, Mounts::default()).await
    }

    /// Creates a server that isn't listening, or returns why it can't be created. Streams are checked at short
    /// intervals, so that tests are fast.
    pub(crate) fn try_service(
        change: impl FnOnce(&mut Config),
        mounts: Mounts<Arc<str>>,
    ) -> Result<Unserved, RouteConflict> {
        let clock = Arc::new(SetClock(AtomicU64::new(0)));
        let mut config = Config::new(
            SessionKey::new([7; 32]),
            StateKeys::new([9; 32]),
            Arc::<SetClock>::clone(&clock),
            Arc::new(Counting(AtomicU64::new(0))),
        );
        config.timing = Timing {
            revocation_check: Duration::from_millis(20),
            ..Timing::default()
        };
        change(&mut config);
        let (gate, bench) = (FakeGate::new(), bench());
        let service = Service::with_mounts(config, Arc::clone(&gate), server(&bench), FakeProbes, mounts)?;
        Ok(Unserved {
            service,
            gate,
            clock,
            bench,
        })
    }

    /// Like [`App::with`], with additional mounts.
    pub(crate) async fn with_mounts(change: impl FnOnce(&mut Config), mounts: Mounts<Arc<str>>) -> Self {
        let Unserved {
            service,
            gate,
            clock,
            bench,
        } = Self::try_service(change, mounts).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(listener, service.clone(), async {
            let _ = stopped.await;
        }));
        Self {
            address,
            gate,
            clock,
            bench,
            service,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    pub(crate) async fn connect(&self) -> HttpClient {
        HttpClient::connect(self.address).await
    }

    /// Signals the server to stop. The returned task ends when the server has stopped.
    pub(crate) fn stop(&mut self) -> JoinHandle<()> {
        self.stop.take().unwrap().send(()).unwrap();
        self.serving.take().unwrap()
    }
}

/// Returns the service of one stdio client.
pub(crate) fn stdio_service(
    bench: &Arc<Bench>,
    gate: &Arc<FakeGate>,
    admission: Result<Arc<str>, Refusal>,
) -> StdioService<FakeGate, Tools> {
    StdioService {
        server: server(bench),
        gate: Arc::clone(gate),
        admission,
        limits: watchpost_transport::Limits::default(),
        timing: Timing::default(),
        state_keys: StateKeys::new([9; 32]),
        clock: Arc::new(SetClock(AtomicU64::new(0))),
        random: Arc::new(Counting(0.into())),
    }
}
