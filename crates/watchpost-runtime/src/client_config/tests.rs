use super::*;
use serde_json::Value;
use watchpost_core::access::KeyScope;

const KEY: &str = "wp_0123456789abcdefghijABCDEFGHIJ3O07sR";

fn http() -> Target {
    at("https://watchpost.example/mcp")
}

fn at(url: &str) -> Target {
    Target::http(
        ServerUrl::parse(url).unwrap(),
        Path::new("/opt/watchpost/bin/watchpost"),
    )
}

fn stdio(data_dir: &str) -> Target {
    Target::Stdio {
        command: "/opt/watchpost/bin/watchpost-stdio".into(),
        data_dir: data_dir.into(),
        workspace: None,
        scope: KeyScope::Read,
    }
}

fn all(target: &Target, header: KeyHeader, key: Option<&str>) -> String {
    let key = key.map(SecretString::from);
    let mut text = String::new();
    for client in Client::ALL {
        let snippet = match snippet(*client, target, header, key.as_ref()) {
            Ok(snippet) => snippet,
            Err(error) => {
                text.push_str(&format!("==== {}: {error}\n", client.name()));
                continue;
            }
        };
        for part in &snippet.parts {
            text.push_str(&format!(
                "==== {}: {}\n{}\n",
                client.name(),
                part.place,
                part.text
            ));
        }
        if let Some(note) = snippet.note {
            text.push_str(&format!("---- {note}\n"));
        }
    }
    text
}

#[test]
fn snippets_for_a_server_on_the_network() {
    insta::assert_snapshot!("http_placeholder", all(&http(), KeyHeader::XApiKey, None));
    insta::assert_snapshot!("http_bearer_placeholder", all(&http(), KeyHeader::Bearer, None));
    insta::assert_snapshot!("http_key", all(&http(), KeyHeader::XApiKey, Some(KEY)));
}

#[test]
fn snippets_for_a_binary_that_the_client_starts() {
    insta::assert_snapshot!(
        "stdio_operator",
        all(&stdio("/srv/watchpost data"), KeyHeader::XApiKey, None)
    );
    insta::assert_snapshot!(
        "stdio_key",
        all(&stdio("/srv/watchpost"), KeyHeader::XApiKey, Some(KEY))
    );
}

