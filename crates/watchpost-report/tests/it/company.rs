//! Report data of an invented company: a small set for snapshots, and one as large as the real catalog of checks.

use std::collections::BTreeMap;
use watchpost_core::{
    check::{
        Check, CheckEntity, CheckOver, CheckResult, Exempted, FrameworkId, Outcome, ScanType, Service,
        SkipReason, WouldPass,
    },
    finding::FindingCount,
    posture::{Coverage, Snapshot, score::risk_score},
    report::{ReportComparison, ReportData, ReportKind, ReportPosture},
    scan::{
        ComparedWith, Exemption, ResultDetail, ResultFilter, ResultRow, Scan, ScanCounts, ScanPoint,
        ScanTrigger, SettingChange, SettingRow, compare_selected, scored_by_framework, scored_by_service,
        select,
    },
    value::{
        id::{AnalysisId, ExemptionId, IntegrationId, ScanId},
        text::ForeignText,
        time::Timestamp,
        word::{Category, CollectionState, FindingStatus, Platform, RunState, Severity},
    },
};

/// Foreign text that attacks every format.
pub(crate) const HOSTILE: &str =
    "=cmd|'/c calc'!A1 <img src=x onerror=alert(1)> [a](https://evil.example) `*_|\u{2028}";

const DAY: i64 = 86_400_000;

/// A day of the company's calendar, from 2 January 2026.
pub(crate) fn day(number: i64) -> Timestamp {
    let first: Timestamp = "2026-01-02T06:30:00Z".parse().expect("a time");
    first.plus_millis(number * DAY)
}

fn scan(number: u8, scan_type: ScanType, at: Timestamp, counts: ScanCounts, settings: (u64, u64)) -> Scan {
    Scan {
        id: ScanId::from_bytes([number; 16]),
        integration: IntegrationId::from_bytes([9; 16]),
        platform: Platform::M365,
        integration_name: ForeignText::name("Larkfield Foods"),
        scan_type,
        state: RunState::Completed,
        trigger: ScanTrigger::Schedule,
        fresh: true,
        queued_at: at.plus_millis(-90_000),
        started_at: Some(at.plus_millis(-80_000)),
        completed_at: Some(at),
        reason: None,
        progress: None,
        job: None,
        counts,
        settings,
    }
}

fn check(id: &str, title: &str, service: Service, severity: Severity, frameworks: &[&str]) -> Check {
    Check {
        id: id.into(),
        condition: id.into(),
        title: title.into(),
        description: format!("Why {title} matters."),
        scan: Some(ScanType::Compliance),
        severity,
        category: Category::IdentitySecurity,
        service,
        platforms: vec![Platform::M365],
        over: CheckOver::Settings,
        inputs: vec![format!("{service}/Settings")],
        optional_inputs: Vec::new(),
        manual: false,
        variant_of: None,
        frameworks: frameworks.iter().map(|id| FrameworkId::new(id)).collect(),
        remediation: vec!["Open the portal.".into(), "Set-Thing -Enabled $true".into()],
        references: vec!["https://learn.example/thing".into()],
    }
}

fn outcome(result: CheckResult, skip: Option<SkipReason>, reason: &str) -> Outcome {
    Outcome::plain(result, skip, reason)
}

fn failed(reason: &str, detected: &str, names: &[&str]) -> Outcome {
    Outcome {
        detected: Some(detected.into()),
        evidence: r#"[{"field":"Enabled","value":false}]"#.into(),
        entities: names
            .iter()
            .map(|name| CheckEntity {
                kind: "user".into(),
                id: format!("id-of-{}", name.len()),
                name: ForeignText::name(name),
            })
            .collect(),
        ..outcome(CheckResult::Failed, None, reason)
    }
}

/// Returns data with nine checks: every result, every skip reason, a hostile name, and an earlier scan to compare with.
pub(crate) fn small(kind: ReportKind, scan_type: ScanType, difference: bool) -> ReportData {
    limited(kind, scan_type, difference, ResultFilter::default())
}

