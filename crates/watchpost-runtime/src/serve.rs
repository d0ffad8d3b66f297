//! The HTTP servers: one listening socket, one single-threaded event loop per processor, and the worker on a separate
//! thread.

use crate::{
    changes,
    clock::ForTransport,
    config::{HttpSettings, Settings},
    data_dir::Purpose,
    gate::KeyGate,
    guard,
    instance::Instance,
    metrics::{Counters, StoreProbes},
    open_files::OpenFiles,
    text, worker,
};
use anyhow::Context as _;
use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    thread,
};
use tokio::{runtime::Runtime, sync::watch};
use watchpost_mcp::{ChangeFeed, McpServer};
use watchpost_protocol::Server;
use watchpost_transport::{AllowedHosts, Config, Limits, Mounts, Service, SessionKey, StateKeys, Surface};

/// Maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

type HttpService = Service<KeyGate, McpServer, Arc<StoreProbes>>;

/// Serves until SIGTERM, SIGINT or SIGHUP, then lets running requests finish. Calls `announce` with the actual address once
/// connections are accepted.
///
/// # Errors
/// If the settings don't allow the address, or if the server can't start. Each message says what to do.
pub fn serve_http(
    instance: &Instance,
    surface: Surface,
    announce: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    serve_until(instance, surface, stop_signal, announce)
}

/// Serves as [`serve_http`] does, until the future of `stop` completes. `stop` is called in a running event loop.
///
/// # Errors
/// The same as of [`serve_http`], and the error of `stop`.
pub fn serve_until<S: Future<Output = ()>>(
    instance: &Instance,
    surface: Surface,
    stop: impl FnOnce() -> anyhow::Result<S>,
    announce: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let settings = &instance.settings().http;
    let runtime = event_loop()?;
    let (stopping, stopped) = watch::channel(false);
    runtime.block_on(check_address(instance, settings))?;
    let listener = runtime.block_on(listen(settings.listen))?;
    let address = listener.local_addr().context(text::NO_LOCAL_ADDRESS)?;

    let counters = Arc::new(Counters::default());
    let threads = server_threads(settings.threads);
    let limits = limits(instance.settings(), threads)?;
    let (service, feed) = service(instance, surface, address, limits, Arc::clone(&counters))?;
    // Before the first connection is accepted, so that no key of an older database is.
    let guard = runtime.block_on(guard::start(instance, event_loop()?, stopped.clone()))?;
    let signal = runtime.block_on(async { stop() })?;
    let worker = worker::spawn(
        instance.clone(),
        counters,
        std::future::ready(()),
        stopped.clone(),
    )?;
    let feeder = changes::spawn(feed, stopped.clone())?;
    let threads = spawn_servers(threads, &listener, &service, &stopped)?;

    tracing::info!(%address, threads = threads.len() + 1, "listening");
    announce(address)?;
    runtime.block_on(async {
        let ended = async {
            signal.await;
            tracing::info!("stopping");
            service.stop();
            // Fails only if no receiver is left.
            let _ = stopping.send(true);
        };
        let listener = tokio::net::TcpListener::from_std(listener)?;
        watchpost_transport::serve(listener, service.clone(), ended).await;
        anyhow::Ok(())
    })?;
    for thread in threads.into_iter().chain([worker, feeder, guard]) {
        if thread.join().is_err() {
            tracing::error!("a thread panicked");
        }
    }
    instance.store().close();
    tracing::info!("stopped");
    Ok(())
}

/// Makes a single-threaded event loop.
pub(crate) fn event_loop() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context(text::NO_EVENT_LOOP)
}

/// Allows an address other than loopback only behind a proxy with TLS, and only if there is an active key.
async fn check_address(instance: &Instance, settings: &HttpSettings) -> anyhow::Result<()> {
    if settings.listen.ip().is_loopback() {
        return Ok(());
    }
    if !settings.behind_proxy {
        anyhow::bail!(text::listening_without_tls(settings.listen));
    }
    if !instance.has_active_key().await? {
        anyhow::bail!(text::listening_without_key(settings.listen));
    }
    Ok(())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    use tokio::net::TcpSocket;
    let bind = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // Lets a restarted server use its port immediately. Two servers still can't share one.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    bind().with_context(|| text::address_unavailable(address))
}

