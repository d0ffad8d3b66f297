//! Tests of every format, with files as the tools write them.

use crate::import::recorder::{fixture, import};
use watchpost_core::{
    check::{CheckResult, Service, SkipReason},
    import::{ExceptionKind, ImportTool},
    value::{text::visible, word::Severity},
};

const TENANT: &str = "c0ffee00-1111-4222-8333-444444444444";
const SKIPPED: CheckResult = CheckResult::Skipped;

#[test]
fn scubagear_results_contain_results_exceptions_and_settings() {
    let (report, got) = import(&fixture("scuba_results.json"));
    let report = report.unwrap();
    assert_eq!(report.batches.len(), 1);
    let header = &got.headers[0];
    assert_eq!(
        (header.tool, header.tenant_key.as_str()),
        (ImportTool::Scubagear, TENANT)
    );
    assert_eq!(header.tenant_name.untrusted(), "Birchworks");
    assert_eq!(header.tool_version.untrusted(), "1.8.0");
    assert_eq!(header.ran_at.unwrap().to_string(), "2026-05-04T17:15:48.307Z");
    let counts = &got.ended[0].1;
    assert_eq!((counts.rows, counts.rows_ok, counts.rows_skipped), (10, 9, 1));
    assert_eq!(counts.errors[0].index, 8);

    let is = |control: &str, result, skip, severity| {
        let row = got.row(control);
        assert_eq!(
            (row.result, row.skip, row.severity),
            (result, skip, severity),
            "{control}"
        );
    };
    is("MS.AAD.1.1v1", CheckResult::Passed, None, Severity::Critical);
    is("MS.AAD.3.2v1", CheckResult::Failed, None, Severity::Critical);
    is("MS.AAD.3.3v2", CheckResult::Failed, None, Severity::Medium);
    is("MS.AAD.4.1v1", SKIPPED, Some(SkipReason::Manual), Severity::High);
    is(
        "MS.AAD.3.1v1",
        SKIPPED,
        Some(SkipReason::NotApplicable),
        Severity::High,
    );
    is("MS.AAD.5.1v1", CheckResult::Failed, None, Severity::High);
    is("MS.AAD.5.2v1", CheckResult::Failed, None, Severity::High);
    is("MS.AAD.5.3v1", CheckResult::Error, None, Severity::High);

    let first = got.row("MS.AAD.1.1v1");
    assert_eq!(first.check.as_deref(), Some("entra.legacy_auth_blocked"));
    assert_eq!(first.title.untrusted(), "Old sign-ins SHALL be blocked.");
    assert_eq!(
        first.details.untrusted(),
        "1 policy found: Block & report . View all ."
    );
    assert_eq!(first.entity.as_ref().unwrap().id, TENANT);
    assert_eq!(got.row("MS.AAD.3.2v1").check.as_deref(), Some("entra.mfa_all"));
    assert_eq!(got.row("MS.EXO.1.1v2").service, Service::Exchange);

    let omitted = got.row("MS.AAD.5.1v1").exception.as_ref().unwrap();
    assert_eq!(omitted.kind, ExceptionKind::Omitted);
    assert_eq!(omitted.reason.untrusted(), "Later this year.");
    assert_eq!(omitted.until.unwrap().to_string(), "2026-09-30T00:00:00Z");
    assert_eq!(got.row("MS.AAD.5.1v1").details.untrusted(), "Everybody may.");
    let wrong = got.row("MS.AAD.5.2v1");
    assert_eq!(
        wrong.exception.as_ref().unwrap().kind,
        ExceptionKind::FalsePositive
    );
    assert_eq!(
        wrong.exception.as_ref().unwrap().reason.untrusted(),
        "Covered elsewhere."
    );
    assert_eq!(wrong.details.untrusted(), "2 policies");

    assert_eq!(got.settings.len(), 1);
    assert_eq!(got.settings[0].1.tenant, TENANT);
    assert!(
        got.settings[0]
            .1
            .settings
            .contains_key("identity/conditionalAccess/policies")
    );
}

#[test]
fn the_fingerprint_does_not_depend_on_the_version_of_the_control() {
    let text = String::from_utf8(fixture("scuba_results.json")).unwrap();
    let (_, one) = import(text.as_bytes());
    let (_, two) = import(text.replace("MS.AAD.3.2v1", "MS.AAD.3.2v2").as_bytes());
    let fingerprint = one.row("MS.AAD.3.2v1").fingerprint.clone();
    assert_eq!(fingerprint, two.row("MS.AAD.3.2v2").fingerprint);
    assert_ne!(fingerprint, one.row("MS.AAD.1.1v1").fingerprint);
}

#[test]
fn scubagoggles_results_are_read() {
    let (report, got) = import(&fixture("goggles_results.json"));
    report.unwrap();
    assert_eq!(got.headers[0].tool, ImportTool::Scubagoggles);
    let row = got.row("GWS.GMAIL.1.1v0.6");
    assert_eq!(
        (row.result, row.severity, row.service),
        (CheckResult::Failed, Severity::Medium, Service::Google)
    );
}