/// As [`small`], limited to the checks that a filter selects.
pub(crate) fn limited(
    kind: ReportKind,
    scan_type: ScanType,
    difference: bool,
    filter: ResultFilter,
) -> ReportData {
    use CheckResult::{Error, Passed, Skipped};
    use Severity::{Critical, High, Info, Low, Medium};
    let checks = vec![
        check(
            "entra.legacy_auth_blocked",
            "Legacy authentication is blocked",
            Service::Entra,
            Critical,
            &["MS.AAD.1.1v1", "CIS.M365.5.2.2.3", "NIST.800-53.CM-7"],
        ),
        check(
            "exo.no_auto_forward",
            "No automatic forwarding",
            Service::Exchange,
            High,
            &["MS.EXO.1.1v2", "CIS.M365.6.2.1", "NIST.800-53.AC-4"],
        ),
        check(
            "exo.hostile",
            "Mail flow rules don't bypass filters",
            Service::Exchange,
            Medium,
            &["MS.EXO.2.2v3", "CIS.M365.6.2.10"],
        ),
        check(
            "spo.sharing_limited",
            "Sharing is limited",
            Service::Sharepoint,
            Medium,
            &["MS.SHAREPOINT.1.1v1", "CIS.M365.7.2.3"],
        ),
        check(
            "teams.external_meetings",
            "Outsiders wait in the lobby",
            Service::Teams,
            Low,
            &["MS.TEAMS.1.3v1"],
        ),
        check(
            "def.safe_links",
            "Links are checked",
            Service::Defender,
            High,
            &["CIS.M365.2.1.1"],
        ),
        check(
            "entra.break_glass",
            "Two emergency accounts exist",
            Service::Entra,
            High,
            &["CIS.M365.1.1.2"],
        ),
        check(
            "powerbi.guest_access",
            "Guests see no reports",
            Service::Powerbi,
            Info,
            &["CIS.M365.9.1.1"],
        ),
        check("acme.own", "A custom check", Service::Other, Medium, &[]),
    ];
    let mut would_pass = failed(
        "The policy Block legacy excludes 2 users, so an attacker with their password needs no second factor.",
        r#"{"policies":2,"excluded":["u-1","u-2"]}"#,
        &["Mara Holt", "Ivo Brandt"],
    );
    would_pass.would_pass = Some(WouldPass {
        condition: ForeignText::sentence("the 2 excluded users were exempted"),
        excluded: vec!["u-1".into(), "u-2".into()],
    });
    let now = [
        would_pass,
        failed(
            "Mail may be forwarded to every domain (remote domain *).",
            "true",
            &[],
        ),
        failed(
            &format!("The rule {HOSTILE} skips the filter."),
            &format!("{HOSTILE:?}"),
            &[HOSTILE, "-2+3"],
        ),
        outcome(Passed, None, "Sharing is for existing guests only."),
        outcome(
            Error,
            None,
            "The check could not be evaluated: a list was expected.",
        ),
        outcome(
            Skipped,
            Some(SkipReason::Unlicensed),
            "The tenant has no license for Defender.",
        ),
        outcome(
            Skipped,
            Some(SkipReason::Manual),
            "A person must check that the accounts' cards are kept safe.",
        ),
        outcome(
            Skipped,
            Some(SkipReason::Unreadable),
            "The permission Tenant.Read.All is missing.",
        ),
        outcome(
            Skipped,
            Some(SkipReason::NotApplicable),
            "The feature is not in use.",
        ),
    ];
    let before = [
        outcome(Passed, None, "No user is excluded."),
        failed(
            "Mail may be forwarded to every domain (remote domain *).",
            "\"partly\"",
            &[],
        ),
        outcome(
            Skipped,
            Some(SkipReason::Unreadable),
            "The settings could not be read.",
        ),
        failed(
            "Files may be shared with anyone.",
            r#""ExternalUserAndGuestSharing""#,
            &[],
        ),
        outcome(Passed, None, "Outsiders wait."),
        outcome(
            Skipped,
            Some(SkipReason::Unlicensed),
            "The tenant has no license for Defender.",
        ),
        outcome(
            Skipped,
            Some(SkipReason::Manual),
            "A person must check that the accounts' cards are kept safe.",
        ),
        outcome(
            Skipped,
            Some(SkipReason::Unreadable),
            "The permission Tenant.Read.All is missing.",
        ),
    ];
    let details = |outcomes: &[Outcome]| -> Vec<ResultDetail> {
        let pairs = checks.iter().zip(outcomes);
        pairs
            .map(|(check, outcome)| ResultDetail::new(check, outcome.clone()))
            .collect()
    };
    let setting = |path: &str, state, detail: Option<&str>| SettingRow {
        path: path.into(),
        state,
        detail: detail.map(Into::into),
        source: format!("https://graph.example/{path}"),
        read_at: day(59).plus_millis(-60_000),
        hash: (state == CollectionState::Complete).then_some([0xab; 32]),
        bytes: if state == CollectionState::Complete {
            2_048
        } else {
            0
        },
    };
    let settings = vec![
        setting("entra/Settings", CollectionState::Complete, None),
        setting("exchange/Settings", CollectionState::Complete, None),
        setting(
            "powerbi/Settings",
            CollectionState::Denied,
            Some("Tenant.Read.All"),
        ),
        setting("sharepoint/Settings", CollectionState::Complete, None),
    ];
    assembled(Parts {
        kind,
        scan_type,
        difference,
        filter,
        now: details(&now),
        before: details(&before),
        checks,
        settings,
    })
}

