//! The entries of clients whose configuration has a form of its own.

use super::{
    ALIAS, Client, KeyHeader, Language, Part,
    json::{Json, object},
    stdio::Launch,
    text,
};

const KEY_VARIABLE: &str = "WATCHPOST_API_KEY";

impl Client {
    /// A part for the client's YAML file.
    pub(super) fn yaml(self, root: &Json) -> Part {
        Part {
            place: self.file(),
            language: Language::Yaml,
            text: root.yaml(),
        }
    }
}

/// goose refuses an entry without `name` and `description`. `env_keys` names the secrets that values may refer to: it reads
/// them from its environment, or else from the system's key store.
///
/// Source: `ExtensionConfig` in `crates/goose/src/agents/extension.rs` and `merge_environments` in `extension_manager.rs` of
/// <https://github.com/block/goose>, and <https://block.github.io/goose/docs/guides/config-files>.
pub(super) fn goose_remote(url: &str, headers: Json, has_key: bool) -> Json {
    let mut entry = goose_entry("streamable_http");
    entry.push("uri", url);
    if !has_key {
        entry.push("env_keys", vec![KEY_VARIABLE]);
    }
    entry.push("headers", headers);
    goose(entry)
}

pub(super) fn goose_stdio(launch: &Launch) -> Json {
    let mut entry = goose_entry("stdio");
    entry.push("cmd", launch.command.as_str());
    entry.push("args", launch.args.clone());
    if let Some(key) = &launch.key {
        entry.push("envs", object([(KEY_VARIABLE, key.as_str().into())]));
    }
    goose(entry)
}

fn goose_entry(transport: &str) -> Json {
    object([
        ("enabled", true.into()),
        ("type", transport.into()),
        ("name", ALIAS.into()),
        ("description", text::DESCRIPTION.into()),
    ])
}

fn goose(entry: Json) -> Json {
    object([("extensions", object([(ALIAS, entry)]))])
}

/// Continue reads each file of the folder as a block with a name, a version and a schema. Its servers are a list, and headers
/// are request options.
///
/// Source: `packages/config-yaml/src/schemas/mcp/index.ts` and `models.ts` of <https://github.com/continuedev/continue>, and
/// <https://docs.continue.dev/customize/deep-dives/mcp>.
pub(super) fn continue_remote(url: &str, headers: Json) -> Json {
    continue_block(object([
        ("type", "streamable-http".into()),
        ("url", url.into()),
        ("requestOptions", object([("headers", headers)])),
    ]))
}

pub(super) fn continue_stdio(entry: Json) -> Json {
    let mut typed = object([("type", "stdio".into())]);
    typed.append(entry);
    continue_block(typed)
}

fn continue_block(entry: Json) -> Json {
    let mut named = object([("name", ALIAS.into())]);
    named.append(entry);
    object([
        ("name", ALIAS.into()),
        ("version", "1.0.0".into()),
        ("schema", "v1".into()),
        ("mcpServers", vec![named].into()),
    ])
}

/// A workflow with one node: the editor of n8n takes it from the clipboard. Keys are in credentials, which a workflow only
/// names. Version 1.1 is the first that can use Streamable HTTP, and later releases still run it.
///
/// Source: `packages/@n8n/nodes-langchain/nodes/mcp/McpClientTool/McpClientTool.node.ts` of <https://github.com/n8n-io/n8n>, and
/// <https://docs.n8n.io/integrations/builtin/cluster-nodes/sub-nodes/n8n-nodes-langchain.toolmcp/>.
pub(super) fn n8n(url: &str, header: KeyHeader) -> Json {
    let authentication = match header {
        KeyHeader::XApiKey => "headerAuth",
        KeyHeader::Bearer => "bearerAuth",
    };
    let parameters = object([
        ("endpointUrl", url.into()),
        ("serverTransport", "httpStreamable".into()),
        ("authentication", authentication.into()),
        ("include", "all".into()),
        ("options", object([])),
    ]);
    let zero = || Json::from(serde_json::Number::from(0));
    let version = serde_json::Number::from_f64(1.1).map_or_else(zero, Json::from);
    let node = object([
        ("parameters", parameters),
        ("type", "@n8n/n8n-nodes-langchain.mcpClientTool".into()),
        ("typeVersion", version),
        ("position", vec![zero(), zero()].into()),
        ("name", "Watchpost".into()),
    ]);
    object([("nodes", vec![node].into()), ("connections", object([]))])
}
