//! `watchpost policy`: rules and checks, the test cases of a pack, and checks on another scanner's export. None of these
//! commands opens the database.

use crate::{
    failure::{code, fail},
    output::Output,
    text,
};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};
use watchpost_core::{
    check::{Check, Framework, Profile, ScanType, Service},
    rule::{EngineError, Rule},
    value::word::Severity,
};
use watchpost_runtime::{
    instance::Environment,
    offline::{self, CheckLine, INPUT_BYTES_MAX, Offline, OfflineError},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Lists the rules and checks
    List(List),
    /// Shows one rule or check
    Show {
        /// The id of the rule or check, or of a baseline policy that it covers (MS.AAD.1.1v1)
        id: String,
        #[command(flatten)]
        pack: Pack,
    },
    /// Runs the test cases of the rules and checks in a folder
    Test {
        /// The folder with *.rego and *.cases.json files
        folder: PathBuf,
    },
    /// Evaluates checks on another scanner's export of settings, without a database
    Eval(Eval),
}

#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// A folder with your own rules and checks
    #[arg(long, value_name = "DIR")]
    policy_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only rules and checks with ids in this framework: scuba, cis, nist_800_53, nist_csf
    #[arg(long, value_parser = framework)]
    framework: Option<Framework>,
    /// Only checks of these services: entra, exchange, defender, sharepoint, teams, …
    #[arg(long, value_delimiter = ',', value_parser = service)]
    service: Vec<Service>,
    /// Only rules and checks of these severities (repeat the flag, or separate by commas)
    #[arg(long, value_delimiter = ',')]
    severity: Vec<Severity>,
    /// Only rules (detection), or only checks of one type of scan
    #[arg(long = "type", value_enum)]
    kind: Option<Kind>,
    #[command(flatten)]
    pack: Pack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Rules that run after every sync
    Detection,
    /// Checks of compliance scans
    Compliance,
    /// Checks of exposure scans
    Exposure,
}

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The export; `-` reads standard input
    #[arg(long, default_value = "-")]
    input: PathBuf,
    /// The tool that wrote the export
    #[arg(long, value_enum, default_value_t = Format::Scubagear)]
    format: Format,
    /// Only this check: its id, or the id of a baseline policy
    #[arg(long, conflicts_with = "batch")]
    check: Option<String>,
    /// The treatment of settings that the export lacks: `default` skips the check; `scuba` fails it, as CISA's published baselines do
    #[arg(long, default_value = "default", value_parser = profile)]
    profile: Profile,
    /// Read one case per line: `{"id", "policy_id", "input"}`
    #[arg(long)]
    batch: bool,
    #[command(flatten)]
    pack: Pack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// ScubaGear's ProviderSettingsExport.json, or its results with the field `Raw`
    Scubagear,
}

fn framework(text: &str) -> Result<Framework, String> {
    Framework::from_name(text)
        .ok_or_else(|| text::policy::unknown_value(&names(Framework::ALL, Framework::as_str)))
}

fn service(text: &str) -> Result<Service, String> {
    Service::from_name(text).ok_or_else(|| text::policy::unknown_value(&names(Service::ALL, Service::as_str)))
}

fn profile(text: &str) -> Result<Profile, String> {
    text.parse::<Profile>().map_err(|error| error.to_string())
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| name(*value)).collect()
}

/// `configured` is the folder from the settings; `--policy-dir` overrides it.
pub(crate) fn run(command: &Policy, configured: Option<&Path>, output: Output) -> Result<()> {
    let load = |pack: &Pack| Offline::load(pack.policy_dir.as_deref().or(configured)).map_err(from_policy);
    match command {
        Policy::List(args) => list(args, &load(&args.pack)?, output),
        Policy::Show { id, pack } => show(id, &load(pack)?, output),
        Policy::Test { folder } => test(folder, output),
        Policy::Eval(args) => eval(args, &load(&args.pack)?, output),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a function for `map_err` takes its error by value"
)]
fn from_policy(error: EngineError) -> anyhow::Error {
    fail(code::USAGE, error.to_string())
}

fn list(args: &List, offline: &Offline, output: Output) -> Result<()> {
    let matches = |ids: &[String], severity: Severity| {
        args.framework
            .is_none_or(|framework| ids.iter().any(|id| Framework::of_id(id) == framework))
            && (args.severity.is_empty() || args.severity.contains(&severity))
    };
    let checks = offline.checks().iter().filter(|check| {
        let kind = match args.kind {
            None => check.scan.is_some(),
            Some(Kind::Compliance) => check.scan == Some(ScanType::Compliance),
            Some(Kind::Exposure) => check.scan == Some(ScanType::Exposure),
            Some(Kind::Detection) => false,
        };
        kind && matches(&check_ids(check), check.severity)
            && (args.service.is_empty() || args.service.contains(&check.service))
    });
    let rules = offline.rules().iter().filter(|rule| {
        args.kind.is_none_or(|kind| kind == Kind::Detection)
            && args.service.is_empty()
            && matches(&rule.frameworks, rule.severity)
    });
    let mut rows: Vec<Value> = rules
        .map(|rule| rule_json(rule, offline))
        .chain(checks.map(|check| check_json(check, offline)))
        .collect();
    rows.sort_by_key(|row| field(row, "id"));
    let table = rows
        .iter()
        .map(|row| {
            let ids = row["frameworks"].as_array().into_iter().flatten();
            let ids: Vec<&str> = ids.filter_map(Value::as_str).collect();
            vec![
                field(row, "id"),
                field(row, "severity"),
                field(row, "type"),
                field(row, "service"),
                field(row, "title"),
                ids.join(" "),
            ]
        })
        .collect();
    let titles = ["id", "severity", "type", "service", "title", "frameworks"];
    Ok(output.table(
        &json!({"count": rows.len(), "policies": rows}),
        &titles,
        table,
        text::policy::NO_POLICIES,
    )?)
}

