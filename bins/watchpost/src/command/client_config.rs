//! `watchpost client-config`: what to paste into an assistant.

use crate::{
    failure::{code, fail},
    next,
    output::Output,
    session::Session,
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
    launch::installed_program,
};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct ClientConfig {
    /// Which client; `list` names them all
    client: String,
    /// The address of a running server; left out: the client starts `watchpost-stdio` itself
    #[arg(long)]
    url: Option<String>,
    /// A file with the key to put in; `-` reads standard input [default: a placeholder]
    #[arg(long)]
    key: Option<PathBuf>,
    /// Send the key as `Authorization: Bearer` rather than `X-Api-Key`
    #[arg(long)]
    bearer: bool,
    /// What the client may do where no key is given (stdio): read or write
    #[arg(long, default_value = "read")]
    scope: KeyScope,
}

pub(crate) async fn run(
    args: ClientConfig,
    session: Option<&Session>,
    data_dir: &Path,
    workspace: Option<String>,
    output: Output,
) -> Result<()> {
    if args.client == "list" {
        return list(output);
    }
    let client: Client = args
        .client
        .parse()
        .map_err(|error| fail(code::USAGE, format!("{error}")))?;
    let key = args.key.as_deref().map(read_key).transpose()?;
    let target = match &args.url {
        Some(url) => Target::http(url, &installed_program("watchpost"))
            .map_err(|error| fail(code::USAGE, error.to_string()))?,
        None => Target::Stdio {
            command: installed_program("watchpost-stdio"),
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
    let snippet = snippet(client, &target, header, key.as_ref());
    let available = args.url.as_deref().map(accepts_connections);
    if output.json {
        output.line(&snippet_json(&snippet, args.url.as_deref(), available).to_string())?;
    } else {
        show(&snippet, output)?;
    }
    if available == Some(false) {
        output.note(&format!(
            "{}: not available (no server answers there): start `watchpost-http`",
            args.url.as_deref().unwrap_or_default()
        ));
    }
    if let Some(session) = session {
        let read = session.watchpost.risk(&session.scope).await;
        let answer = session.read("posture.read", "client-config", read).await?;
        if let Err(not_ready) = answer.score {
            let step = next::words(not_ready.next_step);
            output.note(&format!("state: {}. {step}", not_ready.state));
        }
    } else if args.url.is_none() {
        output.note("state: not set up. Run `watchpost init` first.");
    }
    Ok(())
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

/// Writes the first part alone to standard output, so that it can be piped into a file as it is; the rest to standard
/// error.
fn show(snippet: &Snippet, output: Output) -> Result<()> {
    for (number, part) in snippet.parts.iter().enumerate() {
        if number == 0 {
            output.note(&format!("{}:", part.place));
            output.line(&part.text)?;
        } else {
            output.note(&format!("or, {}:", part.place));
            output.note(&part.text);
        }
    }
    if let Some(note) = snippet.note {
        output.note(note);
    }
    Ok(())
}

/// Whether something accepts connections at a URL.
pub(crate) fn accepts_connections(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
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
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).context("can't read standard input")?
    } else {
        std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?
    };
    let key = text.trim();
    if !watchpost_core::access::key_is_well_formed(key) {
        return Err(fail(
            code::USAGE,
            "that is no key of Watchpost: keys begin with `wp_`; `watchpost keys create --label NAME` makes one",
        ));
    }
    Ok(SecretString::from(key.to_owned()))
}
