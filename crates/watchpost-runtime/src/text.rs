//! The texts of the servers, the demo and the printed configuration for operators. Not here: the messages of error types,
//! the help texts of flags, and the meanings of settings, which are part of their declarations.

use std::{fmt::Display, net::SocketAddr};

/// Printed once a server accepts connections.
pub(crate) fn listening(base_url: &str) -> String {
    format!("listening on {base_url}\n")
}

/// Printed after that, if clients use another URL.
pub(crate) fn clients_connect_to(mcp_url: &str) -> String {
    format!("clients connect to {mcp_url}\n")
}

pub(crate) const UNWRITABLE_OUTPUT: &str = "can't write to standard output";
pub(crate) const NO_EVENT_LOOP: &str = "the system provides no event loop";
pub(crate) const NO_LOCAL_ADDRESS: &str = "can't read the address of the listening socket";
pub(crate) const SOCKET_NOT_SHARED: &str = "can't share the listening socket with another thread";
pub(crate) const STORE_UNRESPONSIVE: &str = "the store doesn't respond";

pub(crate) fn invalid_log_filter(filter: &str, error: &dyn Display) -> String {
    format!("`log.filter`: `{filter}` is not a log filter: {error}")
}

/// Invalid values of settings. Each constant describes a valid value, and continues "must be".
pub(crate) mod setting {
    use std::fmt::Display;

    pub(crate) const CHECKPOINT_FILE: &str = "an absolute path, empty or off";
    pub(crate) const ADDRESS: &str = "an address with a port, such as 127.0.0.1:8787";
    pub(crate) const COUNT: &str = "a whole number from 0 to 4294967295";
    pub(crate) const COUNT_FROM_ONE: &str = "a whole number above 0";
    pub(crate) const DURATION: &str = "a duration such as \"90s\", \"15m\", \"1h\" or \"1d\"";
    pub(crate) const LIST: &str = "a list of texts in quotes";
    pub(crate) const NETWORK: &str = "a network such as 10.0.0.0/8";
    pub(crate) const ORIGIN: &str = "an exact origin such as http://127.0.0.1:8080";
    pub(crate) const PUBLIC_URL: &str = "the URL of the server without a query, such as https://watchpost.example.com or https://example.com/watchpost";

    /// The text continues the setting's key.
    pub(crate) fn invalid(expected: &str, value: &dyn Display) -> String {
        format!("must be {expected}, not `{value}`")
    }
}

/// Checkpoints of the audit trail. The first constants are problems with a file.
pub(crate) mod checkpoint {
    use crate::checkpoint::Mismatch;
    pub(crate) const INVALID_KEY: &str = "the line with its key is not valid";
    pub(crate) const INVALID_LINE: &str = "a line is missing or not valid";
    pub(crate) const NO_SIGNATURE: &str = "it has no signature";
    pub(crate) const EMPTY: &str = "it is empty";
    pub(crate) const TOO_LARGE: &str = "it is too large";

    // Problems with a chain.
    pub(crate) const ROWS_MISSING: &str = "rows are missing or out of order";
    pub(crate) const ROW_UNREADABLE: &str = "a row at or after this one can't be read";

    /// The answer of the readiness probe, which everyone can read.
    pub(crate) const NOT_READY: &str = "all keys are suspended, because the database is older than its checkpoint or another one: run `watchpost doctor`";

    // Problems with the file of a running server.
    pub(crate) const FILE_DELETED: &str = "the database was deleted";
    pub(crate) const FILE_REPLACED: &str = "the database was replaced with another file";
    pub(crate) const FILE_SHRUNK: &str = "the database became smaller";

    pub(crate) fn chain_broken(seq: u64, problem: &str) -> String {
        format!("the audit chain is broken at row {seq}: {problem}")
    }

    /// The database contradicts its checkpoint.
    pub(crate) fn contradiction(mismatches: &[Mismatch]) -> String {
        let found: Vec<String> = mismatches
            .iter()
            .map(|found| {
                format!(
                    "{} since the checkpoint of {} (workspace {})",
                    found.contradiction, found.checkpoint.at, found.workspace
                )
            })
            .collect();
        format!(
            "the database is older than its checkpoint or another one: {}",
            found.join("; ")
        )
    }

