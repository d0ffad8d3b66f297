//! Configuration snippets for common assistants.
//!
//! All functions are pure functions of the actual URL or the actual paths. A snippet contains a key only if one is given.
//! Otherwise it refers to the environment variable if the client can read one, and contains a placeholder if not.

mod json;
mod of_client;
mod remote;
mod stdio;

use crate::{server_url::ServerUrl, text::client_config as text};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};

/// The placeholder for the key, for clients that can't read an environment variable.
pub const KEY_PLACEHOLDER: &str = "wp_…";
/// The server's name in a client's configuration. Has neither underscores nor spaces, which some clients don't accept.
pub const ALIAS: &str = "watchpost";

macro_rules! clients {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $title:literal;)+) => {
        /// An MCP client.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Client {
            $($(#[$doc])* $variant),+
        }
        impl Client {
            /// All clients, in the order in which they are listed.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The client's name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            /// The client's name for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

clients! {
    /// Anthropic's desktop app, which supports only stdio.
    ClaudeDesktop = "claude-desktop", "Claude Desktop";
    /// Anthropic's command line.
    ClaudeCode = "claude-code", "Claude Code";
    /// The Cursor editor.
    Cursor = "cursor", "Cursor";
    /// Visual Studio Code with Copilot.
    VsCode = "vscode", "VS Code";
    /// Visual Studio 2022.
    VisualStudio = "visual-studio", "Visual Studio";
    /// The Windsurf editor.
    Windsurf = "windsurf", "Windsurf";
    /// OpenAI's command line and editor extension.
    Codex = "codex", "Codex";
    /// Google's command line.
    GeminiCli = "gemini-cli", "Gemini CLI";
    /// GitHub's command line.
    CopilotCli = "copilot-cli", "Copilot CLI";
    /// The OpenCode command line.
    OpenCode = "opencode", "OpenCode";
    /// The Zed editor.
    Zed = "zed", "Zed";
    /// The Cline extension.
    Cline = "cline", "Cline";
    /// The Roo Code extension.
    RooCode = "roo-code", "Roo Code";
    /// Google's Antigravity editor.
    Antigravity = "antigravity", "Antigravity";
    /// Block's agent.
    Goose = "goose", "goose";
    /// The Continue extension and command line.
    Continue = "continue", "Continue";
    /// JetBrains' assistant in its development environments. Its documentation has no setting for headers, so a server on the
    /// network is reached through the bridge. Source: <https://www.jetbrains.com/help/ai-assistant/mcp.html>.
    JetBrains = "jetbrains", "JetBrains AI Assistant";
    /// JetBrains' agent. Source: <https://junie.jetbrains.com/docs/junie-cli-mcp-configuration.html>.
    Junie = "junie", "Junie";
    /// The desktop app for local models. Source: <https://lmstudio.ai/docs/app/mcp>.
    LmStudio = "lm-studio", "LM Studio";
    /// Amazon's editor and command line. Source: <https://kiro.dev/docs/mcp/configuration/>.
    Kiro = "kiro", "Kiro";
    /// The LibreChat server. Source: `packages/data-provider/src/mcp.ts` of <https://github.com/danny-avila/LibreChat>, and
    /// <https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/mcp_servers>.
    LibreChat = "librechat", "LibreChat";
    /// The n8n server, which supports only HTTP.
    N8n = "n8n", "n8n";
    /// The third-party bridge `mcp-remote`, for clients of the old SSE transport.
    McpRemote = "mcp-remote", "mcp-remote";
    /// Any other client.
    Generic = "generic", "any other client";
}

impl std::str::FromStr for Client {
    type Err = UnknownClient;
    fn from_str(text: &str) -> Result<Self, UnknownClient> {
        Self::ALL
            .iter()
            .copied()
            .find(|client| client.name() == text)
            .ok_or_else(|| UnknownClient {
                name: text.to_owned(),
            })
    }
}

/// There is no client with this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no client `{name}`: use one of {}", known_names())]
pub struct UnknownClient {
    name: String,
}

fn known_names() -> String {
    let names: Vec<_> = Client::ALL.iter().map(|client| client.name()).collect();
    names.join(", ")
}

/// The server that a client connects to.
#[derive(Debug, Clone)]
pub enum Target {
    /// A server on the network.
    Http {
        /// The server's URL.
        url: ServerUrl,
        /// The absolute path of the binary that provides the bridge, for clients that need one.
        bridge: PathBuf,
    },
    /// A binary that the client starts on the machine with the data.
    Stdio {
        /// The absolute path of `watchpost-stdio`.
        command: PathBuf,
        /// The data folder.
        data_dir: PathBuf,
        /// For a client without a key: the workspace's name, if the folder has several.
        workspace: Option<String>,
        /// For a client without a key: the client's scope.
        scope: watchpost_core::access::KeyScope,
    },
    /// The demo, which the client starts.
    StdioDemo {
        /// The absolute path of `watchpost-stdio`.
        command: PathBuf,
    },
}

impl Target {
    /// Makes the target of a server on the network.
    pub fn http(url: ServerUrl, bridge: &Path) -> Self {
        Self::Http {
            url,
            bridge: bridge.to_owned(),
        }
    }
}

/// The header that carries the key over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyHeader {
    /// `X-Api-Key: …`.
    #[default]
    XApiKey,
    /// `Authorization: Bearer …`.
    Bearer,
}

/// The language of a part of a snippet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A JSON document to merge into a file.
    Json,
    /// TOML to append to a file.
    Toml,
    /// YAML to merge into a file.
    Yaml,
    /// A command for a shell.
    Shell,
}

/// A text to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file or program that the text is for, as a phrase.
    pub place: &'static str,
    /// The text's language.
    pub language: Language,
    /// The text, without a newline at the end.
    pub text: String,
}