#[test]
fn a_provider_settings_export_contains_settings_and_no_rows() {
    let (report, got) = import(&fixture("provider_settings.json"));
    assert_eq!(report.unwrap().batches[0].settings, 2);
    assert!(got.rows.is_empty());
    let (_, document) = &got.settings[0];
    assert_eq!(document.tenant, TENANT);
    assert!(document.settings.contains_key("exchange/RemoteDomain"));
    assert!(document.unreadable.contains_key("exchange/TransportConfig"));
    assert_eq!(document.exemptions[0].id, "partner.example");
    assert_eq!(
        got.headers[0].ran_at.unwrap().to_string(),
        "2026-05-04T17:15:48.307Z"
    );
}

#[test]
fn raw_tests_contain_results_without_a_tenant() {
    let (report, got) = import(&fixture("test_results.json"));
    report.unwrap();
    let counts = &got.ended[0].1;
    assert_eq!(
        (counts.rows_ok, counts.rows_skipped, counts.errors[0].index),
        (3, 1, 3)
    );
    assert_eq!(got.headers[0].tenant_key, "");
    assert_eq!(got.row("MS.AAD.7.3v1").result, CheckResult::Passed);
    let should = got.row("MS.AAD.3.3v2");
    assert_eq!(
        (should.result, should.severity),
        (CheckResult::Failed, Severity::Medium)
    );
    assert_eq!(should.details.untrusted(), "Not shown");
    assert_eq!(got.row("MS.AAD.4.1v1").skip, Some(SkipReason::Manual));
}

#[test]
fn findings_of_prowler_are_one_batch_per_account() {
    let (report, got) = import(&fixture("prowler.ocsf.json"));
    let report = report.unwrap();
    let of = |at: usize| {
        let batch = &report.batches[at];
        (
            batch.header.tenant_key.as_str(),
            batch.counts.rows_ok,
            batch.counts.rows_skipped,
        )
    };
    assert_eq!(of(0), (TENANT, 4, 1));
    assert_eq!(of(1), ("birchworks-dev", 1, 0));
    assert_eq!(
        report.batches[0].header.tenant_name.untrusted(),
        "birchworks.onmicrosoft.com"
    );
    assert_eq!(report.batches[0].counts.errors[0].index, 4);

    let capable = got.row("entra_users_mfa_capable");
    assert_eq!(capable.check.as_deref(), Some("entra.users_mfa_capable"));
    assert_eq!(
        (capable.result, capable.severity),
        (CheckResult::Failed, Severity::High)
    );
    assert_eq!(capable.entity.as_ref().unwrap().name.untrusted(), "Mara Holt");
    assert_eq!(capable.entity.as_ref().unwrap().kind, "other");
    assert_eq!(capable.frameworks[0].as_str(), "CIS-7.0/5.2.3.4");
    assert_eq!(
        got.row("exchange_transport_config_smtp_auth_disabled").result,
        CheckResult::Passed
    );
    let manual = got.row("teams_recording");
    assert_eq!(
        (manual.skip, manual.severity),
        (Some(SkipReason::Manual), Severity::Info)
    );
    let muted = got.row("defender_zap_for_teams_enabled");
    assert_eq!(muted.result, CheckResult::Failed);
    assert_eq!(muted.exception.as_ref().unwrap().kind, ExceptionKind::Suppressed);
    let github = got.row("organization_members_mfa_required");
    assert_eq!(
        (github.check.as_deref(), github.service),
        (Some("gh.org_2fa_off"), Service::Github)
    );
    for header in &got.headers {
        assert_eq!(header.ran_at.unwrap().to_string(), "2026-03-02T09:00:00Z");
    }
}

#[test]
fn our_own_findings_are_read_from_lines() {
    let (report, got) = import(&fixture("compliance.ocsf.jsonl"));
    let report = report.unwrap();
    assert_eq!(report.batches.len(), 1);
    assert_eq!(report.batches[0].header.tool, ImportTool::Watchpost);
    assert_eq!(report.batches[0].counts.rows_ok, 5);
    let is = |control: &str, result, skip| {
        assert_eq!(
            (got.row(control).result, got.row(control).skip),
            (result, skip),
            "{control}"
        );
    };
    is("entra.legacy_auth_blocked", CheckResult::Failed, None);
    is("entra.mfa_all", CheckResult::Passed, None);
    is("entra.users_mfa_capable", SKIPPED, Some(SkipReason::Unlicensed));
    is("entra.guest_domains", SKIPPED, Some(SkipReason::NotApplicable));
    is("exposure.open_app", CheckResult::Passed, None);
    let first = got.row("entra.legacy_auth_blocked");
    assert_eq!(first.check.as_deref(), Some("entra.legacy_auth_blocked"));
    assert_eq!(first.details.untrusted(), "2 policies checked");
    assert_eq!(first.frameworks.len(), 2);
    let app = got.row("exposure.open_app").entity.as_ref().unwrap();
    assert_eq!((app.kind.as_str(), app.name.untrusted()), ("app", "Trip Planner"));
}

