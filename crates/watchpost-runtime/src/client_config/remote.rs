//! Clients of a server on the network.

use super::{
    ALIAS, Client, KEY_PLACEHOLDER, KeyHeader, Language, Part, Snippet,
    json::{Json, object},
    shell_word,
};
use std::path::Path;

/// How a client reads a variable inside a value.
enum Variable {
    /// As `${WATCHPOST_API_KEY}`, or in another dress.
    Written(&'static str),
    /// Not at all.
    None,
}

impl Client {
    const fn variable(self) -> Variable {
        match self {
            Self::ClaudeCode | Self::CopilotCli => Variable::Written("${WATCHPOST_API_KEY}"),
            Self::Cursor => Variable::Written("${env:WATCHPOST_API_KEY}"),
            Self::VsCode | Self::VisualStudio => Variable::Written("${input:watchpost-key}"),
            Self::GeminiCli => Variable::Written("$WATCHPOST_API_KEY"),
            Self::OpenCode => Variable::Written("{env:WATCHPOST_API_KEY}"),
            _ => Variable::None,
        }
    }
}

struct Header {
    name: &'static str,
    prefix: &'static str,
}

impl KeyHeader {
    const fn parts(self) -> Header {
        match self {
            Self::XApiKey => Header {
                name: "X-Api-Key",
                prefix: "",
            },
            Self::Bearer => Header {
                name: "Authorization",
                prefix: "Bearer ",
            },
        }
    }
}

pub(super) fn snippet(
    client: Client,
    base_url: &str,
    bridge: &Path,
    header: KeyHeader,
    key: Option<&str>,
) -> Snippet {
    let url = format!("{base_url}/mcp");
    let Header { name, prefix } = header.parts();
    let literal = key.unwrap_or(KEY_PLACEHOLDER);
    let in_file = match (key, client.variable()) {
        (None, Variable::Written(variable)) => variable,
        _ => literal,
    };
    let headers = || object([(name, format!("{prefix}{in_file}").into())]);
    let typed = |word: &str| {
        object([
            ("type", word.into()),
            ("url", url.as_str().into()),
            ("headers", headers()),
        ])
    };
    let in_file_part = |root: Json| Part {
        place: client.file(),
        language: Language::Json,
        text: root.pretty(),
    };
    let under = |top: &str, entry: Json| object([(top, object([(ALIAS, entry)]))]);
    let shell = |text: String| Part {
        place: "a terminal",
        language: Language::Shell,
        text,
    };
    let header_word = format!("\"{name}: {prefix}{literal}\"");

    let mut note = None;
    let parts = match client {
        Client::ClaudeDesktop => {
            note =
                Some("Claude Desktop starts local programs only: Watchpost's bridge passes on what it says.");
            let env = object([("WATCHPOST_API_KEY", literal.into())]);
            let entry = object([
                ("command", bridge.display().to_string().into()),
                ("args", vec!["bridge", "--url", url.as_str()].into()),
                ("env", env),
            ]);
            vec![in_file_part(under("mcpServers", entry))]
        }
        Client::ClaudeCode => vec![
            shell(format!(
                "claude mcp add --transport http {ALIAS} {} --header {header_word}",
                shell_word(&url)
            )),
            in_file_part(under("mcpServers", typed("http"))),
        ],
        Client::VsCode | Client::VisualStudio => {
            let mut root = object([]);
            if key.is_none() {
                let input = object([
                    ("type", "promptString".into()),
                    ("id", "watchpost-key".into()),
                    ("description", "Watchpost API key".into()),
                    ("password", true.into()),
                ]);
                root.push("inputs", vec![input]);
            }
            root.push("servers", object([(ALIAS, typed("http"))]));
            vec![in_file_part(root)]
        }
        Client::Cursor => {
            let entry = object([("url", url.as_str().into()), ("headers", headers())]);
            vec![in_file_part(under("mcpServers", entry))]
        }
        Client::Windsurf | Client::Antigravity => {
            let entry = object([("serverUrl", url.as_str().into()), ("headers", headers())]);
            vec![in_file_part(under("mcpServers", entry))]
        }
        Client::Codex => vec![Part {
            place: client.file(),
            language: Language::Toml,
            text: codex(&url, header, key),
        }],
        Client::GeminiCli => {
            let entry = object([
                ("url", url.as_str().into()),
                ("type", "http".into()),
                ("headers", headers()),
            ]);
            vec![
                shell(format!(
                    "gemini mcp add --scope user --transport http --header {header_word} {ALIAS} {}",
                    shell_word(&url)
                )),
                in_file_part(under("mcpServers", entry)),
            ]
        }
        Client::CopilotCli | Client::Generic => vec![in_file_part(under("mcpServers", typed("http")))],
        Client::OpenCode => {
            let entry = object([
                ("type", "remote".into()),
                ("enabled", true.into()),
                ("oauth", false.into()),
                ("url", url.as_str().into()),
                ("headers", headers()),
            ]);
            let mut root = object([("$schema", "https://opencode.ai/config.json".into())]);
            root.push("mcp", object([(ALIAS, entry)]));
            vec![in_file_part(root)]
        }
        Client::Zed => {
            let entry = object([("url", url.as_str().into()), ("headers", headers())]);
            vec![in_file_part(under("context_servers", entry))]
        }
        Client::Cline => {
            let mut entry = typed("streamableHttp");
            entry.push("disabled", false);
            entry.push("autoApprove", Vec::<Json>::new());
            vec![in_file_part(under("mcpServers", entry))]
        }
        Client::RooCode => vec![in_file_part(under("mcpServers", typed("streamable-http")))],
        Client::McpRemote => {
            note = Some(
                "A third-party bridge for clients of the old SSE transport; `watchpost bridge` needs no Node.js.",
            );
            let sse = format!("{base_url}/sse");
            let mut args = vec![
                "-y".to_owned(),
                "mcp-remote@0.15.1".to_owned(),
                sse,
                "--transport".to_owned(),
                "sse-only".to_owned(),
                "--header".to_owned(),
                format!("{name}:${{WATCHPOST_HEADER}}"),
            ];
            if base_url.starts_with("http://") {
                args.push("--allow-http".to_owned());
            }
            let env = object([("WATCHPOST_HEADER", format!("{prefix}{literal}").into())]);
            let entry = object([("command", "npx".into()), ("args", args.into()), ("env", env)]);
            vec![in_file_part(under("mcpServers", entry))]
        }
    };
    Snippet { client, parts, note }
}

fn codex(url: &str, header: KeyHeader, key: Option<&str>) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let credential = match (header, key) {
        (KeyHeader::Bearer, None) => "bearer_token_env_var = \"WATCHPOST_API_KEY\"".to_owned(),
        (KeyHeader::XApiKey, None) => {
            "env_http_headers = { \"X-Api-Key\" = \"WATCHPOST_API_KEY\" }".to_owned()
        }
        (_, Some(key)) => {
            let Header { name, prefix } = header.parts();
            format!(
                "http_headers = {{ \"{name}\" = {} }}",
                text(&format!("{prefix}{key}"))
            )
        }
    };
    format!("[mcp_servers.{ALIAS}]\nurl = {}\n{credential}", text(url))
}
