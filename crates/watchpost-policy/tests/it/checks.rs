//! The check engine: outcomes without Rego, profiles, exemptions, parameters, and a customer's checks.

use serde_json::json;
use std::{path::Path, sync::Arc};
use watchpost_core::{
    check::{CheckDocument, CheckEngine, CheckResult, Exempted, Outcome, Profile, SkipReason, Unreadable},
    rule::EngineError,
    value::word::{CollectionState, Platform},
};
use watchpost_policy::{
    Pack,
    check::{RegoChecks, cases},
};

const NOW: i64 = 1_767_225_600_000;

/// Returns a check named `acme.<name>` with further METADATA and a body.
fn check(name: &str, more: &str, body: &str) -> String {
    format!(
        "# METADATA\n# id: acme.{name}\n# title: An example\n# description: Says why.\n# scan: compliance\n\
         # severity: medium\n# service: sharepoint\n# platforms: [m365]\n# inputs: [sharepoint/Tenant]\n\
         # remediation: [Do this.]\n# frameworks: [MS.SHAREPOINT.9.9v2]\n{more}package watchpost.checks.acme_{name}\n\n\
         import rego.v1\nimport data.watchpost.checklib as lib\n\n{body}\n"
    )
}

const SHARING: &str = r#"default result := {"result": "skipped", "reason": "unreadable"}

level := lib.one("sharepoint/Tenant").SharingCapability

result := lib.passed("Sharing is limited.", level) if level == 0

result := lib.failed(lib.text("Sharing is open at level %d.", [level]), level, [{"level": level}]) if level == 2

result := lib.skipped("not_applicable", "Nothing is shared.") if level == 9
"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn with(self, name: &str, text: &str) -> Self {
        std::fs::write(self.0.path().join(format!("acme.{name}.rego")), text).unwrap();
        self
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn engine(&self) -> RegoChecks {
        RegoChecks::with_threads(Pack::with_dir(self.path()).unwrap(), 1)
    }
    fn error(&self) -> String {
        match Pack::with_dir(self.path()).unwrap_err() {
            EngineError::Load(text) => text,
            other => other.to_string(),
        }
    }
}

fn tenant(level: i64) -> CheckDocument {
    let mut document = CheckDocument::new(Platform::M365, "t1".into(), "Birchworks".into());
    document.settings.insert(
        "sharepoint/Tenant".into(),
        json!({"value": [{"SharingCapability": level}]}),
    );
    document
}

fn evaluate(engine: &RegoChecks, id: &str, document: CheckDocument, profile: Profile) -> Outcome {
    let position = engine.pack().checks().position(id).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut verdicts = runtime
        .block_on(engine.evaluate_checks(Arc::new(document), vec![position], profile, NOW))
        .unwrap();
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0).outcome
}

fn shape(outcome: &Outcome) -> (CheckResult, Option<SkipReason>) {
    (outcome.result, outcome.skip)
}