/// Returns the number of event loops for a value of the setting `http.threads`.
pub fn server_threads(setting: u32) -> usize {
    match setting {
        // The processors available to the process: fewer than the machine has under `taskset` or in a limited container.
        0 => thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads as usize,
    }
}

/// Raises the limit of open files, and returns the limits of the settings as far as it allows them.
fn limits(settings: &Settings, threads: usize) -> anyhow::Result<Limits> {
    let mut limits = settings.limits.for_transport();
    let files = OpenFiles::raise(&limits, threads);
    let capacity = files.capacity(&limits, threads)?;
    capacity.apply(&mut limits);
    tracing::info!(
        open_files = files.limit,
        connections = capacity.connections,
        connections_per_key = capacity.connections_per_key,
        streams = capacity.streams,
        streams_per_key = capacity.streams_per_key,
        "limits"
    );
    if capacity.is_reduced {
        tracing::warn!(
            open_files = files.limit,
            allowed = files.allowed,
            "{}",
            text::FEW_OPEN_FILES
        );
    }
    Ok(limits)
}

fn service(
    instance: &Instance,
    surface: Surface,
    address: SocketAddr,
    limits: Limits,
    counters: Arc<Counters>,
) -> anyhow::Result<(HttpService, ChangeFeed)> {
    let settings = instance.settings();
    let environment = instance.environment();
    let mut hosts = AllowedHosts::loopback();
    if let Some(url) = &settings.http.public_url {
        hosts = hosts.with_public_url(url.as_url());
    }
    if !address.ip().is_loopback() && !address.ip().is_unspecified() {
        let name = match address {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        hosts = hosts.with_name(&name);
    }
    let config = Config {
        hosts,
        proxies: settings.http.trusted_proxies.clone(),
        surface,
        base_path: settings
            .http
            .public_url
            .as_ref()
            .map(|url| url.base_path().to_owned())
            .unwrap_or_default(),
        limits,
        ..Config::new(
            SessionKey::new(*instance.derived(Purpose::Session)),
            StateKeys::new(*instance.derived(Purpose::RequestState)),
            Arc::new(ForTransport(Arc::clone(&environment.clock))),
            Arc::new(ForTransport(Arc::clone(&environment.random))),
        )
    };
    let gate = KeyGate::new(
        Arc::clone(instance.access()),
        &settings.limits,
        Arc::clone(&counters),
    );
    let occupancy = Arc::new(OnceLock::new());
    let probes = Arc::new(StoreProbes::new(
        instance.store().clone(),
        Arc::clone(instance.access()),
        Arc::clone(&environment.clock),
        counters,
        Arc::clone(&occupancy),
    ));
    let mounts = match surface {
        Surface::Everything => Mounts::default().and(instance.rest(Arc::clone(&probes))),
        // For clients of the old transport only.
        Surface::HttpSse => Mounts::default(),
    };
    let mcp = instance.mcp()?;
    let feed = mcp.change_feed();
    let server = Arc::new(Server::new(mcp));
    let service = Service::with_mounts(config, Arc::new(gate), server, probes, mounts)?;
    let counted = service.clone();
    // The service and the gauge refer to each other. Both exist until the process ends.
    let _ = occupancy.set(Box::new(move || counted.occupancy()));
    Ok((service, feed))
}

/// Starts all event loops except that of the calling thread.
fn spawn_servers(
    threads: usize,
    listener: &TcpListener,
    service: &HttpService,
    stop: &watch::Receiver<bool>,
) -> anyhow::Result<Vec<thread::JoinHandle<()>>> {
    (1..threads)
        .map(|number| {
            let listener = listener.try_clone().context(text::SOCKET_NOT_SHARED)?;
            let service = service.clone();
            let mut stop = stop.clone();
            let runtime = event_loop()?;
            let serve = async move {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => {
                        let stopped = async {
                            let _ = stop.wait_for(|stop| *stop).await;
                        };
                        watchpost_transport::serve(listener, service, stopped).await;
                    }
                    Err(error) => tracing::error!(%error, "a thread can't serve"),
                }
            };
            Ok(thread::Builder::new()
                .name(format!("watchpost-http-{number}"))
                .spawn(move || runtime.block_on(serve))?)
        })
        .collect()
}