    /// The reason for which a running server suspends all keys.
    pub(crate) fn keys_suspended(reason: &str) -> String {
        format!(
            "{reason}. No key is accepted: run `watchpost doctor`, then put the right database back or accept this one with \
             `watchpost restore --accept`, and restart the server"
        )
    }
}

// Data folders and workspaces.

pub(crate) fn invalid_workspace_name(chars_max: usize) -> String {
    format!(
        "the name of a workspace must have 1 to {chars_max} characters, without spaces at its ends and without control \
         characters"
    )
}

pub(crate) fn workspace_not_created(name: &str) -> String {
    format!("can't create the workspace `{name}`")
}

// Listening.

pub(crate) fn listening_without_tls(address: SocketAddr) -> String {
    format!(
        "other machines can reach `{address}`, and this server has no TLS: listen on 127.0.0.1, or put a proxy with TLS \
         in front of the server and add `--behind-proxy`"
    )
}

pub(crate) fn listening_without_key(address: SocketAddr) -> String {
    format!(
        "other machines can reach `{address}`, and there is no active key: create one with `watchpost keys create \
         --label NAME` first"
    )
}

pub(crate) fn address_unavailable(address: SocketAddr) -> String {
    format!("can't listen on {address}: choose another address with `--listen` (port 0 selects a free port)")
}

/// `limit` is the limit in effect, `needed` the smallest one that suffices.
pub(crate) fn too_few_open_files(limit: u64, needed: u64) -> String {
    format!(
        "this process may open {limit} files, and the server needs at least {needed}: raise the limit with `ulimit -n`, or with LimitNOFILE in the unit of systemd"
    )
}

pub(crate) const FEW_OPEN_FILES: &str = "the limit of open files allows fewer event streams than the settings: raise it with `ulimit -n`, or with LimitNOFILE in the unit of systemd";

// Jobs. The reasons are stored with the job.

pub(crate) const SERVER_STOPPED: &str = "the server was stopped";
pub(crate) const JOB_PANICKED: &str = "internal error: the job panicked; the log has details";

// Evaluation of exports. Some of these messages are fields of an answer.

pub(crate) const READER_PANICKED: &str = "internal error: the thread that reads the input panicked";
pub(crate) const EVALUATION_PANICKED: &str = "internal error: the evaluation panicked";
pub(crate) const LINE_TOO_LONG: &str = "the line is too long";
pub(crate) const UNSUPPORTED_POLICY: &str = "no check covers this policy";
pub(crate) const NO_VERDICT: &str = "the check returned no verdict";
pub(crate) const NOT_AN_OBJECT: &str = "the input is not a provider export: it is not a JSON object";

pub(crate) fn unwritable(error: &dyn Display) -> String {
    format!("can't write the output: {error}")
}

pub(crate) fn unreadable_input(error: &dyn Display) -> String {
    format!("can't read the input: {error}")
}

pub(crate) fn invalid_case(error: &dyn Display) -> String {
    format!("the line is not a case: {error}")
}

pub(crate) fn input_too_long(bytes_max: usize) -> String {
    format!("the input is longer than {bytes_max} bytes")
}

pub(crate) fn invalid_json(error: &dyn Display) -> String {
    format!("the input is not JSON: {error}")
}

/// `keys`: the first keys of the input, cleaned; may be empty.
pub(crate) fn not_an_export(keys: &[String]) -> String {
    let content = if keys.is_empty() {
        "it is an empty object".to_owned()
    } else {
        format!("its keys are: {}", keys.join(", "))
    };
    format!("the input is not a ScubaGear provider export; {content}")
}