/// The subjects of the checks of [`whole`], each with its service and its family of controls.
const SUBJECTS: [(&str, Service, &str); 10] = [
    ("Legacy authentication is blocked", Service::Entra, "AAD"),
    ("Administrators use phishing-resistant MFA", Service::Entra, "AAD"),
    ("Guests can't invite guests", Service::Entra, "AAD"),
    (
        "No automatic forwarding to remote domains",
        Service::Exchange,
        "EXO",
    ),
    ("DKIM signs every accepted domain", Service::Exchange, "EXO"),
    ("Safe links check links in mail", Service::Defender, "DEFENDER"),
    (
        "Default link permission is view",
        Service::Sharepoint,
        "SHAREPOINT",
    ),
    ("Outsiders wait in the lobby", Service::Teams, "TEAMS"),
    (
        "Environments are made by administrators only",
        Service::Powerplatform,
        "POWERPLATFORM",
    ),
    ("Publishing to the web is off", Service::Powerbi, "POWERBI"),
];

/// Returns data with 200 checks and every result.
pub(crate) fn whole(kind: ReportKind, scan_type: ScanType, difference: bool) -> ReportData {
    let checks: Vec<Check> = (0_usize..200)
        .map(|number| {
            let (subject, service, family) = SUBJECTS[number % SUBJECTS.len()];
            let round = number / SUBJECTS.len();
            let severity = [Severity::High, Severity::Medium, Severity::Medium, Severity::Low, Severity::Critical]
                [(number / 3) % 5];
            let ids = [
                format!("MS.{family}.{}.{}v1", round / 4 + 1, number % 7 + 1),
                format!("CIS.M365.{}.{}.{}", number % 9 + 1, round / 8 + 1, number / 9 + 1),
                format!("NIST.800-53.{}", ["AC-6", "AC-17", "CM-7", "IA-2", "SI-8"][number % 5]),
            ];
            let ids: Vec<&str> = ids.iter().map(String::as_str).take(number % 4).collect();
            let mut one = check(
                &format!("{service}.check_{number:03}"),
                &format!("{subject} ({})", round + 1),
                service,
                severity,
                &ids,
            );
            one.inputs = vec![format!("{service}/Setting{}", number % 6)];
            one.remediation = vec![
                "Open the admin center of the service as an administrator with the role that its settings require.".into(),
                "Set-Policy -Identity Global -Enabled $true".into(),
                "If a partner needs an exception, create one with an owner and an end date.".into(),
                "Scan again.".into(),
            ];
            one
        })
        .collect();
    let judged = |number: usize, check: &Check, later: bool| {
        let first = check.inputs.first().map_or("a setting", String::as_str);
        match (number * 7 + usize::from(later && number.is_multiple_of(9)) * 3) % 20 {
            0..=3 => failed(
                &format!(
                    "{first} is not configured as required at Larkfield Foods, so an outsider could exploit it unnoticed."
                ),
                r#"{"Identity":"Global","Enabled":false,"AllowedDomains":["partner.example","supplier.example"]}"#,
                &["Mara Holt", "Ivo Brandt", "Reception tablet"],
            ),
            4 => outcome(
                CheckResult::Skipped,
                Some(SkipReason::NotApplicable),
                "The feature is not in use.",
            ),
            5 => outcome(
                CheckResult::Skipped,
                Some(SkipReason::Unreadable),
                &format!("{first} couldn't be read: the permission Policy.Read.All is missing."),
            ),
            6 if number.is_multiple_of(3) => outcome(
                CheckResult::Skipped,
                Some(SkipReason::Unlicensed),
                "The tenant has no license for it.",
            ),
            7 if number.is_multiple_of(3) => outcome(
                CheckResult::Skipped,
                Some(SkipReason::Manual),
                "A person must check this.",
            ),
            8 if number.is_multiple_of(11) => {
                outcome(CheckResult::Error, None, "The check could not be evaluated.")
            }
            _ => outcome(
                CheckResult::Passed,
                None,
                &format!("{first} is configured as required."),
            ),
        }
    };
    let details = |later| -> Vec<ResultDetail> {
        let numbered = checks.iter().enumerate();
        numbered
            .map(|(number, check)| ResultDetail::new(check, judged(number, check, later)))
            .collect()
    };
    let (now, before) = (details(true), details(false));
    let mut paths: Vec<&String> = checks.iter().flat_map(|check| &check.inputs).collect();
    paths.sort_unstable();
    paths.dedup();
    let settings = paths
        .into_iter()
        .enumerate()
        .map(|(number, path)| {
            let state = match number % 13 {
                5 => CollectionState::Denied,
                8 => CollectionState::Unlicensed,
                _ => CollectionState::Complete,
            };
            SettingRow {
                path: path.clone(),
                state,
                detail: (state == CollectionState::Denied).then(|| "Policy.Read.All".to_owned()),
                source: format!("https://graph.example/v1.0/{path}"),
                read_at: day(59),
                hash: (state == CollectionState::Complete)
                    .then_some([u8::try_from(number % 251).expect("it is small"); 32]),
                bytes: 1_000 + number as u64 * 37,
            }
        })
        .collect();
    assembled(Parts {
        kind,
        scan_type,
        difference,
        filter: ResultFilter::default(),
        now,
        before,
        checks,
        settings,
    })
}

