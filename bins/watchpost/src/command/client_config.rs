//! `watchpost client-config`: the configuration that connects an assistant.

use crate::{
    failure::{code, fail},
    output::Output,
    session::Session,
    text,
};
use anyhow::{Context as _, Result};
use clap::Args;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    path::{Path, PathBuf},
    time::Duration,
};
use watchpost_core::access::KeyScope;
use watchpost_runtime::{
    client_config::{Client, KeyHeader, Snippet, Target, snippet},
    launch::{installed_program, own_program},
    server_url::ServerUrl,
};

/// Maximum time for a server to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct ClientConfig {
    /// The client's name; `list` shows all clients
    client: String,
    /// The URL of a running server, with the path under which a proxy serves it [default: the client starts `watchpost-stdio` itself]
    #[arg(long)]
    url: Option<String>,
    /// A file with the key to insert; `-` reads standard input [default: a placeholder]
    #[arg(long)]
    key: Option<PathBuf>,
    /// Send the key as `Authorization: Bearer` instead of `X-Api-Key`
    #[arg(long)]
    bearer: bool,
    /// The scope of a stdio client without a key: read or write
    #[arg(long, default_value = "read")]
    scope: KeyScope,
}

impl ClientConfig {
    /// Whether the command lists the clients, for which it needs no database.
    pub(crate) fn is_list(&self) -> bool {
        self.client == "list"
    }
}

pub(crate) async fn run(
    args: ClientConfig,
    session: Option<&Session>,
    data_dir: &Path,
    workspace: Option<String>,
    output: Output,
) -> Result<()> {
    if args.is_list() {
        return list(output);
    }
    let client: Client = args
        .client
        .parse()
        .map_err(|error| fail(code::USAGE, format!("{error}")))?;
    let key = args.key.as_deref().map(read_key).transpose()?;
    let target = match &args.url {
        Some(url) => {
            let url = ServerUrl::parse(url).map_err(|error| fail(code::USAGE, error.to_string()))?;
            Target::http(url, &own_program())
        }
        None => Target::Stdio {
            command: stdio_program()?,
            data_dir: data_dir.to_owned(),
            workspace,
            scope: args.scope,
        },
    };
    let header = if args.bearer {
        KeyHeader::Bearer
    } else {
        KeyHeader::XApiKey
    };
    let snippet = snippet(client, &target, header, key.as_ref())
        .map_err(|error| fail(code::USAGE, error.to_string()))?;
    let available = args.url.as_deref().map(accepts_connections);
    if output.json {
        output.line(&snippet_json(&snippet, args.url.as_deref(), available).to_string())?;
    } else {
        show(&snippet, output)?;
    }
    if available == Some(false) {
        output.note(&text::client_config::server_unavailable(
            args.url.as_deref().unwrap_or_default(),
        ));
    }
    if let Some(session) = session {
        let read = session.watchpost.risk(&session.scope).await;
        let answer = session.read("posture.read", "client-config", read).await?;
        if let Err(not_ready) = answer.score {
            let step = text::next::step(not_ready.next_step);
            output.note(&text::client_config::not_ready(&not_ready.state.spoken(), &step));
        }
    } else if args.url.is_none() {
        output.note(text::client_config::NOT_SET_UP);
    }
    Ok(())
}

/// The path of the binary that a client starts on this machine.
fn stdio_program() -> Result<PathBuf> {
    installed_program("watchpost-stdio")
        .ok_or_else(|| fail(code::NOT_FOUND, text::client_config::STDIO_NOT_INSTALLED))
}

fn list(output: Output) -> Result<()> {
    let rows = Client::ALL
        .iter()
        .map(|client| vec![client.name().to_owned(), client.title().to_owned()])
        .collect();
    let json = json!({"clients": Client::ALL.iter().map(|client| json!({"name": client.name(), "title": client.title()})).collect::<Vec<_>>()});
    Ok(output.table(&json, &["name", "client"], rows, "")?)
}

fn snippet_json(snippet: &Snippet, url: Option<&str>, available: Option<bool>) -> Value {
    json!({
        "client": snippet.client.name(),
        "url": url,
        "available": available,
        "parts": snippet.parts.iter().map(|part| json!({"place": part.place, "text": part.text})).collect::<Vec<_>>(),
        "note": snippet.note,
    })
}

/// Writes only the first part to standard output, so that it can be redirected into a file; everything else goes to
/// standard error.
fn show(snippet: &Snippet, output: Output) -> Result<()> {
    for (number, part) in snippet.parts.iter().enumerate() {
        if number == 0 {
            output.note(&text::client_config::first_place(part.place));
            output.line(&part.text)?;
        } else {
            output.note(&text::client_config::other_place(part.place));
            output.note(&part.text);
        }
    }
    if let Some(note) = snippet.note {
        output.note(note);
    }
    Ok(())
}

/// Whether a server accepts connections at the host and port of a URL.
pub(crate) fn accepts_connections(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else {
        return false;
    };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return false;
    };
    let host = host.trim_matches(['[', ']']);
    let Ok(addresses) = (host, port).to_socket_addrs() else {
        return false;
    };
    addresses
        .take(4)
        .any(|address: SocketAddr| TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok())
}

fn read_key(path: &Path) -> Result<SecretString> {
    let content = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).context(text::UNREADABLE_INPUT)?
    } else {
        std::fs::read_to_string(path).with_context(|| text::unreadable_file(path))?
    };
    let key = content.trim();
    if !watchpost_core::access::key_is_well_formed(key) {
        return Err(fail(code::USAGE, text::client_config::NOT_A_KEY));
    }
    Ok(SecretString::from(key.to_owned()))
}