/// Descriptions of the metrics, which Prometheus shows.
pub(crate) mod metric {
    pub(crate) const REQUESTS: &str = "Requests by their admission";
    pub(crate) const JOBS: &str = "Jobs of this process by their end";
    pub(crate) const UNKNOWN_VALUES: &str =
        "Stored values that this process read and that only a newer version knows";
    pub(crate) const STREAMS: &str = "Event streams that are open now";
    pub(crate) const STREAMS_MAX: &str = "Event streams that may be open at the same time";
    pub(crate) const CONNECTIONS: &str = "Connections that are open now, without those reserved for probes";
    pub(crate) const CONNECTIONS_MAX: &str = "Connections that may be open at the same time";
    pub(crate) const LOG_BYTES: &str = "Size of the write-ahead log of the database, in whole pages";
    pub(crate) const READY: &str = "1 if the store can be read and written";
}

/// The demo.
pub(crate) mod demo {
    use std::path::Path;

    pub(crate) const NO_FOLDER: &str = "the demo has no folder";
    pub(crate) const NO_REASON: &str = "no reason is known";

    pub(crate) fn folder_in_use(data_dir: &Path) -> String {
        format!(
            "`{}` already holds data, and the demo needs a new folder: name another folder, or leave out `--demo`",
            data_dir.display()
        )
    }

    /// The settings file in the demo's folder.
    pub(crate) fn settings_file(origin: &str) -> String {
        format!(
            "# Written by the demo, whose simulated platforms run on this machine.\n[outbound]\nallow = [\"{origin}\"]\n"
        )
    }

    pub(crate) fn not_connected(platform: &str) -> String {
        format!("can't connect the demo's {platform}")
    }

    pub(crate) fn scan_not_completed(scan_type: &str, state: &str, reason: &str) -> String {
        format!("the demo's {scan_type} scan is {state}: {reason}")
    }

    pub(crate) fn unreadable(platform: &str, reason: &str) -> String {
        format!("the demo's {platform} can't be read: {reason}")
    }

    pub(crate) fn not_synced(platform: &str) -> String {
        format!("the demo's {platform} was not synced")
    }

    pub(crate) fn not_analyzed(state: &str) -> String {
        format!("the demo's company was not analyzed: {state}")
    }

    /// The first part of the text that is printed when the demo is ready.
    pub(crate) fn welcome(mcp_url: &str, sse_url: &str, read_key: &str, write_key: &str) -> String {
        format!(
            "\nA demo of Watchpost: an invented company with Okta and Microsoft 365, simulated in this process.\n\n\
             MCP endpoint   {mcp_url}\nold SSE clients {sse_url}\n\
             read key       {read_key}\nwrite key      {write_key}\n"
        )
    }

    pub(crate) const IN_A_TERMINAL: &str = "run in a terminal";

    pub(crate) fn in_a_file(place: &str) -> String {
        format!("add to {place}")
    }

    /// A snippet, after its place in parentheses.
    pub(crate) fn snippet(client: &str, place: &str, snippet: &str) -> String {
        format!("\n{client} ({place}):\n{snippet}\n")
    }

    /// The last part of the text that is printed when the demo is ready.
    pub(crate) const FIRST_QUESTION: &str = "\nThen ask: what is our risk score, and who are the admins without MFA?\n\
                                             Use the write key to let the assistant act. Ctrl-C ends the demo.\n";
}

/// Configuration snippets.
pub(crate) mod client_config {
    pub(crate) const TERMINAL: &str = "a terminal";
    /// Shown by clients in their lists of servers.
    pub(crate) const DESCRIPTION: &str = "Security posture of the company's cloud services";
    pub(crate) const CLAUDE_DESKTOP_BRIDGE: &str =
        "Claude Desktop starts only local programs: Watchpost's bridge forwards its messages to the server.";
    pub(crate) const THIRD_PARTY_BRIDGE: &str = "mcp-remote is a third-party bridge for clients of the old SSE transport. \
                                                 Watchpost's own `watchpost bridge` needs no Node.js.";
    pub(crate) const NO_BRIDGE_NEEDED: &str =
        "The machine with the data needs no bridge: the client starts `watchpost-stdio`.";