struct Parts {
    kind: ReportKind,
    scan_type: ScanType,
    difference: bool,
    filter: ResultFilter,
    now: Vec<ResultDetail>,
    before: Vec<ResultDetail>,
    checks: Vec<Check>,
    settings: Vec<SettingRow>,
}

fn rows(details: &[ResultDetail]) -> Vec<ResultRow> {
    details.iter().map(|detail| detail.row.clone()).collect()
}

fn posture() -> ReportPosture {
    let counts = [(Severity::Critical, 1), (Severity::Medium, 4)].map(|(severity, count)| FindingCount {
        status: FindingStatus::Open,
        category: Category::IdentitySecurity,
        severity,
        scored: true,
        count,
    });
    let mfa = |on, off, unknown| Coverage { on, off, unknown };
    ReportPosture {
        risk: risk_score(&counts, 120),
        live_by_severity: [1, 0, 4, 0, 0],
        identities: 120,
        latest: Snapshot {
            analysis: AnalysisId::from_bytes([8; 16]),
            at: day(59),
            score: 3,
            live_by_severity: [1, 0, 4, 0, 0],
            identities: 120,
            mfa: mfa(110, 8, 1),
            admin_mfa: mfa(4, 1, 0),
            sso: mfa(100, 20, 0),
            admins: 5,
            unreviewed_apps: 3,
            stale_accounts: 1,
        },
        without_people: vec![Platform::Okta],
    }
}