#[test]
fn tests_of_maester_are_counted_independently_of_its_totals() {
    let (report, got) = import(&fixture("maester.json"));
    let report = report.unwrap();
    let counts = &report.batches[0].counts;
    assert_eq!(
        (
            counts.rows,
            counts.rows_ok,
            counts.rows_skipped,
            counts.rows_not_run,
            counts.partial
        ),
        (10, 7, 2, 1, false)
    );
    assert_eq!(
        got.headers[0].ran_at.unwrap().to_string(),
        "2026-03-02T08:00:00.123Z"
    );
    let legacy = got.row("CISA.MS.AAD.1.1");
    assert_eq!(legacy.check.as_deref(), Some("entra.legacy_auth_blocked"));
    assert_eq!(legacy.details.untrusted(), "Found **none**. * one");
    let cis: Vec<Option<&str>> = got
        .rows
        .iter()
        .filter(|(_, row)| row.control.starts_with("CIS."))
        .map(|(_, row)| row.check.as_deref())
        .collect();
    assert_eq!(
        cis,
        [None, Some("entra.legacy_auth_blocked")],
        "numbers of another version are other controls"
    );
    let is = |control: &str, result, skip| {
        assert_eq!(
            (got.row(control).result, got.row(control).skip),
            (result, skip),
            "{control}"
        );
    };
    is("EIDSCA.AP01", SKIPPED, Some(SkipReason::Unreadable));
    is("MT.1021", SKIPPED, Some(SkipReason::NotApplicable));
    is("MT.1024.1", SKIPPED, Some(SkipReason::Manual));
    is("MT.1024.2", CheckResult::Error, None);
    assert_eq!(got.row("EIDSCA.AP01").check, None);
    assert_eq!(
        got.row("MT.1024.1").entity.as_ref().unwrap().name.untrusted(),
        "Remove unused apps"
    );
    let kept = format!(
        "{:?}",
        got.rows
            .iter()
            .map(|(_, row)| row.details.untrusted())
            .collect::<Vec<_>>()
    );
    assert!(!kept.contains("never kept"));
}

/// Names, ids and details of every format lose bidirectional overrides and other invisible characters.
#[test]
fn no_text_of_a_row_has_invisible_characters() {
    const HOSTILE: &str = "a\u{202e}b\u{2066}c\u{200b}d\u{61c}e\u{7}f";
    let hostile = serde_json::to_string(HOSTILE).unwrap();
    let ocsf = r#"[{"class_uid": 2004, "category_uid": 2, "status_code": "FAIL", "status_detail": X, "finding_info": {"title": X},
        "metadata": {"event_code": X, "product": {"name": X, "version": X}}, "cloud": {"account": {"uid": X, "name": X}},
        "resources": [{"uid": X, "name": X, "type": X}], "status_id": 3, "comment": X, "unmapped": {"compliance": {X: X}}}]"#;
    let results = r#"{"MetaData": {"Tool": "ScubaGear", "TenantId": X, "DisplayName": X, "ToolVersion": X}, "Results": {"AAD": [{"Controls": [
        {"Control ID": X, "Requirement": X, "Result": "Omitted", "OriginalResult": "Fail", "OriginalDetails": X, "Comments": [X]}]}]}}"#;
    let maester = r#"{"TenantId": X, "TenantName": X, "CurrentVersion": X, "EndOfJson": "EndOfJson", "Tests": [
        {"Id": X, "Title": X, "Result": "Failed", "ResultDetail": {"TestResult": X}}]}"#;
    let tests = r#"[{"PolicyId": X, "RequirementMet": false, "ReportDetails": X}]"#;
    for format in [ocsf, results, maester, tests] {
        let (report, got) = import(format.replace('X', &hostile).as_bytes());
        report.unwrap_or_else(|error| panic!("{format}: {error}"));
        let (header, row) = (&got.headers[0], &got.rows[0].1);
        let mut texts = vec![
            header.tool_version.untrusted(),
            header.tenant_key.as_str(),
            header.tenant_name.untrusted(),
            row.control.as_str(),
            row.title.untrusted(),
            row.details.untrusted(),
        ];
        texts.extend(row.frameworks.iter().map(|id| id.as_str()));
        if let Some(entity) = &row.entity {
            texts.extend([entity.kind.as_str(), entity.id.as_str(), entity.name.untrusted()]);
        }
        if let Some(exception) = &row.exception {
            texts.push(exception.reason.untrusted());
        }
        assert_eq!(row.control, "abcdef", "{format}");
        for text in texts {
            assert_eq!(visible(text), text, "{format}");
        }
    }
}

#[test]
fn merged_results_of_maester_are_one_batch_per_tenant() {
    let (report, got) = import(&fixture("maester_merged.json"));
    report.unwrap();
    let results: Vec<(usize, CheckResult)> =
        got.rows.iter().map(|(batch, row)| (*batch, row.result)).collect();
    assert_eq!(results, [(0, CheckResult::Passed), (1, CheckResult::Failed)]);
    assert_eq!(got.headers[1].tenant_name.untrusted(), "Fernhill");
    assert_ne!(got.rows[0].1.fingerprint, got.rows[1].1.fingerprint);
}