    pub(crate) const GOOSE_SECRET: &str = "goose reads WATCHPOST_API_KEY from its environment, or from the secrets that \
                                           `goose configure` stores.";
    pub(crate) const CONTINUE_SECRET: &str =
        "Continue reads WATCHPOST_API_KEY from its environment, or from ~/.continue/.env.";
    pub(crate) const JETBRAINS_BRIDGE: &str = "AI Assistant documents no setting for headers: Watchpost's bridge adds the \
                                               key and forwards the messages to the server.";
    pub(crate) const KIRO_VARIABLE: &str = "Kiro replaces only variables that are approved: add WATCHPOST_API_KEY to its setting Mcp Approved Env Vars.";
    pub(crate) const LIBRECHAT_VARIABLE: &str = "LibreChat reads WATCHPOST_API_KEY from its .env file, and connects to a \
                                                 private address only if `mcpSettings` allows it.";
    pub(crate) const N8N_HEADER_AUTH: &str = "n8n keeps the key in a credential: select one of the type Header Auth with the \
                                              name X-Api-Key and the key as its value.";
    pub(crate) const N8N_BEARER_AUTH: &str =
        "n8n keeps the key in a credential: select one of the type Bearer Auth with the key as its token.";

    /// The configuration file of each client.
    pub(crate) mod file {
        pub(crate) const CLAUDE_DESKTOP: &str = "claude_desktop_config.json: macOS ~/Library/Application Support/Claude/, \
                                                 Windows %APPDATA%\\Claude\\, Linux ~/.config/Claude/";
        pub(crate) const CLAUDE_CODE: &str = ".mcp.json in the project, or ~/.claude.json";
        pub(crate) const CURSOR: &str = "~/.cursor/mcp.json, or .cursor/mcp.json in the project";
        pub(crate) const VS_CODE: &str = ".vscode/mcp.json in the project, or the user's mcp.json";
        pub(crate) const VISUAL_STUDIO: &str = ".mcp.json in the solution, or %USERPROFILE%\\.mcp.json";
        pub(crate) const WINDSURF: &str = "~/.codeium/windsurf/mcp_config.json";
        pub(crate) const CODEX: &str = "~/.codex/config.toml";
        pub(crate) const GEMINI_CLI: &str =
            "~/.gemini/settings.json, or .gemini/settings.json in the project";
        pub(crate) const COPILOT_CLI: &str = "~/.copilot/mcp-config.json";
        pub(crate) const OPEN_CODE: &str =
            "~/.config/opencode/opencode.json, or opencode.json in the project";
        pub(crate) const ZED: &str = "settings.json";
        pub(crate) const CLINE: &str = "cline_mcp_settings.json, which Cline's panel opens";
        pub(crate) const ROO_CODE: &str = ".roo/mcp.json in the project, or mcp_settings.json";
        pub(crate) const ANTIGRAVITY: &str = "~/.gemini/antigravity/mcp_config.json";
        pub(crate) const GOOSE: &str =
            "~/.config/goose/config.yaml, on Windows %APPDATA%\\Block\\goose\\config\\config.yaml";
        pub(crate) const CONTINUE: &str =
            ".continue/mcpServers/watchpost.yaml in the project, or in the home folder";
        pub(crate) const JETBRAINS: &str =
            "Settings | Tools | AI Assistant | Model Context Protocol (MCP), Add, as JSON";
        pub(crate) const JUNIE: &str = "~/.junie/mcp/mcp.json, or .junie/mcp/mcp.json in the project";
        pub(crate) const LM_STUDIO: &str =
            "mcp.json, which LM Studio opens with Program > Install > Edit mcp.json";
        pub(crate) const KIRO: &str = "~/.kiro/settings/mcp.json, or .kiro/settings/mcp.json in the project";
        pub(crate) const LIBRECHAT: &str = "librechat.yaml";
        pub(crate) const N8N: &str = "the editor of a workflow, to be connected to the tools of an agent";
        pub(crate) const OTHER: &str = "the client's MCP configuration";
    }
}