/// Parses every part, and checks the fields that the client's documentation requires.
#[test]
fn every_part_is_valid_and_has_the_fields_of_its_client() {
    let key = SecretString::from(KEY);
    for target in [http(), stdio(r#"C:\data "x""#), stdio("/it's here")] {
        for header in [KeyHeader::XApiKey, KeyHeader::Bearer] {
            for key in [None, Some(&key)] {
                for client in Client::ALL {
                    let Ok(snippet) = snippet(*client, &target, header, key) else {
                        assert_eq!(*client, Client::N8n);
                        assert!(!matches!(target, Target::Http { .. }));
                        continue;
                    };
                    for part in snippet.parts {
                        check_part(*client, &target, &part, key.is_some());
                        if matches!(target, Target::Http { .. }) {
                            check_credential(*client, &part, header, key.is_some());
                        }
                    }
                }
            }
        }
    }
}

fn parsed(part: &Part) -> Option<Value> {
    match part.language {
        Language::Shell => None,
        Language::Json => Some(serde_json::from_str(&part.text).unwrap()),
        Language::Toml => Some(serde_json::to_value(part.text.parse::<toml::Table>().unwrap()).unwrap()),
        Language::Yaml => Some(serde_saphyr::from_str(&part.text).unwrap()),
    }
}

/// The entry of the server in a client's configuration.
fn entry(client: Client, root: &Value) -> &Value {
    let pointer = match client {
        Client::VsCode | Client::VisualStudio => "/servers/watchpost",
        Client::Zed => "/context_servers/watchpost",
        Client::OpenCode => "/mcp/watchpost",
        Client::Codex => "/mcp_servers/watchpost",
        Client::Goose => "/extensions/watchpost",
        Client::Continue => "/mcpServers/0",
        Client::N8n => "/nodes/0",
        _ => "/mcpServers/watchpost",
    };
    root.pointer(pointer)
        .unwrap_or_else(|| panic!("{client:?}: {root}"))
}

fn check_part(client: Client, target: &Target, part: &Part, has_key: bool) {
    let remote = matches!(target, Target::Http { .. });
    // Workflows of n8n name credentials instead.
    assert_eq!(
        part.text.contains(KEY),
        has_key && client != Client::N8n,
        "{client:?}: {}",
        part.text
    );
    let Some(root) = parsed(part) else { return };
    let entry = entry(client, &root);
    assert!(entry.is_object(), "{client:?}: {root}");
    let bridged = matches!(
        client,
        Client::ClaudeDesktop | Client::JetBrains | Client::McpRemote
    );
    if remote && client == Client::N8n {
        assert_eq!(
            entry["parameters"]["endpointUrl"],
            "https://watchpost.example/mcp"
        );
    } else if remote && !bridged {
        let field = match client {
            Client::Windsurf | Client::Antigravity => "serverUrl",
            Client::Goose => "uri",
            _ => "url",
        };
        assert_eq!(entry[field], "https://watchpost.example/mcp", "{client:?}");
        let word = match client {
            Client::ClaudeCode
            | Client::VsCode
            | Client::VisualStudio
            | Client::GeminiCli
            | Client::CopilotCli
            | Client::Generic => Some("http"),
            Client::Cline => Some("streamableHttp"),
            Client::RooCode | Client::Continue | Client::LibreChat => Some("streamable-http"),
            Client::Goose => Some("streamable_http"),
            Client::OpenCode => Some("remote"),
            _ => None,
        };
        assert_eq!(
            entry.get("type").and_then(|word| word.as_str()),
            word,
            "{client:?}"
        );
        assert!(entry.get("command").is_none());
    } else if remote {
        // Some clients split arguments at spaces.
        for arg in entry["args"].as_array().unwrap() {
            assert!(!arg.as_str().unwrap().contains(' '), "{client:?}: {arg}");
        }
    } else if client != Client::OpenCode {
        let field = match client {
            Client::Goose => "cmd",
            _ => "command",
        };
        assert_eq!(entry[field], "/opt/watchpost/bin/watchpost-stdio", "{client:?}");
        let args = entry["args"].as_array().unwrap();
        assert_eq!(args[0], "--data-dir");
        assert_eq!(args.iter().any(|arg| arg == "--scope"), !has_key, "{client:?}");
    }
}

/// The key, or what stands for it, is where the client looks for headers, or for the bridge's environment.
fn check_credential(client: Client, part: &Part, header: KeyHeader, has_key: bool) {
    let Some(root) = parsed(part) else { return };
    let entry = entry(client, &root);
    let (name, prefix) = match header {
        KeyHeader::XApiKey => ("X-Api-Key", ""),
        KeyHeader::Bearer => ("Authorization", "Bearer "),
    };
    let variable = match client {
        Client::ClaudeCode | Client::CopilotCli | Client::Goose | Client::Kiro | Client::LibreChat => {
            "${WATCHPOST_API_KEY}"
        }
        Client::Cursor => "${env:WATCHPOST_API_KEY}",
        Client::VsCode | Client::VisualStudio => "${input:watchpost-key}",
        Client::GeminiCli => "$WATCHPOST_API_KEY",
        Client::OpenCode => "{env:WATCHPOST_API_KEY}",
        Client::Continue => "${{ secrets.WATCHPOST_API_KEY }}",
        _ => KEY_PLACEHOLDER,
    };
    let credential = if has_key { KEY } else { variable };
    let found = match client {
        Client::ClaudeDesktop | Client::JetBrains => {
            assert_eq!(entry["env"]["WATCHPOST_API_KEY"], credential, "{client:?}");
            return;
        }
        Client::McpRemote => &entry["env"]["WATCHPOST_HEADER"],
        Client::Codex if has_key => &entry["http_headers"][name],
        Client::Codex => {
            let by_name = match header {
                KeyHeader::XApiKey => &entry["env_http_headers"][name],
                KeyHeader::Bearer => &entry["bearer_token_env_var"],
            };
            assert_eq!(by_name, "WATCHPOST_API_KEY");
            return;
        }
        Client::N8n => {
            let word = match header {
                KeyHeader::XApiKey => "headerAuth",
                KeyHeader::Bearer => "bearerAuth",
            };
            assert_eq!(entry["parameters"]["authentication"], word);
            return;
        }
        Client::Continue => &entry["requestOptions"]["headers"][name],
        _ => &entry["headers"][name],
    };
    assert_eq!(found, &format!("{prefix}{credential}"), "{client:?}");
}

/// The forms that the clients' own code accepts. Their sources are named where the entries are made.
mod accepted {
    use serde::Deserialize;
    use std::collections::BTreeMap;

    type Texts = BTreeMap<String, String>;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the form matters")]
    pub(super) struct GooseFile {
        extensions: BTreeMap<String, Goose>,
    }

    #[derive(Deserialize)]
    #[serde(tag = "type", deny_unknown_fields)]
    #[expect(dead_code, reason = "only the form matters")]
    enum Goose {
        #[serde(rename = "stdio")]
        Stdio {
            enabled: bool,
            name: String,
            description: String,
            cmd: String,
            args: Vec<String>,
            #[serde(default)]
            envs: Texts,
            #[serde(default)]
            env_keys: Vec<String>,
        },
        #[serde(rename = "streamable_http")]
        StreamableHttp {
            enabled: bool,
            name: String,
            description: String,
            uri: String,
            #[serde(default)]
            env_keys: Vec<String>,
            headers: Texts,
        },
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the form matters")]
    pub(super) struct ContinueBlock {
        name: String,
        version: String,
        schema: ContinueSchema,
        #[serde(rename = "mcpServers")]
        servers: Vec<ContinueServer>,
    }

    #[derive(Deserialize)]
    enum ContinueSchema {
        #[serde(rename = "v1")]
        V1,
    }

    #[derive(Deserialize)]
    #[serde(tag = "type", deny_unknown_fields)]
    #[expect(dead_code, reason = "only the form matters")]
    enum ContinueServer {
        #[serde(rename = "stdio")]
        Stdio {
            name: String,
            command: String,
            args: Vec<String>,
            #[serde(default)]
            env: Texts,
        },
        #[serde(rename = "streamable-http")]
        StreamableHttp {
            name: String,
            url: String,
            #[serde(rename = "requestOptions")]
            request_options: RequestOptions,
        },
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the form matters")]
    struct RequestOptions {
        headers: Texts,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the form matters")]
    pub(super) struct LibreChatFile {
        #[serde(rename = "mcpServers")]
        servers: BTreeMap<String, LibreChat>,
    }

    #[derive(Deserialize)]
    #[serde(tag = "type", deny_unknown_fields)]
    #[expect(dead_code, reason = "only the form matters")]
    enum LibreChat {
        #[serde(rename = "stdio")]
        Stdio {
            command: String,
            args: Vec<String>,
            #[serde(default)]
            env: Texts,
        },
        #[serde(rename = "streamable-http")]
        StreamableHttp { url: String, headers: Texts },
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the form matters")]
    pub(super) struct N8nWorkflow {
        nodes: Vec<N8nNode>,
        connections: BTreeMap<String, ()>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    #[expect(dead_code, reason = "only the form matters")]
    struct N8nNode {
        parameters: N8nParameters,
        r#type: String,
        type_version: f64,
        position: (i32, i32),
        name: String,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    #[expect(dead_code, reason = "only the form matters")]
    struct N8nParameters {
        endpoint_url: String,
        server_transport: N8nTransport,
        authentication: N8nAuthentication,
        include: String,
        options: BTreeMap<String, ()>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum N8nTransport {
        HttpStreamable,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum N8nAuthentication {
        HeaderAuth,
        BearerAuth,
    }
}

#[test]
fn snippets_have_the_form_that_the_code_of_the_client_accepts() {
    let key = SecretString::from(KEY);
    for target in [http(), stdio("/srv/watchpost")] {
        for header in [KeyHeader::XApiKey, KeyHeader::Bearer] {
            for key in [None, Some(&key)] {
                let text = |client| {
                    let parts = snippet(client, &target, header, key).unwrap().parts;
                    parts.into_iter().next().unwrap().text
                };
                serde_saphyr::from_str::<accepted::GooseFile>(&text(Client::Goose)).unwrap();
                serde_saphyr::from_str::<accepted::ContinueBlock>(&text(Client::Continue)).unwrap();
                serde_saphyr::from_str::<accepted::LibreChatFile>(&text(Client::LibreChat)).unwrap();
                if matches!(target, Target::Http { .. }) {
                    serde_json::from_str::<accepted::N8nWorkflow>(&text(Client::N8n)).unwrap();
                }
            }
        }
    }
}

#[test]
fn yaml_reads_as_what_was_written() {
    let text = |text: &str| json::Json::from(text);
    for word in [
        "",
        "yes",
        "No",
        "null",
        "~",
        "1",
        "1.0.0",
        "0x1",
        "a: b",
        "a #b",
        "- a",
        "${A}",
        "${{ secrets.A }}",
        "C:\\data \"x\"",
        "it's",
        "wp_…",
        " a",
        "a\nb",
        "@a",
        "wp_1",
        "streamable-http",
    ] {
        let root = json::object([
            ("text", text(word)),
            (word, text("value")),
            (
                "list",
                vec![text(word), json::object([("a", text(word)), ("b", text(word))])].into(),
            ),
            ("flag", true.into()),
            ("none", Vec::<json::Json>::new().into()),
        ]);
        let written = root.yaml();
        let read: Value = serde_saphyr::from_str(&written).unwrap();
        assert_eq!(read, serde_json::to_value(&root).unwrap(), "{written}");
    }
}

/// The page docs/connect/clients.md. To update it: `UPDATE_DOCS=1 cargo test -p watchpost-runtime`.
fn page() -> String {
    let mut page = String::from(
        "# Connect an assistant\n\n`watchpost client-config CLIENT` prints the configuration that connects a client. Without `--url` the client \
         starts `watchpost-stdio` on the machine with the data; with `--url` it connects to a server. Any URL of the server is accepted, \
         with `/mcp` or `/sse` at its end or not. A path under which a proxy serves it is kept: `--url https://it.example.com/watchpost` gives \
         `https://it.example.com/watchpost/mcp`.\n\n\
         Without `--key`, the configuration refers to the environment variable `WATCHPOST_API_KEY` if the client can read one, and has a \
         placeholder if not.\n\n\
         | name | client | paste into | note on servers with `--url` |\n| --- | --- | --- | --- |\n",
    );
    for client in Client::ALL {
        let snippet = snippet(*client, &http(), KeyHeader::XApiKey, None).unwrap();
        let places: Vec<_> = snippet.parts.iter().map(|part| part.place).collect();
        page.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            client.name(),
            client.title(),
            places.join(", or ").replace('|', "\\|"),
            snippet.note.unwrap_or_default()
        ));
    }
    page.push_str(
        "\nA test generates this page: `UPDATE_DOCS=1 cargo test -p watchpost-runtime` updates it.\n",
    );
    page
}

#[test]
fn the_page_on_clients_is_up_to_date() {
    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/connect/clients.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let stored = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        stored == page,
        "docs/connect/clients.md is out of date: UPDATE_DOCS=1 cargo test -p watchpost-runtime"
    );
}

#[test]
fn paths_are_quoted_for_the_shell() {
    let check = |text: &str, expected: &str| assert_eq!(shell_word(text), expected);
    check("/srv/watchpost", "/srv/watchpost");
    check("", "''");
    check("it's $HOME", r"'it'\''s $HOME'");
}

#[test]
fn only_the_names_of_clients_are_accepted() {
    for client in Client::ALL {
        assert_eq!(client.name().parse(), Ok(*client));
    }
    let error = "emacs".parse::<Client>().unwrap_err().to_string();
    assert!(
        error.contains("claude-desktop") && error.ends_with(", generic"),
        "{error}"
    );
}

/// However the URL is written, each part names the endpoint below the path under which a proxy serves the server.
#[test]
fn the_path_under_which_a_proxy_serves_the_server_is_kept() {
    for end in ["", "/", "/mcp", "/mcp/", "/sse", "/sse/"] {
        let target = at(&format!("https://it.example/tools/watchpost{end}"));
        for client in Client::ALL {
            for part in snippet(*client, &target, KeyHeader::XApiKey, None).unwrap().parts {
                let endpoint = match client {
                    Client::McpRemote => "https://it.example/tools/watchpost/sse",
                    _ => "https://it.example/tools/watchpost/mcp",
                };
                let urls: Vec<_> = part
                    .text
                    .split(['"', ' ', '\n'])
                    .filter(|word| word.contains("it.example"))
                    .collect();
                assert_eq!(urls, [endpoint], "{client:?}, {end}");
            }
        }
    }
}
