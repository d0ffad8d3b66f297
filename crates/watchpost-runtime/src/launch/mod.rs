//! The functions that the mains of the servers call with their flags, so that only the transport differs.

mod flags;

pub use self::flags::{CommonFlags, HttpCommand, HttpFlags, Scope, StdioFlags};
pub use watchpost_transport::Surface;

use crate::{
    config::{FlagValue, Loaded},
    data_dir::DataDir,
    demo::{Demo, DemoOptions},
    instance::{Environment, Instance},
    serve::{event_loop, serve_http},
    server_url::ServerUrl,
    stdio::{API_KEY_VARIABLE, Readiness, StdioOptions, serve_stdio},
    telemetry, text,
};
use anyhow::Context as _;
use secrecy::SecretString;
use std::{io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};
use tokio::sync::watch;
use watchpost_core::value::time::Timestamp;

/// Reads an environment variable. A value that isn't Unicode counts as unset.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// All environment variables of the process with a name and a value in Unicode.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

impl CommonFlags {
    /// Locates the data folder, loads its settings and those from flags, and starts logging.
    fn load(&self, flags: &[FlagValue]) -> anyhow::Result<(DataDir, Loaded)> {
        let dir = DataDir::locate(self.data_dir.as_deref(), &variable)?;
        let file = if self.demo && self.data_dir.is_none() {
            // The temporary folder has no settings, and those of the default folder are not for the demo.
            PathBuf::new()
        } else {
            dir.settings_file()
        };
        let loaded = Loaded::load(&file, variables(), flags)?;
        telemetry::start(&loaded.settings.log)?;
        Ok((dir, loaded))
    }

    fn demo(&self, loaded: Loaded) -> anyhow::Result<Demo> {
        let now = self.demo_now.as_ref().map(|text| text.parse::<Timestamp>());
        Demo::start(DemoOptions {
            data_dir: self.data_dir.clone(),
            now: now.transpose().context("`--demo-now`")?,
            settings: loaded.settings,
        })
    }
}

/// Runs `watchpost-http` or `watchpost-sse` until SIGTERM, SIGINT or SIGHUP.
///
/// # Errors
/// If the server can't start; the message says what to do.
pub fn http(flags: &HttpFlags, surface: Surface) -> anyhow::Result<()> {
    if let Some(HttpCommand::Bridge(bridge)) = &flags.command {
        let runtime = event_loop()?;
        let done = runtime.block_on(watchpost_bridge::run(bridge.clone()));
        // A read of standard input that is in progress can't be cancelled.
        runtime.shutdown_background();
        return Ok(done?);
    }
    let (dir, loaded) = flags.common.load(&flags.settings())?;
    if flags.common.demo {
        return http_demo(flags, loaded, surface);
    }
    let public_url = loaded.settings.http.public_url.clone();
    let instance = Instance::open(&dir, loaded.settings, Environment::of_user(&variable))?;
    serve_http(&instance, surface, |address| {
        let mut lines = text::listening(&base_url(address));
        if let Some(url) = &public_url {
            lines.push_str(&text::clients_connect_to(&endpoint(url, surface)));
        }
        print(&lines)
    })
}

fn http_demo(flags: &HttpFlags, loaded: Loaded, surface: Surface) -> anyhow::Result<()> {
    let public_url = loaded.settings.http.public_url.clone();
    let demo = flags.common.demo(loaded)?;
    let runtime = event_loop()?;
    let keys = runtime.block_on(async {
        demo.build_history().await?;
        demo.keys().await
    })?;
    drop(runtime);
    serve_http(demo.instance(), surface, |address| {
        let local = base_url(address);
        let url = match &public_url {
            Some(url) => url.clone(),
            None => ServerUrl::parse(&local)?,
        };
        if let Some(path) = &flags.demo_info {
            keys.write_info(&url, path)?;
        }
        print(&format!(
            "{}{}",
            text::listening(&local),
            keys.welcome(&url, &own_program())?
        ))
    })
}

/// Runs `watchpost-stdio` until its input ends.
///
/// # Errors
/// If the server can't start; the message says what to do.
pub fn stdio(flags: &StdioFlags) -> anyhow::Result<()> {
    let (dir, loaded) = flags.common.load(&flags.common.settings())?;
    let scope = flags.scope.into();
    if flags.common.demo {
        return stdio_demo(flags, loaded);
    }
    let key = variable(API_KEY_VARIABLE)
        .map(|key| key.trim().to_owned())
        .filter(|key| !key.is_empty())
        .map(SecretString::from);
    let options = StdioOptions {
        key,
        workspace: flags.workspace.clone(),
        scope,
    };
    let (_settled, ready) = watch::channel(Readiness::Ready);
    let instance = Instance::open(&dir, loaded.settings, Environment::of_user(&variable))?;
    serve_stdio(&instance, options, ready)
}

fn stdio_demo(flags: &StdioFlags, loaded: Loaded) -> anyhow::Result<()> {
    let options = StdioOptions {
        // A key from the environment belongs to another store.
        key: None,
        workspace: None,
        scope: flags.scope.into(),
    };
    let (settled, ready) = watch::channel(Readiness::Waiting);
    let demo = Arc::new(flags.common.demo(loaded)?);
    let preparing = Arc::clone(&demo);
    let preparation = std::thread::Builder::new()
        .name("watchpost-demo".into())
        .spawn(move || {
            let done = event_loop().and_then(|runtime| runtime.block_on(preparing.build_history()));
            settled.send_replace(match done {
                Ok(()) => Readiness::Ready,
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "the demo can't be prepared");
                    Readiness::Failed
                }
            });
        })?;
    let served = serve_stdio(demo.instance(), options, ready);
    // The demo's store is closed, so a preparation that still runs fails immediately.
    let _ = preparation.join();
    served
}

/// The URL to give to clients of the server.
fn endpoint(url: &ServerUrl, surface: Surface) -> String {
    match surface {
        Surface::Everything => url.mcp(),
        Surface::HttpSse => url.sse(),
    }
}

/// `http://address`.
fn base_url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// The absolute path of the running binary; its name alone if the system doesn't report the path.
pub fn own_program() -> PathBuf {
    std::env::current_exe()
        .or_else(|_| std::env::args_os().next().map(PathBuf::from).ok_or(()))
        .unwrap_or_default()
}

/// The absolute path of another binary in the folder of the running one, if it is installed there.
pub fn installed_program(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::current_exe().ok()?.parent()?.join(name);
    path.is_file().then_some(path)
}

/// Writes to standard output and flushes it.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context(text::UNWRITABLE_OUTPUT)
}

/// Returns the exit code of a main. Writes an error to standard error with its causes.
pub fn exit_code(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