/// Returns a future that completes at SIGTERM, SIGINT or SIGHUP (the terminal was closed). The signals are handled from this call on, which requires a
/// running event loop.
///
/// # Errors
/// If the system refuses a handler.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Settings,
        data_dir::DataDir,
        instance::{Environment, init},
    };
    use std::path::Path;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use watchpost_transport::{Access, Route};

    fn instance(folder: &Path, settings: Settings) -> Instance {
        let dir = DataDir::locate(Some(&folder.join("data")), &|_| None).unwrap();
        event_loop()
            .unwrap()
            .block_on(init(&dir, None, &Environment::system()))
            .unwrap();
        Instance::open(&dir, settings, Environment::system()).unwrap()
    }

    fn error(change: impl FnOnce(&mut HttpSettings)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        change(&mut settings.http);
        let instance = instance(folder.path(), settings);
        let served = serve_http(&instance, Surface::Everything, |_| anyhow::bail!("it listens"));
        format!("{:#}", served.unwrap_err())
    }

    #[test]
    fn an_address_other_than_loopback_requires_a_proxy_and_a_key() {
        let open: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let text = error(|http| http.listen = open);
        assert!(text.contains("--behind-proxy"), "{text}");
        let text = error(|http| {
            http.listen = open;
            http.behind_proxy = true;
        });
        assert!(text.contains("there is no active key"), "{text}");
    }

    #[test]
    fn the_error_for_a_port_in_use_suggests_another_address() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let text = error(|http| http.listen = address);
        assert!(text.contains("choose another address with `--listen`"), "{text}");
    }

    /// Sends a request without a credential and returns the head of the answer.
    async fn send_without_credential(address: SocketAddr, method: &str, path: &str) -> String {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split_once("\r\n\r\n").unwrap().0.to_owned()
    }

    /// Requests the routes of all mounts, so that a new mount needs no test of its own.
    #[test]
    fn every_route_that_is_not_public_requires_a_credential() {
        let folder = tempfile::tempdir().unwrap();
        let instance = instance(folder.path(), Settings::default());
        let walk = async |surface: Surface| {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (service, _feed) =
                service(&instance, surface, address, Limits::default(), Arc::default()).unwrap();
            let routes: Vec<Route> = service.routes().cloned().collect();
            let walked = async {
                for route in routes.iter().filter(|route| route.header().is_none()) {
                    let path = format!("{}{}", route.path(), if route.is_prefix() { "x" } else { "" });
                    let methods: Vec<&str> = match route.methods() {
                        Some(methods) => methods.iter().map(|method| method.as_str()).collect(),
                        None => vec!["PUT"],
                    };
                    for method in methods {
                        let head = send_without_credential(address, method, &path).await;
                        let is_rejected = head.starts_with("HTTP/1.1 401 ");
                        let is_public = route.access() == Access::Public;
                        assert_eq!(is_rejected, !is_public, "{method} {path}: {head}");
                        assert!(head.contains("x-content-type-options: nosniff"), "{head}");
                    }
                }
                routes.len()
            };
            tokio::select! {
                () = watchpost_transport::serve(listener, service.clone(), std::future::pending()) => 0,
                count = walked => count,
            }
        };
        let walked = event_loop()
            .unwrap()
            .block_on(async { [walk(Surface::Everything).await, walk(Surface::HttpSse).await] });
        assert!(walked.iter().all(|count| *count > 15), "{walked:?}");
    }
}
