//! The test cases beside each check (`<check id>.cases.json`), of built-in checks and of customers' checks.
//!
//! ```json
//! {"cases": [{
//!   "name": "…", "settings": {"sharepoint/Tenant": {"…": 1}},
//!   "unreadable": {"settings": {"state": "denied", "detail": "Directory.Read.All"}},
//!   "profile": "scuba", "exempt": {"user": ["…"]}, "params": {}, "apps": [],
//!   "expect": {"result": "failed", "reason_contains": ["…"], "entities": 1, "would_pass": true}
//! }]}
//! ```
//! Only `name` and `expect` are required. `reason` is the reason of a skipped check. Apps are partial and are merged over
//! the same base as the documents of rules' cases. The time is [`crate::cases::NOW_MS`].
//!
//! Beside `cases`, the file may have `"rows": {"<path>": {…}}`: each row of that setting is partial and is merged over this
//! one, objects field by field. A case with `"whole": true` has whole rows, to leave fields out.

use super::{host, judge::Machine, set::CheckSet, view::View};
use crate::{
    builtin,
    cases::{self, CaseReport, NOW_MS, contains_all},
    limits::Limits,
    pack::Pack,
    program::{Stop, guarded},
    text,
    value::to_value,
};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};
use watchpost_core::{
    check::{
        Check, CheckDocument, CheckOver, CheckResult, Exempted, Outcome, Profile, SkipReason, Unreadable,
    },
    rule::EngineError,
    value::word::{CollectionState, Platform},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The row that the rows of a setting are merged over, by the setting's path.
    #[serde(default)]
    rows: BTreeMap<String, serde_json::Value>,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Whether the rows of settings are whole.
    #[serde(default)]
    whole: bool,
    platform: Option<Platform>,
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    settings: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    unreadable: BTreeMap<String, CaseUnreadable>,
    profile: Option<Profile>,
    #[serde(default)]
    exempt: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    params: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    apps: Vec<serde_json::Value>,
    now_ms: Option<i64>,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseUnreadable {
    state: CollectionState,
    detail: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    result: CheckResult,
    reason: Option<SkipReason>,
    #[serde(default)]
    reason_contains: Vec<String>,
    entities: Option<usize>,
    would_pass: Option<bool>,
}

/// Runs the cases in `text` (the content of the `.cases.json` named `file`) on a check of `pack`.
///
/// # Errors
/// [`EngineError::Load`] if the file has no valid cases, or the check doesn't exist or doesn't compile. A failed case is
/// in the report.
pub fn run(pack: &Pack, check_id: &str, file: &str, text: &str) -> Result<CaseReport, EngineError> {
    guarded(|| run_here(pack, check_id, file, text)).map_err(EngineError::Load)
}

/// Returns the cases of the built-in checks: file name and text. A check's file is named after its id, a variant's after
/// the control that it covers.
pub fn builtin_cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    builtin::CASES.iter().copied()
}

/// Returns the check whose cases are in the file with this name.
pub fn check_of_file<'p>(pack: &'p Pack, file: &str) -> Option<&'p Check> {
    let stem = file.strip_suffix(".cases.json")?;
    let set = pack.checks();
    set.position(stem)
        .or_else(|| set.position_of_file(&format!("{stem}.rego")))
        .and_then(|check| set.checks().get(check))
}

fn run_here(pack: &Pack, check_id: &str, file: &str, content: &str) -> Result<CaseReport, String> {
    let File { rows, cases } = serde_json::from_str(content).map_err(|error| format!("{file}: {error}"))?;
    let set = pack.checks();
    let position = set
        .position(check_id)
        .ok_or_else(|| text::cases_of_unknown(file, "check", check_id))?;
    let check = set.checks().get(position).ok_or(text::CHECK_LOST)?;
    let mut report = CaseReport::default();
    let mut machine = None;
    for mut case in cases {
        if !case.whole {
            complete(&mut case.settings, &rows);
        }
        let expect = &case.expect;
        let kind = expect
            .reason
            .map_or_else(|| expect.result.to_string(), |reason| reason.to_string());
        if case.profile != Some(Profile::Scuba) {
            report.kinds.push(kind.clone());
        }
        let outcome = judged(set, position, check, &case, &mut machine)
            .map_err(|error| text::broken_case(file, &case.name, &error))?;
        if outcome.result == CheckResult::Failed && case.profile != Some(Profile::Scuba) {
            // Tests compare the sentence that a person would read.
            report.titles.push(outcome.reason.untrusted().to_owned());
        }
        // Lists keep undefined elements, which are displayed as `<undefined>`.
        let compared = if format!("{outcome:?}").contains("<undefined>") {
            Err(text::PARTLY_UNDEFINED.to_owned())
        } else {
            compare(expect, &kind, &outcome)
        };
        report.add(check_id, &case.name, compared);
    }
    Ok(report)
}

