//! Snippets for clients that start `watchpost-stdio`.

use super::{
    ALIAS, Client, Language, Part, Snippet,
    json::{Json, object},
    of_client, shell_word, text,
};

/// The command that the client starts.
pub(super) struct Launch {
    pub(super) command: String,
    pub(super) args: Vec<String>,
    pub(super) key: Option<String>,
}

pub(super) fn snippet(client: Client, launch: &Launch) -> Snippet {
    let mut note = None;
    let parts = match client {
        Client::ClaudeCode => vec![
            Part {
                place: text::TERMINAL,
                language: Language::Shell,
                text: claude_code(launch),
            },
            file(client, &under("mcpServers", entry(launch))),
        ],
        Client::VsCode | Client::VisualStudio => {
            vec![file(client, &under("servers", typed(entry(launch))))]
        }
        Client::Codex => vec![Part {
            place: client.file(),
            language: Language::Toml,
            text: codex(launch),
        }],
        Client::OpenCode => {
            let mut whole = vec![launch.command.clone()];
            whole.extend(launch.args.iter().cloned());
            let mut entry = object([
                ("type", "local".into()),
                ("enabled", true.into()),
                ("command", whole.into()),
            ]);
            if let Some(env) = environment(launch) {
                entry.push("environment", env);
            }
            let mut root = object([("$schema", "https://opencode.ai/config.json".into())]);
            root.push("mcp", object([(ALIAS, entry)]));
            vec![file(client, &root)]
        }
        Client::Zed => vec![file(client, &under("context_servers", entry(launch)))],
        Client::Goose => vec![client.yaml(&of_client::goose_stdio(launch))],
        Client::Continue => vec![client.yaml(&of_client::continue_stdio(entry(launch)))],
        Client::LibreChat => vec![client.yaml(&under("mcpServers", typed(entry(launch))))],
        Client::McpRemote => {
            note = Some(text::NO_BRIDGE_NEEDED);
            vec![file(client, &under("mcpServers", entry(launch)))]
        }
        _ => vec![file(client, &under("mcpServers", entry(launch)))],
    };
    Snippet { client, parts, note }
}

fn environment(launch: &Launch) -> Option<Json> {
    let key = launch.key.as_deref()?;
    Some(object([("WATCHPOST_API_KEY", key.into())]))
}

/// The entry for clients that require the name of the transport.
fn typed(entry: Json) -> Json {
    let mut typed = object([("type", "stdio".into())]);
    typed.append(entry);
    typed
}

fn entry(launch: &Launch) -> Json {
    let mut entry = object([
        ("command", launch.command.as_str().into()),
        ("args", launch.args.clone().into()),
    ]);
    if let Some(env) = environment(launch) {
        entry.push("env", env);
    }
    entry
}

fn under(top: &str, entry: Json) -> Json {
    object([(top, object([(ALIAS, entry)]))])
}

fn file(client: Client, root: &Json) -> Part {
    Part {
        place: client.file(),
        language: Language::Json,
        text: root.pretty(),
    }
}

fn claude_code(launch: &Launch) -> String {
    let mut text = format!("claude mcp add {ALIAS}");
    if let Some(key) = &launch.key {
        text.push_str(&format!(" -e WATCHPOST_API_KEY={}", shell_word(key)));
    }
    text.push_str(" --");
    for word in std::iter::once(&launch.command).chain(&launch.args) {
        text.push(' ');
        text.push_str(&shell_word(word));
    }
    text
}

fn codex(launch: &Launch) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let args: Vec<_> = launch.args.iter().map(|arg| text(arg)).collect();
    let mut out = format!(
        "[mcp_servers.{ALIAS}]\ncommand = {}\nargs = [{}]",
        text(&launch.command),
        args.join(", ")
    );
    if let Some(key) = &launch.key {
        out.push_str(&format!("\nenv = {{ WATCHPOST_API_KEY = {} }}", text(key)));
    }
    out
}