/// The configuration that connects a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The client.
    pub client: Client,
    /// The texts to paste, of which any one is sufficient. Never empty.
    pub parts: Vec<Part>,
    /// Additional information in one sentence.
    pub note: Option<&'static str>,
}

/// The client can't start a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} starts no programs: run `watchpost-http`, and name it with `--url`", .0.title())]
pub struct OnlyHttp(Client);

/// Makes the snippet for a client.
///
/// # Errors
/// If the client would have to start a program and can't.
pub fn snippet(
    client: Client,
    target: &Target,
    header: KeyHeader,
    key: Option<&SecretString>,
) -> Result<Snippet, OnlyHttp> {
    if client == Client::N8n && !matches!(target, Target::Http { .. }) {
        return Err(OnlyHttp(client));
    }
    let key = key.map(|key| key.expose_secret().to_owned());
    Ok(match target {
        Target::Http { url, bridge } => remote::snippet(client, url, bridge, header, key.as_deref()),
        Target::Stdio {
            command,
            data_dir,
            workspace,
            scope,
        } => {
            let mut args = vec!["--data-dir".to_owned(), data_dir.display().to_string()];
            if key.is_none() {
                if let Some(name) = workspace {
                    args.extend(["--workspace".to_owned(), name.clone()]);
                }
                args.extend(["--scope".to_owned(), scope.as_str().to_owned()]);
            }
            let command = command.display().to_string();
            stdio::snippet(client, &stdio::Launch { command, args, key })
        }
        Target::StdioDemo { command } => {
            let command = command.display().to_string();
            let args = vec!["--demo".to_owned()];
            stdio::snippet(
                client,
                &stdio::Launch {
                    command,
                    args,
                    key: None,
                },
            )
        }
    })
}

impl Client {
    /// The client's configuration file, as a phrase.
    const fn file(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => text::file::CLAUDE_DESKTOP,
            Self::ClaudeCode => text::file::CLAUDE_CODE,
            Self::Cursor => text::file::CURSOR,
            Self::VsCode => text::file::VS_CODE,
            Self::VisualStudio => text::file::VISUAL_STUDIO,
            Self::Windsurf => text::file::WINDSURF,
            Self::Codex => text::file::CODEX,
            Self::GeminiCli => text::file::GEMINI_CLI,
            Self::CopilotCli => text::file::COPILOT_CLI,
            Self::OpenCode => text::file::OPEN_CODE,
            Self::Zed => text::file::ZED,
            Self::Cline => text::file::CLINE,
            Self::RooCode => text::file::ROO_CODE,
            Self::Antigravity => text::file::ANTIGRAVITY,
            Self::Goose => text::file::GOOSE,
            Self::Continue => text::file::CONTINUE,
            Self::JetBrains => text::file::JETBRAINS,
            Self::Junie => text::file::JUNIE,
            Self::LmStudio => text::file::LM_STUDIO,
            Self::Kiro => text::file::KIRO,
            Self::LibreChat => text::file::LIBRECHAT,
            Self::N8n => text::file::N8N,
            Self::McpRemote | Self::Generic => text::file::OTHER,
        }
    }
}

/// Quotes an argument for a POSIX shell, if necessary.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests;
