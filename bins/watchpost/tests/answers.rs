//! A reading of what the command line prints on the demo, on an empty workspace and after an import: every command with
//! representative arguments, its errors, and every help text. [`Reader`] finds the mistakes.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};
use tempfile::TempDir;
use watchpost_runtime::{
    config::Settings,
    demo::{Demo, DemoOptions},
};
use watchpost_testkit::prose::Reader;

/// Names of arguments, datasets, permissions and words that commands take as they are, in columns and help texts.
const NAMES: &[&str] = &[
    "accepted_risk",
    "api_token",
    "client_id",
    "client_secret",
    "claude_desktop_config",
    "false_positive",
    "full_access_as_app",
    "in_progress",
    "max_age",
    "not_applicable",
    "offline_access",
    "org_url",
    "tenant_id",
    "us_federal",
    "user_impersonation",
];

/// An id that nothing has.
const NO_ID: &str = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

/// A data folder and the texts that commands on it printed.
struct Shell {
    data: PathBuf,
    reader: Reader,
    texts: usize,
    faults: BTreeSet<String>,
}

impl Shell {
    fn new(data: &Path) -> Self {
        let words = watchpost_core::value::word::Category::ALL
            .iter()
            .map(|one| one.as_str());
        let datasets = watchpost_core::integration::fact::Dataset::ALL
            .iter()
            .map(|one| one.as_str());
        let frameworks = watchpost_core::check::Framework::ALL
            .iter()
            .map(|one| one.as_str());
        let names = NAMES
            .iter()
            .copied()
            .chain(words)
            .chain(datasets)
            .chain(frameworks);
        Self {
            data: data.to_owned(),
            reader: Reader::new(names).with_ids().with_columns(),
            texts: 0,
            faults: BTreeSet::new(),
        }
    }

    fn output(&self, words: &[&str]) -> (String, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_watchpost"))
            .args(["--data-dir".as_ref(), self.data.as_os_str()])
            .args(words)
            .env_clear()
            .output()
            .expect("the command starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (text(done.stdout), text(done.stderr))
    }

    /// Runs a command and reads what it prints.
    fn run(&mut self, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        self.run_words(&words);
    }

    fn run_words(&mut self, words: &[&str]) {
        let (stdout, stderr) = self.output(words);
        let mut is_data = false;
        for line in stdout.lines().chain(stderr.lines()) {
            self.texts += 1;
            is_data = match line {
                "Detected" | "Evidence" | "Read from" => true,
                "" => false,
                _ => is_data,
            };
            // Values have the vendors' names in them, but are no JSON.
            if is_data || line.contains(" \u{2192} ") {
                assert!(
                    !line.contains("{\"") && !line.contains("\":"),
                    "{}: {line}",
                    words.join(" ")
                );
                continue;
            }
            // The configuration of a client is JSON. The last is a sentence of the library for arguments.
            let is_json = words[0] == "client-config" && line.trim().starts_with(['{', '}', '"', ']']);
            if is_json || is_command(line) || line.contains("help of the given subcommand(s)") {
                continue;
            }
            for fault in self.reader.faults(line) {
                self.faults.insert(format!("{}: {fault}", words.join(" ")));
            }
        }
    }

    /// The values of a field of the rows that a command lists.
    fn ids(&self, command: &str, list: &str, id: &str) -> Vec<String> {
        let words: Vec<&str> = command.split(' ').chain(["--json"]).collect();
        let (stdout, _) = self.output(&words);
        let answer: Value =
            serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{command}: {error}: {stdout}"));
        let rows = answer[list].as_array().cloned().unwrap_or_default();
        rows.iter()
            .filter_map(|row| row[id].as_str().map(str::to_owned))
            .collect()
    }

    fn end(self, texts: usize) {
        assert!(self.texts >= texts, "only {} lines were read", self.texts);
        let faults: Vec<String> = self.faults.into_iter().collect();
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            faults.join("\n")
        );
    }
}