fn assembled(parts: Parts) -> ReportData {
    let (now, before) = (rows(&parts.now), rows(&parts.before));
    let (counts, counts_before) = (ScanCounts::of(&now), ScanCounts::of(&before));
    let read = parts
        .settings
        .iter()
        .filter(|row| row.state == CollectionState::Complete)
        .count() as u64;
    let of_settings = (read, parts.settings.len() as u64 - read);
    let mut by_id: BTreeMap<String, ResultDetail> = parts
        .now
        .into_iter()
        .map(|detail| (detail.row.check_id.clone(), detail))
        .collect();
    let filter = parts.filter;
    let sorted = select(now.clone(), &filter, None, usize::MAX).results;
    let point = |at: Timestamp, number: u8, counts: ScanCounts, rows: &[ResultRow]| ScanPoint {
        scan: ScanId::from_bytes([number; 16]),
        at,
        counts,
        frameworks: scored_by_framework(rows).into_iter().collect(),
        services: scored_by_service(rows).into_iter().collect(),
    };
    let mut trend: Vec<ScanPoint> = (0_u8..10)
        .map(|number| {
            let mut then = counts_before;
            let worse = (then.passed / 3).saturating_sub(u64::from(number) * then.passed / 30);
            then.passed -= worse;
            then.failed += worse;
            then.failed_by_severity[2] += worse;
            point(day(i64::from(number) * 5), 20 + number, then, &before)
        })
        .collect();
    trend.push(point(day(52), 1, counts_before, &before));
    trend.push(point(day(59), 2, counts, &now));
    let changed = |path: &str, one: &str, two: &str| {
        let row = |hash| SettingRow {
            path: path.into(),
            state: CollectionState::Complete,
            detail: None,
            source: String::new(),
            read_at: day(1),
            hash: Some([hash; 32]),
            bytes: 1,
        };
        let change = SettingChange::between(Some(&row(1)), Some(&row(2)), (Some(one), Some(two)))
            .expect("they differ");
        (path.to_owned(), change)
    };
    ReportData {
        kind: parts.kind,
        generated_at: day(60),
        version: "0.1.0",
        tenant: "c0ffee00-1111-4222-8333-444444444444".into(),
        counts: ScanCounts::of(&sorted),
        by_framework: scored_by_framework(&sorted),
        by_service: scored_by_service(&sorted),
        results: sorted
            .iter()
            .filter_map(|row| by_id.remove(&row.check_id))
            .collect(),
        checks: parts
            .checks
            .into_iter()
            .map(|check| (check.id.clone(), check))
            .collect(),
        comparison: Some(ReportComparison {
            before: scan(1, parts.scan_type, day(52), counts_before, of_settings),
            with: ComparedWith::AnotherDay,
            differences: compare_selected(before, now, &filter),
        }),
        frameworks: filter.frameworks,
        services: filter.services,
        setting_changes: BTreeMap::from([
            changed(
                "exchange/Settings",
                r#"{"value":[{"Identity":"Default","AutoForwardEnabled":false}]}"#,
                r#"{"value":[{"Identity":"Default","AutoForwardEnabled":true},{"Identity":"=x|`<b>"}]}"#,
            ),
            changed(
                "sharepoint/Settings",
                r#"{"SharingCapability":2}"#,
                r#"{"SharingCapability":1}"#,
            ),
        ]),
        difference: parts.difference,
        posture: (parts.kind == ReportKind::Executive).then(posture),
        trend,
        settings: parts.settings,
        exemptions: vec![Exemption {
            id: ExemptionId::from_bytes([7; 16]),
            what: Exempted {
                check: "entra.break_glass".into(),
                kind: "user".into(),
                id: "u-9".into(),
            },
            reason: ForeignText::sentence("An emergency account, monitored by the operations center."),
            owner: ForeignText::name("Mara Holt"),
            created_at: day(3),
            until: Some(day(300)),
        }],
        scan: scan(2, parts.scan_type, day(59), counts, of_settings),
    }
}
