//! What the programs' mains do with their flags: three small launches, so that only the transport differs.

use crate::{
    client_config,
    config::{FlagValue, Loaded},
    data_dir::DataDir,
    demo::{Demo, DemoOptions},
    instance::{Ambient, Instance},
    serve::{event_loop, serve_http},
    stdio::{API_KEY_VARIABLE, Readiness, StdioOptions, serve_stdio},
    telemetry,
};
use anyhow::Context as _;
use secrecy::SecretString;
use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tokio::sync::watch;
pub use watchpost_core::access::KeyScope;
use watchpost_core::value::time::Timestamp;
pub use watchpost_transport::Surface;

/// Flags that every server takes.
#[derive(Debug, Clone, Default)]
pub struct CommonFlags {
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// Flags that are settings.
    pub settings: Vec<FlagValue>,
    /// `--demo`.
    pub demo: bool,
    /// `--demo-now`, as it was written.
    pub demo_now: Option<String>,
}

/// Reads the environment; what isn't Unicode counts as unset.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Every variable of the process.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

impl CommonFlags {
    /// The data folder and its settings; logging begins here.
    ///
    /// # Errors
    /// What is wrong with the settings, by name.
    pub fn load(&self) -> anyhow::Result<(DataDir, Loaded)> {
        let dir = DataDir::locate(self.data_dir.as_deref(), &variable)?;
        let file = if self.demo && self.data_dir.is_none() {
            // The throw-away folder has none, and the real one isn't the demo's.
            PathBuf::new()
        } else {
            dir.settings_file()
        };
        let loaded = Loaded::load(&file, environment(), &self.settings)?;
        telemetry::start(&loaded.settings.log)?;
        Ok((dir, loaded))
    }

    fn demo(&self, loaded: Loaded) -> anyhow::Result<Demo> {
        let now = self.demo_now.as_ref().map(|text| text.parse::<Timestamp>());
        Demo::begin(DemoOptions {
            data_dir: self.data_dir.clone(),
            now: now.transpose().context("`--demo-now`")?,
            settings: loaded.settings,
        })
    }
}

/// Runs `watchpost-http` or `watchpost-sse` until it is told to stop.
///
/// # Errors
/// If it can't begin; the text says what to do.
pub fn http(flags: &CommonFlags, surface: Surface, demo_info: Option<&Path>) -> anyhow::Result<()> {
    let (dir, loaded) = flags.load()?;
    if flags.demo {
        let demo = flags.demo(loaded)?;
        let runtime = event_loop()?;
        let keys = runtime.block_on(async {
            demo.live().await?;
            demo.keys().await
        })?;
        drop(runtime);
        return serve_http(demo.instance(), surface, |address| {
            let base_url = base_url(address);
            if let Some(path) = demo_info {
                keys.write_info(&base_url, path)?;
            }
            say(&format!(
                "listening on {base_url}\n{}",
                keys.welcome(&base_url, &sibling("watchpost"))?
            ))
        });
    }
    let instance = Instance::open(&dir, loaded.settings, Ambient::system())?;
    serve_http(&instance, surface, |address| {
        say(&format!("listening on {}\n", base_url(address)))
    })
}

/// Runs `watchpost-stdio` until its input ends.
///
/// # Errors
/// If it can't begin; the text says what to do.
pub fn stdio(flags: &CommonFlags, workspace: Option<String>, scope: KeyScope) -> anyhow::Result<()> {
    let (dir, loaded) = flags.load()?;
    let (settled, ready) = watch::channel(Readiness::Ready);
    let mut options = StdioOptions {
        key: variable(API_KEY_VARIABLE)
            .map(|key| key.trim().to_owned())
            .filter(|key| !key.is_empty())
            .map(SecretString::from),
        workspace,
        scope,
    };
    if !flags.demo {
        let instance = Instance::open(&dir, loaded.settings, Ambient::system())?;
        return serve_stdio(&instance, options, ready);
    }
    // A key of the environment opens another store, if any.
    options.key = None;
    options.workspace = None;
    settled.send_replace(Readiness::Waiting);
    let demo = Arc::new(flags.demo(loaded)?);
    let living = Arc::clone(&demo);
    let past = std::thread::Builder::new()
        .name("watchpost-demo".into())
        .spawn(move || {
            let lived = event_loop().and_then(|runtime| runtime.block_on(living.live()));
            settled.send_replace(match lived {
                Ok(()) => Readiness::Ready,
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "the demo can't be prepared");
                    Readiness::Failed
                }
            });
        })?;
    let served = serve_stdio(demo.instance(), options, ready);
    // Its store is closed: what it still does fails at once.
    let _ = past.join();
    served
}

/// `http://address`.
pub fn base_url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// The program of this name beside the running one, as an absolute path; the bare name if that isn't known.
pub fn sibling(name: &str) -> PathBuf {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.join(&name)))
        .unwrap_or_else(|| name.into())
}

/// Writes to standard output, at once.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("standard output can't be written")
}

/// How a main ends: a failure is told on standard error with what led to it.
pub fn end(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The clients that `client-config` knows, for help texts.
pub fn client_names() -> Vec<&'static str> {
    client_config::Client::ALL
        .iter()
        .map(|client| client.name())
        .collect()
}