/// Whether a text contains a command for a terminal, which has its own words and marks.
fn is_command(text: &str) -> bool {
    [
        "PowerShell",
        "PATCH ",
        "Set-",
        "New-",
        "Update-",
        "Connect-",
        "@{",
        "$true",
        "$false",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}

/// Commands that read, and commands with wrong arguments.
const READS: &[&str] = &[
    "score",
    "findings list",
    "findings list --limit 1",
    "findings list --severity critical",
    "findings list --status resolved",
    "findings list --text nothing-like-this",
    "findings show 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "findings snooze 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f --days 1",
    "identity nobody@example.com",
    "identity nobody",
    "identity Mara --tag-break-glass",
    "apps list",
    "apps policy nothing-like-this sanctioned",
    "remediations list",
    "remediations show 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "remediations reject 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "integrations list",
    "keys list",
    "keys create --label one",
    "keys create --label one --scope write",
    "keys revoke 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "scan list",
    "scan status",
    "scan status --type exposure",
    "scan results",
    "scan results --result failed",
    "scan results --check no.such_check",
    "scan compare",
    "scan compare --type exposure",
    "scan trend",
    "scan trend --type exposure",
    "scan cancel 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "schedule list",
    "schedule add --name weekly --every week --on monday --at 06:30 --zone Europe/Berlin",
    "schedule add --name daily --every day --at 25:30",
    "schedule list",
    "schedule remove 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "exemption list",
    "exemption add --check entra.mfa_all --kind user --entity someone --reason emergency --owner IT --days 1",
    "exemption add --check no.such_check --kind user --entity someone --reason emergency --owner IT --days 1",
    "exemption list",
    "policy list",
    "policy show entra.mfa_all",
    "policy show none.such",
    "imports list",
    "imports results 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "imports disagreements",
    "import no-such-file.json",
    "audit list --limit 20",
    "audit verify",
    "client-config list",
    "client-config claude-desktop",
    "config show",
    "doctor",
    "sync --no-wait",
    "scan start --platform slack",
    "scan start --type exposure --platform okta",
    "scan start --type compliance",
    "scan start --type compliance",
    "report executive --format markdown --output -",
    "restore no-such-file",
    "no-such-command",
];

/// Decisions on one finding, each twice.
fn decisions(shell: &mut Shell, finding: &str) {
    for command in [
        "snooze ID --days 1",
        "snooze ID --days 14",
        "dismiss ID --reason accepted_risk",
        "snooze ID --days 3",
        "reopen ID",
        "resolve ID",
        "show ID",
        "reopen ID",
        "snooze ID --days 400",
    ] {
        for _ in 0..2 {
            shell.run(&format!("findings {}", command.replace("ID", finding)));
        }
    }
}

fn helps(shell: &mut Shell) {
    let (top, _) = shell.output(&["--help"]);
    let names = |help: &str| -> Vec<String> {
        help.split("Commands:")
            .nth(1)
            .unwrap_or_default()
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with("  "))
            .filter(|line| !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .filter(|name| name != "help")
            .collect()
    };
    shell.run("--help");
    for name in names(&top) {
        let (help, _) = shell.output(&[name.as_str(), "--help"]);
        shell.run_words(&[name.as_str(), "--help"]);
        for inner in names(&help) {
            shell.run_words(&[name.as_str(), inner.as_str(), "--help"]);
        }
    }
}

/// A demo in a folder, which serves its simulated vendors until it is dropped.
fn demo(folder: &TempDir) -> Demo {
    let data_dir = Some(folder.path().join("data"));
    // The demo starts event loops, which can't be nested.
    thread::spawn(move || {
        let demo = Demo::start(DemoOptions {
            data_dir,
            now: None,
            settings: Settings::default(),
        })
        .expect("the demo starts");
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(demo.build_history())
            .expect("the history is built");
        demo
    })
    .join()
    .expect("a demo")
}

#[test]
fn the_output_of_commands_on_the_demo_has_no_mistakes() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = demo(&folder);
    let mut shell = Shell::new(&folder.path().join("data"));
    READS.iter().for_each(|command| shell.run(command));
    shell.run("integrations verify");
    let findings = shell.ids("findings list --limit 1000", "findings", "id");
    for finding in findings.iter().take(60) {
        shell.run(&format!("findings show {finding}"));
    }
    decisions(&mut shell, findings.last().expect("a finding"));
    for person in [
        "adm.huw.garrow@birchworks.example",
        "mona.departed@birchworks.example",
        "oli@cloudcrew.example",
    ] {
        shell.run(&format!("identity {person}"));
        shell.run(&format!("identity {person} --tag-break-glass"));
    }
    for check in shell
        .ids("scan results --result failed", "results", "check_id")
        .iter()
        .take(20)
    {
        shell.run(&format!("scan results --check {check}"));
        shell.run(&format!("scan replay {check}"));
    }
    shell.run("scan start --type exposure --platform m365 --stored-settings --wait --fail-on high");
    for kind in ["executive", "framework", "evidence"] {
        let file = folder.path().join(format!("{kind}.md"));
        let file = file.to_str().expect("a path");
        shell.run(&format!("report {kind} --output {file}"));
        shell.run(&format!("report {kind} --difference --output {file}"));
    }
    let scans = shell.ids("scan list", "scans", "scan_id");
    shell.run(&format!(
        "scan cancel {}",
        scans.first().map_or(NO_ID, String::as_str)
    ));
    drop(demo);
    shell.end(2_000);
}

#[test]
fn the_output_of_commands_on_an_empty_workspace_has_no_mistakes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Shell::new(&folder.path().join("data"));
    shell.run("score");
    shell.run("init");
    READS.iter().for_each(|command| shell.run(command));
    let file = folder.path().join("export.json");
    let export = serde_json::json!({
        "module_version": "1.8.0",
        "timestamp_zulu": "2026-02-01T09:00:00Z",
        "tenant_details": {"TenantId": NO_ID, "DisplayName": "Birchworks"},
        "remote_domains": [{"DomainName": "*", "Identity": "Default", "AutoForwardEnabled": true}],
    });
    fs::write(&file, export.to_string()).expect("a file");
    shell.run_words(&["import", file.to_str().expect("a path")]);
    READS.iter().for_each(|command| shell.run(command));
    helps(&mut shell);
    shell.end(600);
}