/// Evaluates a case with the check compiled alone.
fn judged(
    set: &CheckSet,
    position: usize,
    check: &Check,
    case: &Case,
    machine: &mut Option<Machine>,
) -> Result<Outcome, String> {
    let document = Arc::new(document(check, case));
    let apps: Vec<serde_json::Value> = case
        .apps
        .iter()
        .map(|app| cases::whole("app", app.clone()))
        .collect::<Result<_, _>>()?;
    if !apps.is_empty() && check.over != CheckOver::Apps {
        return Err(text::APPS_FOR_SETTINGS.to_owned());
    }
    let profile = case.profile.unwrap_or(Profile::Default);
    let apps = to_value(&apps).map_err(|error| error.to_string())?;
    let view = View::with_apps(set, &document, apps, profile, case.now_ms.unwrap_or(NOW_MS))?;
    if let Some(outcome) = host::decided(check, &document, profile) {
        return Ok(outcome);
    }
    let machine = match machine {
        Some(machine) => machine,
        None => {
            let compiled = set.compiled_alone(position)?;
            let limits: Limits = set
                .place(position)
                .map_or(*set.limits(), |(group, _)| set.limits_of(group));
            machine.insert(Machine::new(Arc::new(compiled), &limits)?)
        }
    };
    let input = view.input(set, position)?;
    let answered = match machine.run(0, input) {
        Ok(answered) => answered,
        Err(stop @ Stop::Panicked) => return Err(stop.reason()),
        // The outcome of the case, as in a scan. The file is not at fault.
        Err(stop) => Err(stop.reason()),
    };
    Ok(host::read_as(profile, check, &document, answered))
}

/// Merges the rows of settings over the row of their path.
fn complete(settings: &mut BTreeMap<String, serde_json::Value>, rows: &BTreeMap<String, serde_json::Value>) {
    for (path, base) in rows {
        let list = match settings.get_mut(path) {
            Some(serde_json::Value::Object(document)) => document.get_mut("value"),
            other => other,
        };
        for row in list
            .and_then(serde_json::Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let partial = std::mem::replace(row, base.clone());
            merge(row, partial);
        }
    }
}

fn merge(base: &mut serde_json::Value, partial: serde_json::Value) {
    match (base, partial) {
        (serde_json::Value::Object(base), serde_json::Value::Object(partial)) => {
            for (key, value) in partial {
                merge(base.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (base, partial) => *base = partial,
    }
}

fn document(check: &Check, case: &Case) -> CheckDocument {
    let default = check.platforms.first().copied().unwrap_or(Platform::M365);
    let mut document = CheckDocument::new(
        case.platform.unwrap_or(default),
        case.tenant.clone(),
        "Birchworks".to_owned(),
    );
    document.settings = case.settings.clone();
    document.unreadable = case
        .unreadable
        .iter()
        .map(|(path, unread)| {
            let unread = Unreadable {
                state: unread.state,
                detail: unread.detail.clone(),
            };
            (path.clone(), unread)
        })
        .collect();
    for (kind, ids) in &case.exempt {
        document.exemptions.extend(ids.iter().map(|id| Exempted {
            check: check.id.clone(),
            kind: kind.clone(),
            id: id.clone(),
        }));
    }
    document.params.insert(check.id.clone(), case.params.clone());
    document
}

fn compare(expect: &Expect, kind: &str, outcome: &Outcome) -> Result<(), String> {
    let sentence = outcome.reason.untrusted();
    if outcome.result != expect.result || (expect.reason.is_some() && outcome.skip != expect.reason) {
        let got = outcome
            .skip
            .map_or_else(|| outcome.result.to_string(), |skip| format!("skipped: {skip}"));
        return Err(text::other_verdict(kind, format_args!("{got}: {sentence}")));
    }
    contains_all("sentence", sentence, &expect.reason_contains)?;
    if let Some(expected) = expect.entities
        && expected != outcome.entities.len()
    {
        let ids: Vec<&String> = outcome.entities.iter().map(|entity| &entity.id).collect();
        return Err(text::other_entity_count(ids.len(), expected, &ids));
    }
    if let Some(expected) = expect.would_pass
        && expected != outcome.would_pass.is_some()
    {
        return Err(text::other_would_pass(!expected));
    }
    Ok(())
}