fn show(id: &str, offline: &Offline, output: Output) -> Result<()> {
    let rule = offline.rules().iter().find(|rule| rule.id == id);
    let shown = rule
        .map(|rule| rule_json(rule, offline))
        .or_else(|| offline.check(id).map(|check| check_json(check, offline)));
    let Some(mut shown) = shown else {
        return Err(fail(code::NOT_FOUND, text::policy::not_found(id)));
    };
    if let Some(params) = offline.params(&field(&shown, "id")) {
        shown["params"] = json!(params);
    }
    let mut lines = vec![
        format!("{}  {}", field(&shown, "id"), field(&shown, "title")),
        format!(
            "{} · {} · {}",
            field(&shown, "severity"),
            field(&shown, "type"),
            field(&shown, "category")
        ),
        String::new(),
        field(&shown, "description"),
    ];
    for (title, key) in [
        ("Inputs", "inputs"),
        ("Frameworks", "frameworks"),
        ("What to do", "remediation"),
        ("References", "references"),
    ] {
        let entries: Vec<&str> = shown[key]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !entries.is_empty() {
            lines.push(format!("\n{title}:"));
            lines.extend(entries.iter().map(|entry| format!("  {entry}")));
        }
    }
    Ok(output.answer(&shown, &lines.join("\n"))?)
}

/// A string field; empty if there is none.
fn field(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

fn check_ids(check: &Check) -> Vec<String> {
    check.frameworks.iter().map(ToString::to_string).collect()
}

fn check_json(check: &Check, offline: &Offline) -> Value {
    json!({
        "id": check.id, "title": check.title, "description": check.description,
        "type": check.scan.map_or("former_baseline", ScanType::as_str),
        "severity": check.severity, "category": check.category, "service": check.service,
        "platforms": check.platforms, "over": check.over, "inputs": check.inputs,
        "optional_inputs": check.optional_inputs, "manual": check.manual, "variant_of": check.variant_of,
        "frameworks": check_ids(check), "remediation": check.remediation, "references": check.references,
        "builtin": offline.is_builtin(&check.id),
    })
}

fn rule_json(rule: &Rule, offline: &Offline) -> Value {
    let datasets: Vec<&str> = rule.datasets.iter().map(|dataset| dataset.as_str()).collect();
    json!({
        "id": rule.id, "title": rule.title, "description": rule.description, "type": "detection",
        "severity": rule.severity, "category": rule.category, "document": rule.document,
        "platforms": rule.platforms, "inputs": datasets, "frameworks": rule.frameworks, "action": rule.action,
        "remediation": rule.remediation, "references": rule.references, "builtin": offline.is_builtin(&rule.id),
    })
}

fn test(folder: &Path, output: Output) -> Result<()> {
    let report = offline::test_folder(folder).map_err(from_policy)?;
    let json = json!({
        "policies": report.rules, "passed": report.passed, "failed": report.failed,
        "without_cases": report.without_cases,
    });
    let mut lines: Vec<String> = report
        .failed
        .iter()
        .map(|case| format!("failed  {case}"))
        .collect();
    lines.extend(report.without_cases.iter().map(|id| format!("no cases  {id}")));
    let failed = report.failed.len();
    lines.push(text::policy::cases_run(report.rules, report.passed, failed));
    output.answer(&json, &lines.join("\n"))?;
    if report.failed.is_empty() {
        Ok(())
    } else {
        Err(fail(code::PROBLEM_FOUND, text::policy::cases_failed(failed)))
    }
}

fn eval(args: &Eval, offline: &Offline, output: Output) -> Result<()> {
    let Format::Scubagear = args.format;
    let now_ms = Environment::system().clock.now().as_millis();
    let input = open(&args.input)?;
    if args.batch {
        return offline
            .evaluate_cases(input, io::stdout(), args.profile, now_ms)
            .map_err(from_offline);
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(INPUT_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    input
        .take(most)
        .read_to_end(&mut bytes)
        .with_context(|| text::unreadable_file(&args.input))?;
    let lines = offline
        .evaluate_export(&bytes, args.check.as_deref(), args.profile, now_ms)
        .map_err(from_offline)?;
    if output.json {
        let mut text = String::new();
        for line in &lines {
            text.push_str(&serde_json::to_string(line)?);
            text.push('\n');
        }
        return match io::stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        };
    }
    let table = lines.iter().map(row).collect();
    let titles = ["check", "result", "policies", "details"];
    Ok(output.table(&Value::Null, &titles, table, text::policy::NO_CHECKS)?)
}

fn row(line: &CheckLine) -> Vec<String> {
    let result = match line.reason {
        Some(reason) => format!("{}: {reason}", line.result),
        None => line.result.to_string(),
    };
    vec![
        line.check.clone(),
        result,
        line.scuba_ids.join(" "),
        line.details.clone(),
    ]
}

fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(fail(code::NOT_FOUND, text::policy::unreadable(path, &error))),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a function for `map_err` takes its error by value"
)]
fn from_offline(error: OfflineError) -> anyhow::Error {
    let code = match &error {
        OfflineError::UnknownCheck(_) => code::NOT_FOUND,
        OfflineError::Input(_) | OfflineError::Policy(_) => code::USAGE,
        OfflineError::Thread(_) => code::FAILED,
    };
    fail(code, error.to_string())
}
