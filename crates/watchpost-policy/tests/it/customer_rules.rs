//! A customer's own rules, valid and invalid.

use crate::documents::identity;
use std::{fs, sync::Arc, time::Duration};
use tempfile::TempDir;
use watchpost_core::rule::{Evaluation, RuleEngine, document::Document};
use watchpost_policy::{
    Limits, Pack, RegoRules,
    cases::{self, NOW_MS},
};

fn head(id: &str) -> String {
    format!(
        "# METADATA\n# id: {id}\n# title: Ours {id}\n# description: A rule of our own.\n# severity: low\n\
         # category: access_hygiene\n# document: identity\n# datasets: [users]\n# remediation:\n#   - Ask around.\n\
         package watchpost.rules.{}\n\nimport rego.v1\n\n",
        id.replace('.', "_")
    )
}

fn rule(id: &str, body: &str) -> (String, String) {
    (format!("{id}.rego"), head(id) + body)
}

fn folder(files: &[(String, String)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn load_error(files: &[(String, String)]) -> String {
    let folder = folder(files);
    match Pack::with_dir(folder.path()) {
        Ok(_) => panic!("loaded: {}", files[0].1),
        Err(error) => error.to_string(),
    }
}

/// Limits that are exceeded quickly.
fn tight() -> Limits {
    Limits {
        instructions: 100_000,
        time: Duration::from_millis(50),
        strikes: 2,
        ..Limits::default()
    }
}

async fn judge(engine: &RegoRules, now_ms: i64) -> Evaluation {
    let documents = vec![Document::Identity(Box::new(identity(1)))];
    engine.evaluate(Arc::new(documents), now_ms).await.unwrap()
}

#[tokio::test]
async fn a_customers_rule_runs_beside_the_built_in_ones_and_uses_the_library() {
    let folder = folder(&[rule(
        "our.mara",
        "import data.watchpost.lib\n\nresult := lib.failed(lib.text(\"%s was seen\", [lib.who]), [], []) if {\n\
         \tinput.doc.display_name == \"Mara Holt\"\n}\n\nelse := lib.passed\n",
    )]);
    let pack = Pack::with_dir(folder.path()).unwrap();
    assert_eq!(pack.rules().len(), Pack::builtin().rules().len() + 1);
    assert!(!pack.is_builtin("our.mara"));
    let report = cases::run(
        &pack,
        "our.mara",
        "our.mara.cases.json",
        r#"{"cases": [
            {"name": "Mara", "document": {}, "expect": {"result": "failed", "reason_contains": ["Mara"]}},
            {"name": "somebody", "document": {"display_name": "Bo"}, "expect": {"result": "failed"}}
        ]}"#,
    )
    .unwrap();
    assert_eq!(
        (report.passed, report.failed.len()),
        (1, 1),
        "{:?}",
        report.failed
    );
    let engine = RegoRules::with_threads(pack, 1);
    let evaluation = judge(&engine, NOW_MS).await;
    assert_eq!(evaluation.hits.len(), 1);
    assert_eq!(
        evaluation.hits[0].title.untrusted(),
        "Mara Holt (mara.holt@birchworks.example) was seen"
    );
}

