//! Snippets for a server on the network.

use super::{
    ALIAS, Client, KEY_PLACEHOLDER, KeyHeader, Language, Part, Snippet,
    json::{Json, object},
    of_client, shell_word, text,
};
use crate::server_url::ServerUrl;
use std::path::Path;

/// A client's syntax for an environment variable inside a value.
enum Variable {
    /// The variable in the client's syntax, such as `${WATCHPOST_API_KEY}`.
    Written(&'static str),
    /// The client can't read variables.
    None,
}

impl Client {
    const fn variable(self) -> Variable {
        match self {
            Self::ClaudeCode | Self::CopilotCli | Self::Goose | Self::Kiro | Self::LibreChat => {
                Variable::Written("${WATCHPOST_API_KEY}")
            }
            Self::Cursor => Variable::Written("${env:WATCHPOST_API_KEY}"),
            Self::VsCode | Self::VisualStudio => Variable::Written("${input:watchpost-key}"),
            Self::GeminiCli => Variable::Written("$WATCHPOST_API_KEY"),
            Self::OpenCode => Variable::Written("{env:WATCHPOST_API_KEY}"),
            Self::Continue => Variable::Written("${{ secrets.WATCHPOST_API_KEY }}"),
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

/// A server in the configuration of a client.
struct Server<'a> {
    client: Client,
    /// The URL of Streamable HTTP.
    url: String,
    /// The URL of HTTP+SSE.
    sse_url: String,
    /// Whether requests travel unencrypted.
    unencrypted: bool,
    header: KeyHeader,
    key: Option<&'a str>,
}

pub(super) fn snippet(
    client: Client,
    url: &ServerUrl,
    bridge: &Path,
    header: KeyHeader,
    key: Option<&str>,
) -> Snippet {
    let server = Server {
        client,
        url: url.mcp(),
        sse_url: url.sse(),
        unencrypted: url.is_unencrypted(),
        header,
        key,
    };
    let note = match (client, key) {
        (Client::ClaudeDesktop, _) => Some(text::CLAUDE_DESKTOP_BRIDGE),
        (Client::JetBrains, _) => Some(text::JETBRAINS_BRIDGE),
        (Client::McpRemote, _) => Some(text::THIRD_PARTY_BRIDGE),
        (Client::Goose, None) => Some(text::GOOSE_SECRET),
        (Client::Continue, None) => Some(text::CONTINUE_SECRET),
        (Client::Kiro, None) => Some(text::KIRO_VARIABLE),
        (Client::LibreChat, None) => Some(text::LIBRECHAT_VARIABLE),
        (Client::N8n, _) => Some(match header {
            KeyHeader::XApiKey => text::N8N_HEADER_AUTH,
            KeyHeader::Bearer => text::N8N_BEARER_AUTH,
        }),
        _ => None,
    };
    Snippet {
        client,
        parts: server.parts(bridge),
        note,
    }
}

impl Server<'_> {
    fn parts(&self, bridge: &Path) -> Vec<Part> {
        let under_servers = |entry| vec![self.file(&under("mcpServers", entry))];
        match self.client {
            Client::ClaudeDesktop | Client::JetBrains => under_servers(self.bridged(bridge)),
            Client::ClaudeCode => vec![
                shell(format!(
                    "claude mcp add --transport http {ALIAS} {} --header {}",
                    shell_word(&self.url),
                    self.header_word()
                )),
                self.file(&under("mcpServers", self.typed("http"))),
            ],
            Client::VsCode | Client::VisualStudio => vec![self.file(&self.with_input())],
            Client::Cursor | Client::Junie | Client::LmStudio => under_servers(object([
                ("url", self.url.as_str().into()),
                ("headers", self.headers()),
            ])),
            Client::Kiro => under_servers(object([
                ("url", self.url.as_str().into()),
                ("headers", self.headers()),
                ("disabled", false.into()),
                ("autoApprove", Vec::<Json>::new().into()),
            ])),
            Client::LibreChat => vec![
                self.client
                    .yaml(&under("mcpServers", self.typed("streamable-http"))),
            ],
            Client::Goose => vec![self.client.yaml(&of_client::goose_remote(
                &self.url,
                self.headers(),
                self.key.is_some(),
            ))],
            Client::Continue => vec![
                self.client
                    .yaml(&of_client::continue_remote(&self.url, self.headers())),
            ],
            Client::N8n => vec![self.file(&of_client::n8n(&self.url, self.header))],
            Client::Windsurf | Client::Antigravity => under_servers(object([
                ("serverUrl", self.url.as_str().into()),
                ("headers", self.headers()),
            ])),
            Client::Codex => vec![Part {
                place: self.client.file(),
                language: Language::Toml,
                text: codex(&self.url, self.header, self.key),
            }],
            Client::GeminiCli => self.gemini(),
            Client::CopilotCli | Client::Generic => under_servers(self.typed("http")),
            Client::OpenCode => vec![self.file(&self.opencode())],
            Client::Zed => {
                let entry = object([("url", self.url.as_str().into()), ("headers", self.headers())]);
                vec![self.file(&under("context_servers", entry))]
            }
            Client::Cline => {
                let mut entry = self.typed("streamableHttp");
                entry.push("disabled", false);
                entry.push("autoApprove", Vec::<Json>::new());
                under_servers(entry)
            }
            Client::RooCode => under_servers(self.typed("streamable-http")),
            Client::McpRemote => under_servers(self.mcp_remote()),
        }
    }

    /// The key, or its placeholder.
    fn literal(&self) -> &str {
        self.key.unwrap_or(KEY_PLACEHOLDER)
    }

    /// The header as an argument in double quotes.
    fn header_word(&self) -> String {
        let Header { name, prefix } = self.header.parts();
        format!("\"{name}: {prefix}{}\"", self.literal())
    }

    /// The headers for a file. Without a key, they refer to the variable if the client can read one.
    fn headers(&self) -> Json {
        let Header { name, prefix } = self.header.parts();
        let value = match (self.key, self.client.variable()) {
            (None, Variable::Written(variable)) => variable,
            _ => self.literal(),
        };
        object([(name, format!("{prefix}{value}").into())])
    }

    /// The entry for clients that require the name of the transport.
    fn typed(&self, transport: &str) -> Json {
        object([
            ("type", transport.into()),
            ("url", self.url.as_str().into()),
            ("headers", self.headers()),
        ])
    }

    fn file(&self, root: &Json) -> Part {
        Part {
            place: self.client.file(),
            language: Language::Json,
            text: root.pretty(),
        }
    }

    /// The entry for clients that need Watchpost's bridge.
    fn bridged(&self, bridge: &Path) -> Json {
        object([
            ("command", bridge.display().to_string().into()),
            ("args", vec!["bridge", "--url", self.url.as_str()].into()),
            ("env", object([("WATCHPOST_API_KEY", self.literal().into())])),
        ])
    }

    /// The configuration for VS Code, which asks for the key and stores it.
    fn with_input(&self) -> Json {
        let mut root = object([]);
        if self.key.is_none() {
            let input = object([
                ("type", "promptString".into()),
                ("id", "watchpost-key".into()),
                ("description", "Watchpost API key".into()),
                ("password", true.into()),
            ]);
            root.push("inputs", vec![input]);
        }
        root.push("servers", object([(ALIAS, self.typed("http"))]));
        root
    }

    fn gemini(&self) -> Vec<Part> {
        let entry = object([
            ("url", self.url.as_str().into()),
            ("type", "http".into()),
            ("headers", self.headers()),
        ]);
        vec![
            shell(format!(
                "gemini mcp add --scope user --transport http --header {} {ALIAS} {}",
                self.header_word(),
                shell_word(&self.url)
            )),
            self.file(&under("mcpServers", entry)),
        ]
    }

    fn opencode(&self) -> Json {
        let entry = object([
            ("type", "remote".into()),
            ("enabled", true.into()),
            ("oauth", false.into()),
            ("url", self.url.as_str().into()),
            ("headers", self.headers()),
        ]);
        let mut root = object([("$schema", "https://opencode.ai/config.json".into())]);
        root.push("mcp", object([(ALIAS, entry)]));
        root
    }

    fn mcp_remote(&self) -> Json {
        let Header { name, prefix } = self.header.parts();
        let mut args = vec![
            "-y".to_owned(),
            "mcp-remote@0.15.1".to_owned(),
            self.sse_url.clone(),
            "--transport".to_owned(),
            "sse-only".to_owned(),
            "--header".to_owned(),
            format!("{name}:${{WATCHPOST_HEADER}}"),
        ];
        if self.unencrypted {
            args.push("--allow-http".to_owned());
        }
        let value = format!("{prefix}{}", self.literal());
        object([
            ("command", "npx".into()),
            ("args", args.into()),
            ("env", object([("WATCHPOST_HEADER", value.into())])),
        ])
    }
}

/// Puts an entry under the server's name in the object `top`.
fn under(top: &str, entry: Json) -> Json {
    object([(top, object([(ALIAS, entry)]))])
}

fn shell(text: String) -> Part {
    Part {
        place: text::TERMINAL,
        language: Language::Shell,
        text,
    }
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
