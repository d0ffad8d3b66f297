use super::*;
use watchpost_core::access::KeyScope;

const KEY: &str = "wp_0123456789abcdefghijABCDEFGHIJ3O07sR";

fn http() -> Target {
    Target::http(
        "https://watchpost.example/mcp",
        Path::new("/opt/watchpost/bin/watchpost"),
    )
    .unwrap()
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
        let snippet = snippet(*client, target, header, key.as_ref());
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
                    for part in snippet(*client, &target, header, key).parts {
                        check_part(*client, &target, &part, key.is_some());
                    }
                }
            }
        }
    }
}

fn check_part(client: Client, target: &Target, part: &Part, has_key: bool) {
    let remote = matches!(target, Target::Http { .. });
    assert_eq!(part.text.contains(KEY), has_key, "{client:?}: {}", part.text);
    let root: serde_json::Value = match part.language {
        Language::Shell => return,
        Language::Json => serde_json::from_str(&part.text).unwrap(),
        Language::Toml => serde_json::to_value(part.text.parse::<toml::Table>().unwrap()).unwrap(),
    };
    let top = match client {
        Client::VsCode | Client::VisualStudio => "servers",
        Client::Zed => "context_servers",
        Client::OpenCode => "mcp",
        Client::Codex => "mcp_servers",
        _ => "mcpServers",
    };
    let entry = &root[top]["watchpost"];
    assert!(entry.is_object(), "{client:?}: {root}");
    let bridged = matches!(client, Client::ClaudeDesktop | Client::McpRemote);
    if remote && !bridged {
        let field = match client {
            Client::Windsurf | Client::Antigravity => "serverUrl",
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
            Client::RooCode => Some("streamable-http"),
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
        assert_eq!(
            entry["command"], "/opt/watchpost/bin/watchpost-stdio",
            "{client:?}"
        );
        let args = entry["args"].as_array().unwrap();
        assert_eq!(args[0], "--data-dir");
        assert_eq!(args.iter().any(|arg| arg == "--scope"), !has_key, "{client:?}");
    }
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

#[test]
fn only_the_url_of_a_server_is_accepted() {
    let bridge = Path::new("watchpost");
    for wrong in ["", "watchpost.example", "ftp://watchpost.example", "/mcp"] {
        assert!(Target::http(wrong, bridge).is_err(), "{wrong}");
    }
    let Target::Http { base_url, .. } = Target::http("http://[::1]:8787/sse", bridge).unwrap() else {
        panic!("a URL gives an HTTP target")
    };
    assert_eq!(base_url, "http://[::1]:8787");
}
