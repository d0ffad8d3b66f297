//! Ready-made configuration for the assistants that people use: what to paste, and where.
//!
//! Pure functions of the real URL or the real paths. A key stands in a snippet only when it is given; otherwise the
//! snippet names the environment variable or holds a placeholder, whichever the client can read.

mod json;
mod remote;
mod stdio;

use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};

/// Stands where a client can't read a variable and no key was given.
pub const KEY_PLACEHOLDER: &str = "wp_…";
/// What the server is called in a client's configuration: no underscore, no spaces.
pub const ALIAS: &str = "watchpost";

macro_rules! clients {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $title:literal;)+) => {
        /// A program that speaks MCP as a client.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Client {
            $($(#[$doc])* $variant),+
        }
        impl Client {
            /// All of them, in the order in which they are offered.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            /// Its name for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

clients! {
    /// Anthropic's desktop program: stdio alone.
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
    /// OpenAI's command line and editor plug-in.
    Codex = "codex", "Codex";
    /// Google's command line.
    GeminiCli = "gemini-cli", "Gemini CLI";
    /// GitHub's command line.
    CopilotCli = "copilot-cli", "Copilot CLI";
    /// The OpenCode command line.
    OpenCode = "opencode", "OpenCode";
    /// The Zed editor.
    Zed = "zed", "Zed";
    /// The Cline plug-in.
    Cline = "cline", "Cline";
    /// The Roo Code plug-in.
    RooCode = "roo-code", "Roo Code";
    /// Google's Antigravity editor.
    Antigravity = "antigravity", "Antigravity";
    /// The third-party bridge `mcp-remote`, for clients of the old SSE transport.
    McpRemote = "mcp-remote", "mcp-remote";
    /// Anything else.
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

/// No such client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no client `{name}`: use one of {}", known_names())]
pub struct UnknownClient {
    name: String,
}

fn known_names() -> String {
    let names: Vec<_> = Client::ALL.iter().map(|client| client.name()).collect();
    names.join(", ")
}

/// How the client reaches the server.
#[derive(Debug, Clone)]
pub enum Target {
    /// A server on the network.
    Http {
        /// Scheme, host and port, without a path.
        base_url: String,
        /// The absolute path of the program `watchpost`, for clients that need its bridge.
        bridge: PathBuf,
    },
    /// A program that the client starts on the machine that holds the data.
    Stdio {
        /// The absolute path of `watchpost-stdio`.
        command: PathBuf,
        /// The data folder.
        data_dir: PathBuf,
        /// The workspace's name, where a folder has several and no key says which.
        workspace: Option<String>,
        /// What the client may do when no key is given.
        scope: watchpost_core::access::KeyScope,
    },
    /// The demo, started by the client itself.
    StdioDemo {
        /// The absolute path of `watchpost-stdio`.
        command: PathBuf,
    },
}

impl Target {
    /// A server on the network, by the URL of any of its paths.
    ///
    /// # Errors
    /// If the URL isn't an absolute `http` or `https` one.
    pub fn http(url: &str, bridge: &Path) -> Result<Self, InvalidUrl> {
        let wrong = || InvalidUrl(url.to_owned());
        let parsed = url::Url::parse(url).map_err(|_| wrong())?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(wrong());
        }
        Ok(Self::Http {
            base_url: parsed.origin().ascii_serialization(),
            bridge: bridge.to_owned(),
        })
    }
}

/// Not the URL of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` isn't a server's URL: it looks like https://watchpost.example.com")]
pub struct InvalidUrl(String);

/// The header that carries the key over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyHeader {
    /// `X-Api-Key: …`.
    #[default]
    XApiKey,
    /// `Authorization: Bearer …`.
    Bearer,
}

/// What a part of a snippet is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A JSON document to merge into a file.
    Json,
    /// TOML to append to a file.
    Toml,
    /// Commands for a shell.
    Shell,
}

/// Something to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it goes, in words.
    pub place: &'static str,
    /// What it is written in.
    pub language: Language,
    /// The text, without a newline at the end.
    pub text: String,
}

/// All that connects one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// Which client.
    pub client: Client,
    /// What to paste; any one of these is enough. Never empty.
    pub parts: Vec<Part>,
    /// What to know besides, in one sentence.
    pub note: Option<&'static str>,
}

/// The snippet for a client.
pub fn snippet(client: Client, target: &Target, header: KeyHeader, key: Option<&SecretString>) -> Snippet {
    let key = key.map(|key| key.expose_secret().to_owned());
    match target {
        Target::Http { base_url, bridge } => {
            remote::snippet(client, base_url, bridge, header, key.as_deref())
        }
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
    }
}

impl Client {
    /// The file that holds its configuration, in words.
    const fn file(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => {
                "claude_desktop_config.json: macOS ~/Library/Application Support/Claude/, Windows %APPDATA%\\Claude\\, Linux ~/.config/Claude/"
            }
            Self::ClaudeCode => ".mcp.json in the project, or ~/.claude.json",
            Self::Cursor => "~/.cursor/mcp.json, or .cursor/mcp.json in the project",
            Self::VsCode => ".vscode/mcp.json in the project, or the user's mcp.json",
            Self::VisualStudio => ".mcp.json in the solution, or %USERPROFILE%\\.mcp.json",
            Self::Windsurf => "~/.codeium/windsurf/mcp_config.json",
            Self::Codex => "~/.codex/config.toml",
            Self::GeminiCli => "~/.gemini/settings.json, or .gemini/settings.json in the project",
            Self::CopilotCli => "~/.copilot/mcp-config.json",
            Self::OpenCode => "~/.config/opencode/opencode.json, or opencode.json in the project",
            Self::Zed => "settings.json",
            Self::Cline => "cline_mcp_settings.json, opened from its panel",
            Self::RooCode => ".roo/mcp.json in the project, or mcp_settings.json",
            Self::Antigravity => "~/.gemini/antigravity/mcp_config.json",
            Self::McpRemote | Self::Generic => "the client's MCP configuration",
        }
    }
}

/// An argument as a POSIX shell takes it.
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
