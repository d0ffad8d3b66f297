use super::*;

fn load(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[(&'static str, &str)],
) -> Result<Loaded, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watchpost.toml");
    std::fs::write(&path, file).unwrap();
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let flags: Vec<_> = flags
        .iter()
        .map(|(key, value)| FlagValue {
            key,
            flag: "--flag",
            value: (*value).to_owned(),
        })
        .collect();
    Loaded::load(&path, environment, &flags)
}

fn error(file: &str, environment: &[(&str, &str)]) -> String {
    let text = load(file, environment, &[]).unwrap_err().to_string();
    // The folder's name is different in each run.
    match text.find("watchpost.toml") {
        Some(at) => text[at..].to_owned(),
        None => text,
    }
}

/// SEC-03.
#[test]
fn a_missing_file_gives_the_defaults() {
    let loaded = Loaded::load(Path::new("/nonexistent/watchpost.toml"), [], &[]).unwrap();
    assert_eq!(loaded.settings, Settings::default());
    let shown: Vec<String> = loaded
        .show()
        .into_iter()
        .map(|line| format!("{} = {} ({})", line.key, line.value, line.origin))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    limits.requests_per_hour = 1000 (default)
    limits.active_keys = 10 (default)
    limits.streams_total = 16384 (default)
    limits.streams_per_key = 1024 (default)
    http.listen = "127.0.0.1:8787" (default)
    http.public_url = "" (default)
    http.behind_proxy = false (default)
    http.trusted_proxies = [] (default)
    http.threads = 0 (default)
    sync.every = "1h" (default)
    outbound.allow = [] (default)
    mcp.confirm = "risky" (default)
    policy.dir = "" (default)
    audit.checkpoint_file = "" (default)
    audit.syslog = false (default)
    log.format = "text" (default)
    log.filter = "info" (default)
    "#);
}

#[test]
fn flags_override_the_environment_that_overrides_the_file() {
    let file = "[limits]\nrequests_per_hour = 1\nactive_keys = 2\nstreams_total = 3\n";
    let environment = [
        ("WATCHPOST_LIMITS_REQUESTS_PER_HOUR", "10"),
        ("WATCHPOST_LIMITS_ACTIVE_KEYS", "20"),
        ("PATH", "/bin"),
        ("WATCHPOST_API_KEY", "whatever"),
    ];
    let loaded = load(file, &environment, &[("limits.requests_per_hour", "0")]).unwrap();
    let limits = &loaded.settings.limits;
    assert_eq!(
        (
            limits.requests_per_hour,
            limits.active_keys,
            limits.streams_total,
            limits.streams_per_key
        ),
        (0, 20, 3, 1_024)
    );
    assert_eq!(
        loaded.origin("limits.requests_per_hour").to_string(),
        "flag --flag"
    );
    assert_eq!(
        loaded.origin("limits.active_keys").to_string(),
        "environment WATCHPOST_LIMITS_ACTIVE_KEYS"
    );
    assert!(matches!(loaded.origin("limits.streams_total"), Origin::File(_)));
    assert_eq!(loaded.origin("limits.streams_per_key"), &Origin::Default);
}

#[test]
fn unknown_keys_are_rejected_by_name() {
    insta::assert_snapshot!(error("[limits]\nrequest_per_hour = 1\n", &[]), @"watchpost.toml: there is no setting `limits.request_per_hour`, did you mean `limits.requests_per_hour`?");
    insta::assert_snapshot!(error("[limit]\nactive_keys = 1\n", &[]), @"watchpost.toml: there is no setting `limit.active_keys`, did you mean `limits.active_keys`?");
    insta::assert_snapshot!(error("surprise = 1\n", &[]), @"watchpost.toml: there is no setting `surprise`");
    insta::assert_snapshot!(error("", &[("WATCHPOST_HTTP_LISTN", "127.0.0.1:1")]), @"environment WATCHPOST_HTTP_LISTN: there is no setting `HTTP_LISTN`, did you mean `http.listen`?");
    insta::assert_snapshot!(error("", &[("WATCHPOST_READ_ONLY", "true")]), @"environment WATCHPOST_READ_ONLY: there is no setting `READ_ONLY`");
}

#[test]
fn variables_of_container_platforms_are_ignored() {
    let environment = [
        ("WATCHPOST_SERVICE_HOST", "10.0.0.1"),
        ("WATCHPOST_SERVICE_PORT_MCP", "8787"),
        ("WATCHPOST_PORT", "tcp://10.0.0.1:8787"),
        ("WATCHPOST_HTTP_PORT_8787_TCP_PROTO", "tcp"),
    ];
    assert_eq!(load("", &environment, &[]).unwrap().settings, Settings::default());
}

#[test]
fn errors_of_invalid_values_say_what_is_expected() {
    let check = |file: &str, expected: &str| {
        let text = error(file, &[]);
        assert!(text.contains(expected), "{file}: {text}");
    };
    check(
        "[limits]\nactive_keys = 0",
        "`limits.active_keys` must be a whole number above 0",
    );
    check("[limits]\nactive_keys = -1", "must be a whole number from 0");
    check("[limits]\nactive_keys = \"10\"", "not `10`");
    check(
        "[http]\nlisten = \"8787\"",
        "must be an address with a port, such as 127.0.0.1:8787, not `8787`",
    );
    for url in [
        "a.example",
        "ftp://a.example",
        "https://a.example/mcp?key=x",
        "https://user@a.example",
    ] {
        check(
            &format!("[http]\npublic_url = \"{url}\""),
            "the URL of the server without a query",
        );
    }
    check("[http]\nbehind_proxy = \"yes\"", "must be true or false");
    check(
        "[http]\ntrusted_proxies = [\"10.0.0.0/99\"]",
        "a network such as 10.0.0.0/8",
    );
    check("[sync]\nevery = \"1 hour\"", "a duration such as");
    check("[sync]\nevery = \"5s\"", "at least 60s");
    check("[sync]\nevery = 3600", "a duration such as");
    check(
        "[outbound]\nallow = [\"http://127.0.0.1:1/x\"]",
        "an exact origin",
    );
    check("[log]\nformat = \"xml\"", "must be text or json");
    check(
        "[mcp]\nconfirm = \"sometimes\"",
        "`mcp.confirm` must be risky, always or never, not `sometimes`",
    );
    check("[mcp]\nconfirm = true", "must be text in quotes");
    check("[log]\nformat = ", "watchpost.toml");
}

#[test]
fn shown_settings_can_be_loaded_again() {
    let file = r#"
[http]
listen = "0.0.0.0:0"
public_url = "https://watchpost.example/tools"
behind_proxy = true
trusted_proxies = ["10.0.0.0/8", "192.0.2.1"]
[sync]
every = "90m"
[outbound]
allow = ["http://127.0.0.1:8080"]
[mcp]
confirm = "always"
[policy]
dir = 'C:\packs "own"'
[log]
format = "json"
filter = "debug"
"#;
    let loaded = load(file, &[], &[]).unwrap();
    let mut again = String::new();
    for line in loaded.show() {
        let (section, name) = line.key.split_once('.').unwrap();
        again.push_str(&format!("{section}.{name} = {}\n", line.value));
    }
    assert_eq!(load(&again, &[], &[]).unwrap().settings, loaded.settings);
}

#[test]
fn the_public_url_keeps_its_path_and_loses_an_endpoint() {
    for (text, shown, mcp) in [
        ("https://a.example", "https://a.example", "https://a.example/mcp"),
        (
            "https://a.example/mcp/",
            "https://a.example",
            "https://a.example/mcp",
        ),
        (
            "https://a.example/b/",
            "https://a.example/b",
            "https://a.example/b/mcp",
        ),
        (
            "https://a.example/b/sse",
            "https://a.example/b",
            "https://a.example/b/mcp",
        ),
    ] {
        let loaded = load("", &[("WATCHPOST_HTTP_PUBLIC_URL", text)], &[]).unwrap();
        let url = loaded.settings.http.public_url.as_ref().unwrap();
        assert_eq!(url.mcp(), mcp, "{text}");
        let line = loaded
            .show()
            .into_iter()
            .find(|line| line.key == "http.public_url");
        assert_eq!(line.unwrap().value, format!("{shown:?}"), "{text}");
    }
}

#[test]
fn lists_in_variables_are_separated_by_commas() {
    let loaded = load(
        "",
        &[("WATCHPOST_HTTP_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,")],
        &[],
    )
    .unwrap();
    assert_eq!(loaded.settings.http.trusted_proxies.len(), 2);
}