#[test]
fn invalid_rules_are_rejected_with_file_and_line() {
    let check = |files: &[(String, String)], expected: &[&str]| {
        let error = load_error(files);
        for part in expected {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(error.lines().count(), 1, "{error}");
    };
    let passed = "result := {\"result\": \"passed\"}\n";
    check(
        &[rule("our.one", "result := {\n")],
        &["our.one.rego:1", "expecting"],
    );
    check(
        &[rule("our.one", "result := nothing\n")],
        &["our.one.rego:15", "nothing"],
    );
    check(&[rule("our.one", "other := 1\n")], &["our.one.rego", "result"]);
    check(
        &[rule("id.admin_no_mfa", passed)],
        &["id.admin_no_mfa.rego:2", "already"],
    );
    check(
        &[("our.two.rego".to_owned(), rule("our.one", passed).1)],
        &["our.two.rego:2", "our.one.rego"],
    );
    check(
        &[("our.one.rego".to_owned(), "package x\n".to_owned())],
        &["our.one.rego:1", "METADATA"],
    );
    let (name, text) = rule("our.one", passed);
    check(
        &[(name, text.replace("watchpost.rules.our_one", "watchpost.lib"))],
        &["our.one.rego:11", "watchpost.rules.our_one"],
    );
    for call in [
        "concat (\"\", [1])",
        "sprintf(\"%s\", [1])",
        "array.concat([], [])",
    ] {
        let body = format!("result := {{\"result\": \"passed\"}} if {call}\n");
        check(&[rule("our.one", &body)], &["our.one.rego:15", "must not call"]);
    }
    for call in [
        "numbers.range(1, 1000000000)",
        "time.now_ns()",
        "http.send({})",
        "rand.intn(\"x\", 5)",
    ] {
        let body = format!("result := {{\"result\": \"passed\"}} if {call}\n");
        check(&[rule("our.one", &body)], &["our.one.rego"]);
    }
    check(
        &[rule(
            "our.one",
            "result := {\"result\": \"passed\"} if numbers.range(1, 9)\n",
        )],
        &["our.one.rego:15", "numbers.range"],
    );
    let long = format!("{passed}# {}\n", "x".repeat(70_000));
    check(
        &[rule("our.one", &long)],
        &["our.one.rego", "longer than 65536 bytes"],
    );
    let wide = format!("{passed}# {}\n", "x".repeat(2_000));
    check(
        &[rule("our.one", &wide)],
        &["our.one.rego:16", "wider than 1024 columns"],
    );
    let tall = format!("{passed}{}", "#\n".repeat(2_000));
    check(
        &[rule("our.one", &tall)],
        &["our.one.rego", "more than 2000 lines"],
    );
    let deep = format!("result := {}1{}\n", "[".repeat(400), "]".repeat(400));
    check(&[rule("our.one", &deep)], &["our.one.rego:15", "nested deeper"]);
    let many: Vec<_> = (0..201).map(|n| rule(&format!("our.n{n}"), passed)).collect();
    check(&many, &["more than 200 rule files"]);
}

#[test]
fn a_missing_folder_is_an_error_and_other_files_are_ignored() {
    let folder = folder(&[("notes.txt".to_owned(), "x".to_owned())]);
    assert!(Pack::with_dir(folder.path()).is_ok());
    let error = Pack::with_dir(&folder.path().join("nowhere")).unwrap_err();
    assert!(error.to_string().contains("nowhere"));
}

#[tokio::test]
async fn a_rule_that_never_ends_fails_is_paused_and_is_tried_again() {
    let loops = "ten := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n\nresult := {\"result\": \"passed\"} if {\n\
                 \tcount([1 | some a in ten; some b in ten; some c in ten; some d in ten; some e in ten; some f in ten; \
                 some g in ten; some h in ten; a + b + c + d + e + f + g + h == 73]) == 0\n}\n";
    let folder = folder(&[
        rule("our.loops", loops),
        rule(
            "our.good",
            "result := {\"result\": \"failed\", \"reason\": \"It works\"}\n",
        ),
    ]);
    let pack = Pack::with_dir_and_limits(folder.path(), tight()).unwrap();
    let engine = RegoRules::with_threads(pack, 1);
    let reason = async |now_ms: i64| {
        let evaluation = judge(&engine, now_ms).await;
        assert_eq!(evaluation.hits.len(), 1, "the other rule still runs");
        assert_eq!(evaluation.failures.len(), 1);
        let failure = &evaluation.failures[0];
        assert_eq!(engine.rules()[failure.rule].id, "our.loops");
        failure.reason.clone()
    };
    for _ in 0..2 {
        let reason = reason(NOW_MS).await;
        assert!(reason.contains("our.loops.rego:1"), "{reason}");
        assert!(reason.contains("on one document"), "{reason}");
    }
    assert!(reason(NOW_MS).await.starts_with("paused"));
    assert!(reason(NOW_MS + 599_999).await.starts_with("paused"));
    assert!(reason(NOW_MS + 600_000).await.contains("on one document"));
}

#[tokio::test]
async fn a_rule_that_grows_in_memory_is_stopped() {
    let mut body = String::from("a0 := 7\n\n");
    for n in 1..60 {
        body += &format!("a{n} := a{0} * a{0}\n\n", n - 1);
    }
    body += "result := {\"result\": \"passed\"} if a59 > 0\n";
    let mut shared = String::from("b0 := [1]\n\n");
    for n in 1..60 {
        shared += &format!("b{n} := [b{}, b{}]\n\n", n - 1, n - 1);
    }
    shared += "result := {\"result\": \"failed\", \"reason\": \"Big\", \"evidence\": [b59]}\n";
    let folder = folder(&[rule("our.doubles", &body), rule("our.unfolds", &shared)]);
    let engine = RegoRules::with_threads(Pack::with_dir_and_limits(folder.path(), tight()).unwrap(), 1);
    let failures = judge(&engine, NOW_MS).await.failures;
    assert_eq!(failures.len(), 2, "{failures:?}");
    let spent = &failures[0].reason;
    assert!(spent.contains("our.doubles.rego:"), "{spent}");
    assert!(spent.contains("on one document"), "{spent}");
    assert!(failures[1].reason.contains("too big"), "{}", failures[1].reason);
    assert_eq!(
        judge(&engine, NOW_MS).await.failures.len(),
        2,
        "the engine still works"
    );
}

#[tokio::test]
async fn invalid_results_are_failures_of_that_rule_alone() {
    let folder = folder(&[
        rule(
            "our.none",
            "result := {\"result\": \"passed\"} if input.doc.display_name == \"Bo\"\n",
        ),
        rule("our.number", "result := 5\n"),
        rule(
            "our.null",
            "result := {\"result\": \"passed\"} if count(input.doc.no_such_field) == count(null)\n",
        ),
    ]);
    let engine = RegoRules::with_threads(Pack::with_dir(folder.path()).unwrap(), 1);
    let evaluation = judge(&engine, NOW_MS).await;
    let reasons: Vec<_> = evaluation
        .failures
        .iter()
        .map(|failure| (engine.rules()[failure.rule].id.as_str(), failure.reason.as_str()))
        .collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert_eq!(reasons[0], ("our.none", "gave no result"));
    assert_eq!(reasons[2], ("our.number", "`result` is not an object"));
}

#[test]
fn the_example_in_the_docs_works() {
    let page = include_str!("../../../../docs/rules.md");
    let example = page
        .split("```rego\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let folder = folder(&[("our.long_invited.rego".to_owned(), example.to_owned())]);
    let pack = Pack::with_dir(folder.path()).unwrap();
    let cases = r#"{"cases": [
        {"name": "long", "document": {"accounts": [{"kind": "guest", "created_at_ms": "-366d"}]},
         "expect": {"result": "failed", "reason_contains": ["more than 365 days"], "evidence": 1}},
        {"name": "short", "document": {"accounts": [{"kind": "guest", "created_at_ms": "-365d"}]},
         "expect": {"result": "passed"}},
        {"name": "no guest", "document": {"accounts": [{}]},
         "expect": {"result": "skipped", "reason": "not_applicable"}}
    ]}"#;
    let report = cases::run(&pack, "our.long_invited", "docs", cases).unwrap();
    assert_eq!((report.passed, report.failed), (3, Vec::new()));
}