#[test]
fn an_outcome_has_its_sentence_detected_value_and_evidence() {
    let folder = Folder::new().with("sharing", &check("sharing", "", SHARING));
    let engine = folder.engine();
    let failed = evaluate(&engine, "acme.sharing", tenant(2), Profile::Default);
    assert_eq!(failed.result, CheckResult::Failed);
    assert_eq!(failed.reason.untrusted(), "Sharing is open at level 2.");
    assert_eq!(failed.detected.as_deref(), Some("2"));
    assert_eq!(failed.evidence, r#"[{"level":2}]"#);
    let passed = evaluate(&engine, "acme.sharing", tenant(0), Profile::Default);
    assert_eq!(shape(&passed), (CheckResult::Passed, None));
}

#[test]
fn unreadable_settings_are_never_judged() {
    let folder = Folder::new().with("sharing", &check("sharing", "", SHARING));
    let engine = folder.engine();
    let unread = |state, detail: Option<&str>| {
        let mut document = tenant(0);
        let unread = Unreadable {
            state,
            detail: detail.map(str::to_owned),
        };
        document.unreadable.insert("sharepoint/Tenant".into(), unread);
        evaluate(&engine, "acme.sharing", document, Profile::Default)
    };
    let denied = unread(CollectionState::Denied, Some("Sites.Read.All"));
    assert_eq!(
        shape(&denied),
        (CheckResult::Skipped, Some(SkipReason::Unreadable))
    );
    assert!(denied.reason.untrusted().contains("`sharepoint/Tenant`"));
    assert!(denied.reason.untrusted().contains("Sites.Read.All"));
    assert_eq!(
        unread(CollectionState::Partial, None).skip,
        Some(SkipReason::Unreadable)
    );
    assert_eq!(
        unread(CollectionState::Unlicensed, None).skip,
        Some(SkipReason::Unlicensed)
    );
    let empty = CheckDocument::new(Platform::M365, String::new(), String::new());
    let absent = evaluate(&engine, "acme.sharing", empty, Profile::Default);
    assert_eq!(absent.skip, Some(SkipReason::Unreadable));
    let mut elsewhere = tenant(0);
    elsewhere.platform = Platform::Okta;
    let elsewhere = evaluate(&engine, "acme.sharing", elsewhere, Profile::Scuba);
    assert_eq!(elsewhere.skip, Some(SkipReason::NotApplicable));
}

#[test]
fn the_published_reading_fails_missing_settings_and_passes_checks_that_do_not_apply() {
    let folder = Folder::new()
        .with("sharing", &check("sharing", "", SHARING))
        .with(
            "undecided",
            &check(
                "undecided",
                "",
                "result := lib.passed(\"Fine.\", null) if lib.one(\"sharepoint/Tenant\").Fine",
            ),
        );
    let engine = folder.engine();
    let empty = || CheckDocument::new(Platform::M365, String::new(), String::new());
    for id in ["acme.sharing", "acme.undecided"] {
        let missing = evaluate(&engine, id, empty(), Profile::Scuba);
        assert_eq!(shape(&missing), (CheckResult::Failed, None), "{id}");
    }
    let other = evaluate(&engine, "acme.sharing", tenant(9), Profile::Scuba);
    assert_eq!(shape(&other), (CheckResult::Passed, None));
    let other = evaluate(&engine, "acme.sharing", tenant(9), Profile::Default);
    assert_eq!(other.skip, Some(SkipReason::NotApplicable));
    let undecided = evaluate(&engine, "acme.undecided", tenant(0), Profile::Scuba);
    assert_eq!(undecided.result, CheckResult::Error);
}

#[test]
fn exemptions_and_parameters_reach_a_check_by_any_of_its_ids() {
    let body = r#"result := lib.passed(lib.join(lib.exempt("user")), input.params)"#;
    let folder = Folder::new().with("echo", &check("echo", "# params: {days: 30, open: true}\n", body));
    let engine = folder.engine();
    let check = |key: &str, expected: &str, params: serde_json::Value| {
        let mut document = tenant(0);
        document.exemptions.push(Exempted {
            check: key.to_owned(),
            kind: "user".to_owned(),
            id: "U1".to_owned(),
        });
        let own = json!({"days": 7}).as_object().unwrap().clone();
        document.params.insert(key.to_owned(), own);
        let outcome = evaluate(&engine, "acme.echo", document, Profile::Default);
        assert_eq!(outcome.reason.untrusted(), expected, "{key}");
        let seen: serde_json::Value = serde_json::from_str(&outcome.detected.unwrap()).unwrap();
        assert_eq!(seen, params, "{key}");
    };
    let changed = || json!({"days": 7, "open": true});
    check("acme.echo", "u1", changed());
    check("MS.SHAREPOINT.9.9v2", "u1", changed());
    check("MS.SHAREPOINT.9.9v1", "u1", changed());
    check("MS.SHAREPOINT.9.9", "u1", changed());
}

#[test]
fn configuration_for_a_former_control_applies_to_the_check_that_replaced_it() {
    let engine = RegoChecks::with_threads(Pack::builtin(), 1);
    let set = engine.pack().checks();
    let check = &set.checks()[set.position("def.user_impersonation").unwrap()];
    let mut document = tenant(0);
    for path in &check.inputs {
        document.settings.insert(path.clone(), json!({"value": []}));
    }
    let users = json!({"sensitive_users": ["Mara Holt;mara.holt@birchworks.example"]});
    let skip =
        |document: &CheckDocument| evaluate(&engine, &check.id, document.clone(), Profile::Default).skip;
    assert_eq!(skip(&document), Some(SkipReason::Manual), "nobody is configured");
    let own = users.as_object().unwrap().clone();
    document.params.insert("MS.DEFENDER.2.1v1".to_owned(), own);
    assert_ne!(skip(&document), Some(SkipReason::Manual));
}

#[test]
fn a_manual_check_is_skipped() {
    let folder = Folder::new().with("look", &check("look", "# manual: true\n", ""));
    let outcome = evaluate(&folder.engine(), "acme.look", tenant(0), Profile::Scuba);
    assert_eq!(shape(&outcome), (CheckResult::Skipped, Some(SkipReason::Manual)));
}

#[test]
fn a_broken_check_does_not_affect_others() {
    let endless = "n := numbers if numbers := [x | some x in input.doc.settings[\"many\"].value]\n\n\
        pairs := [[a, b, c] | some a in n; some b in n; some c in n]\n\n\
        result := lib.passed(\"Counted.\", count(pairs))";
    let folder = Folder::new()
        .with("endless", &check("endless", "", endless))
        .with(
            "wrong",
            &check(
                "wrong",
                "",
                "result := {\"result\": \"maybe\", \"reason\": \"x\"}",
            ),
        )
        .with("sharing", &check("sharing", "", SHARING));
    let engine = folder.engine();
    let mut document = tenant(2);
    let many: Vec<usize> = (0..1_000).collect();
    document.settings.insert("many".into(), json!({ "value": many }));
    let set = engine.pack().checks();
    let wanted: Vec<usize> = ["acme.endless", "acme.wrong", "acme.sharing"]
        .iter()
        .map(|id| set.position(id).unwrap())
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let verdicts = runtime
        .block_on(engine.evaluate_checks(Arc::new(document), wanted.clone(), Profile::Default, NOW))
        .unwrap();
    let results: Vec<CheckResult> = verdicts.iter().map(|v| v.outcome.result).collect();
    assert_eq!(
        results,
        [CheckResult::Error, CheckResult::Error, CheckResult::Failed]
    );
    assert_eq!(verdicts.iter().map(|v| v.check).collect::<Vec<_>>(), wanted);
    let endless = verdicts[0].outcome.reason.untrusted();
    assert!(endless.contains("acme.endless.rego:1"), "{endless}");
    assert!(endless.contains("on one document"), "{endless}");
    assert!(verdicts[1].outcome.reason.untrusted().contains("must be passed"));
}

#[test]
fn errors_in_a_customers_check_name_file_and_line() {
    let check = |text: &str, expected: &[&str]| {
        let error = Folder::new().with("sharing", text).error();
        for part in expected {
            assert!(error.contains(part), "{error}");
        }
    };
    let good = check_on_sharing();
    check(
        &good.replace("severity: medium", "severity: dreadful"),
        &["acme.sharing.rego:6:", "dreadful", "critical, high"],
    );
    check(
        &good.replace(
            "package watchpost.checks.acme_sharing",
            "package watchpost.rules.acme",
        ),
        &["acme.sharing.rego:12:", "watchpost.checks.acme_sharing"],
    );
    check(
        &good.replace("level == 0", "level = = 0"),
        &["acme.sharing.rego:21:"],
    );
    check(
        &good
            .replace("result := lib", "other := lib")
            .replace("default result", "default other"),
        &["acme.sharing.rego", "no rule `result`"],
    );
    check(
        &good.replace("[{\"level\": level}]", "[sprintf(\"%d\", [level])]"),
        &["acme.sharing.rego:", "must not call `sprintf`"],
    );
    check(
        &good.replace("level == 2", "http.send({}) == 2"),
        &["acme.sharing.rego:", "http.send"],
    );
    check(
        &good.replace("acme.sharing\n", "acme.other\n"),
        &["acme.sharing.rego:2:", "acme.other.rego"],
    );
}

fn check_on_sharing() -> String {
    check("sharing", "", SHARING)
}

#[test]
fn both_engines_share_one_loaded_pack() {
    let folder = Folder::new().with("sharing", &check("sharing", "", SHARING));
    let pack = Pack::with_dir(folder.path()).unwrap();
    let rules = watchpost_policy::RegoRules::with_threads(pack.clone(), 1);
    let checks = RegoChecks::with_threads(pack, 1);
    assert!(std::ptr::eq(rules.pack().checks(), checks.pack().checks()));
    assert!(checks.checks().iter().any(|check| check.id == "acme.sharing"));
    assert!(checks.checks().is_sorted_by(|a, b| a.id < b.id));
}

#[test]
fn the_example_in_the_docs_works() {
    let page = include_str!("../../../../docs/checks/writing.md");
    let example = page
        .split("```rego\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("our.links_expire.rego"), example).unwrap();
    let case = |name: &str, days: serde_json::Value, expect: serde_json::Value| {
        let settings = json!({"sharepoint/Tenant": {"RequireAnonymousLinksExpireInDays": days}});
        json!({"name": name, "settings": settings, "expect": expect})
    };
    let cases = json!({"cases": [
        case("a week", json!(7), json!({"result": "passed"})),
        case("longer", json!(8), json!({"result": "failed", "reason_contains": ["8 days"]})),
        case("never", json!(0), json!({"result": "failed"})),
        case("not reported", json!(null), json!({"result": "skipped", "reason": "unreadable"})),
    ]});
    std::fs::write(
        folder.path().join("our.links_expire.cases.json"),
        cases.to_string(),
    )
    .unwrap();
    let report = watchpost_policy::test_folder(folder.path()).unwrap();
    assert_eq!((report.passed, report.failed), (4, Vec::new()));
}

#[test]
fn a_case_with_an_undefined_value_in_its_outcome_fails() {
    let body =
        "names := [row.name | some row in lib.rows(\"many\")]\n\nresult := lib.passed(\"Named.\", names)";
    let folder = Folder::new().with("names", &check("names", "", body));
    let case = |row: serde_json::Value| json!({"name": "rows", "settings": {"sharepoint/Tenant": {}, "many": {"value": [row]}}, "expect": {"result": "passed"}});
    let run = |row: serde_json::Value| {
        let cases = json!({"cases": [case(row)]}).to_string();
        std::fs::write(folder.path().join("acme.names.cases.json"), cases).unwrap();
        watchpost_policy::test_folder(folder.path()).unwrap()
    };
    assert_eq!(run(json!({"name": "a"})).failed, Vec::<String>::new());
    let report = run(json!({"title": "a"}));
    assert!(report.failed[0].contains("undefined"), "{:?}", report.failed);
}

#[test]
fn a_case_whose_check_exceeds_its_limits_fails_without_an_error_of_the_file() {
    let numbers: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    let body = format!(
        "n := [{}]\n\nall := [1 | some a in n; some b in n; some c in n; some d in n; a + b + c + d < 0]\n\n\
         result := lib.passed(\"Done.\", count(all))",
        numbers.join(", ")
    );
    let folder = Folder::new().with("endless", &check("endless", "", &body));
    let pack = Pack::with_dir(folder.path()).unwrap();
    let cases = json!({"cases": [{
        "name": "a case",
        "settings": {"sharepoint/Tenant": {"SharingCapability": 0}},
        "expect": {"result": "passed"},
    }]});
    let report = cases::run(&pack, "acme.endless", "endless.cases.json", &cases.to_string()).unwrap();
    let [failed] = report.failed.as_slice() else {
        panic!("{report:?}");
    };
    assert!(
        failed.contains("acme.endless.rego") && failed.contains("on one document"),
        "{failed}"
    );
}
