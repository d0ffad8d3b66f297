//! The `scan` job: reads settings, evaluates them, stores both, and reconciles the findings of checks.

use super::{
    Apps, CheckReconciliation, Exemption, FinishScan, IMPORTED_CONFIGURATION, JudgedCheck, ResultDetail,
    Scan, ScanCounts, ScanPermit, SettingValue, apps::Pages, configuration::read_configuration,
};
use crate::{
    access::JobPermit,
    audit::CallRecord,
    check::{
        Check, CheckDocument, CheckEngine, CheckOver, CheckResult, Exempted, Outcome, Profile, ScanType,
        SkipReason, Unreadable, Verdict,
    },
    error::Error,
    finding::{Observation, fingerprint},
    integration::{Integration, connector::Connector, setting::CollectRequest, sync::connector_for},
    port::{Clock, Store},
    rule::document::EntityRef,
    text,
    value::{
        id::ScanId,
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, RunState},
    },
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// Maximum duration of a scan, in milliseconds.
pub const SCAN_LIMIT_MS: i64 = 30 * 60 * 1_000;

/// Runs a scan. Passes progress messages for people to `progress`.
///
/// # Errors
/// Returns the errors of the store and of an engine that can't continue. A failure of the vendor or the
/// configuration ends the scan as `failed` with the reason, and this function returns `Ok`.
pub async fn run_scan(
    store: &dyn Store,
    engine: &dyn CheckEngine,
    connectors: &[Arc<dyn Connector>],
    clock: &dyn Clock,
    job: &JobPermit,
    id: ScanId,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<(), Error> {
    let permit = ScanPermit::of_job(job, id);
    let scope = permit.scope();
    let Some(scan) = store.scan(scope, id).await? else {
        return Ok(());
    };
    if !store.begin_scan(&permit, clock.now()).await? {
        return Ok(());
    }
    let done = read_and_evaluate(store, engine, connectors, clock, &permit, &scan, progress).await?;
    let (state, reason, results, findings) = match done {
        Ok((results, findings)) => (RunState::Completed, None, results, findings),
        Err(reason) => (RunState::Failed, Some(reason), Vec::new(), None),
    };
    finish(store, &permit, state, reason, results, findings, clock.now()).await
}

/// Ends a scan whose job can't continue.
///
/// # Errors
/// Returns the store's error.
pub(crate) async fn fail_scan(
    store: &dyn Store,
    clock: &dyn Clock,
    job: &JobPermit,
    id: ScanId,
    reason: String,
) -> Result<(), Error> {
    let permit = ScanPermit::of_job(job, id);
    let failed = RunState::Failed;
    finish(
        store,
        &permit,
        failed,
        Some(reason),
        Vec::new(),
        None,
        clock.now(),
    )
    .await
}

async fn finish(
    store: &dyn Store,
    permit: &ScanPermit,
    state: RunState,
    reason: Option<String>,
    results: Vec<ResultDetail>,
    findings: Option<CheckReconciliation>,
    now: Timestamp,
) -> Result<(), Error> {
    let command = FinishScan {
        id: permit.scan(),
        state,
        reason,
        counts: ScanCounts::of(results.iter().map(|result| &result.row)),
        results,
        findings,
        now,
    };
    let write = permit
        .scope()
        .authorize(command, CallRecord::new("job", "scan", "{}"))?;
    store.finish_scan(write).await?.into_value();
    Ok(())
}

type Evaluated = Result<(Vec<ResultDetail>, Option<CheckReconciliation>), String>;

/// Reads and evaluates the settings. The inner error is the reason for which the scan failed.
async fn read_and_evaluate(
    store: &dyn Store,
    engine: &dyn CheckEngine,
    connectors: &[Arc<dyn Connector>],
    clock: &dyn Clock,
    permit: &ScanPermit,
    scan: &Scan,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Evaluated, Error> {
    let scope = permit.scope();
    let Some(integration) = store.integration(scope, scan.integration).await? else {
        return Ok(Err(text::scan::INTEGRATION_REMOVED.into()));
    };
    let chosen: Vec<usize> = checks_for(engine, scan.scan_type, &integration);
    if chosen.is_empty() {
        return Ok(Err(text::scan::no_checks(
            scan.scan_type,
            integration.platform.title(),
        )));
    }
    if scan.fresh {
        let paths = paths_of(engine.checks(), &chosen);
        if let Err(reason) = collect(store, connectors, clock, permit, &integration, paths, progress).await? {
            return Ok(Err(reason));
        }
    } else {
        let Some(from) = last_read(store, permit, scan).await? else {
            return Ok(Err(text::scan::NO_EARLIER_SETTINGS.into()));
        };
        store.copy_settings(permit, from).await?;
    }
    progress(text::scan::evaluating(chosen.len()));
    let values = store.setting_values(scope, scan.id, &[]).await?;
    let exemptions = store.exemptions(scope).await?;
    let now = clock.now();
    let document = document_of(&integration, values, &exemptions, now);
    let mut results = match evaluate(
        engine,
        document,
        chosen,
        Profile::Default,
        now,
        Apps::Stored {
            store,
            permit,
            integration: &integration,
        },
    )
    .await?
    {
        Ok(results) => results,
        Err(reason) => return Ok(Err(reason)),
    };
    let exempted = exempt_whole(&mut results, &exemptions, now);
    let findings = scan
        .fresh
        .then(|| reconciliation(engine.checks(), &results, &exempted, &integration));
    Ok(Ok((results, findings)))
}

/// Returns the positions of the checks of a type for a platform.
fn checks_for(engine: &dyn CheckEngine, scan_type: ScanType, integration: &Integration) -> Vec<usize> {
    engine
        .checks()
        .iter()
        .enumerate()
        .filter(|(_, check)| {
            check.scan == Some(scan_type)
                && (check.platforms.is_empty() || check.platforms.contains(&integration.platform))
        })
        .map(|(at, _)| at)
        .collect()
}

fn paths_of(checks: &[Check], chosen: &[usize]) -> BTreeSet<String> {
    chosen
        .iter()
        .filter_map(|at| checks.get(*at))
        .flat_map(|check| check.inputs.iter().chain(&check.optional_inputs))
        .cloned()
        .collect()
}

async fn last_read(store: &dyn Store, permit: &ScanPermit, scan: &Scan) -> Result<Option<ScanId>, Error> {
    let latest = store
        .latest_scan(permit.scope(), scan.integration, scan.scan_type, None, None)
        .await?;
    Ok(latest.map(|scan| scan.id))
}

async fn collect(
    store: &dyn Store,
    connectors: &[Arc<dyn Connector>],
    clock: &dyn Clock,
    permit: &ScanPermit,
    integration: &Integration,
    paths: BTreeSet<String>,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Result<(), String>, Error> {
    let Some(connector) = connector_for(connectors, integration.platform) else {
        return Ok(Err(text::integration::unreadable_platform(
            integration.platform.title(),
        )));
    };
    let known: BTreeSet<String> = connector
        .setting_paths()
        .iter()
        .map(|path| (*path).to_owned())
        .filter(|path| paths.contains(path))
        .collect();
    if known.is_empty() {
        // Checks of apps alone don't read from the vendor.
        return Ok(Ok(()));
    }
    let config = match store.open_config_for_scan(permit).await {
        Ok(Some(config)) => config,
        Ok(None) => return Ok(Err(text::scan::INTEGRATION_UNAVAILABLE.into())),
        Err(error) if error.is_of_credential() => {
            return Ok(Err(text::integration::CREDENTIAL_DAMAGED.into()));
        }
        Err(error) => return Err(error.into()),
    };
    let until = clock.now().plus_millis(SCAN_LIMIT_MS);
    let all = known.len();
    let request = CollectRequest {
        paths: known,
        metered: true,
    };
    let mut run = match connector.collect(&config, request).await {
        Ok(run) => run,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let mut read = 0_usize;
    loop {
        if clock.now() >= until {
            return Ok(Err(text::scan::time_limit(SCAN_LIMIT_MS)));
        }
        match run.next_setting().await {
            Ok(Some(setting)) => {
                read = read.saturating_add(1);
                progress(text::scan::reading_settings(read, all));
                store.store_setting(permit, setting, clock.now()).await?;
            }
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
}

/// Builds the document that the checks evaluate: a scan's settings with the exemptions in effect.
pub fn document_of(
    integration: &Integration,
    values: Vec<SettingValue>,
    exemptions: &[Exemption],
    now: Timestamp,
) -> CheckDocument {
    let name = if integration.name.is_empty() {
        integration.platform.title().to_owned()
    } else {
        integration.name.untrusted().to_owned()
    };
    let mut document = CheckDocument::new(
        integration.platform,
        integration.tenant_key.clone().unwrap_or_default(),
        name,
    );
    for value in values {
        let row = value.row;
        if row.state != CollectionState::Complete {
            let detail = row.detail.clone();
            let state = row.state;
            document
                .unreadable
                .insert(row.path.clone(), Unreadable { state, detail });
        }
        let Some(text) = value.document else { continue };
        if row.path == IMPORTED_CONFIGURATION {
            read_configuration(&text, &mut document);
            continue;
        }
        match serde_json::from_str(&text) {
            Ok(json) => {
                document.settings.insert(row.path, json);
            }
            Err(_) => {
                document.unreadable.insert(
                    row.path,
                    Unreadable {
                        state: CollectionState::Failed,
                        detail: Some(text::scan::NOT_JSON.into()),
                    },
                );
            }
        }
    }
    document.exemptions.extend(
        exemptions
            .iter()
            .filter(|exemption| exemption.holds_at(now) && exemption.what.kind != "*")
            .map(|exemption| exemption.what.clone()),
    );
    document
}

/// Evaluates checks: those of settings in one batch, those of apps page by page. The inner error is the reason
/// for which the engine can't continue.
///
/// # Errors
/// Returns the store's error.
pub async fn evaluate(
    engine: &dyn CheckEngine,
    document: CheckDocument,
    chosen: Vec<usize>,
    profile: Profile,
    now: Timestamp,
    apps: Apps<'_>,
) -> Result<Result<Vec<ResultDetail>, String>, Error> {
    let checks = engine.checks();
    let over = |at: &usize| checks.get(*at).is_some_and(|check| check.over == CheckOver::Apps);
    let (over_apps, over_settings): (Vec<usize>, Vec<usize>) = chosen.into_iter().partition(over);
    let document = Arc::new(document);
    let now_ms = now.as_millis();
    let mut found: HashMap<usize, Outcome> = HashMap::new();
    match engine
        .evaluate_checks(Arc::clone(&document), over_settings, profile, now_ms)
        .await
    {
        Ok(verdicts) => keep(&mut found, verdicts),
        Err(error) => return Ok(Err(error.to_string())),
    }
    if !over_apps.is_empty() {
        let mut pages = Pages::new(&apps);
        // A list that wasn't read completely can show that a check fails, but not that it passes or doesn't apply.
        let nothing_bad = match apps.unread() {
            Some(reason) => (SkipReason::Unreadable, reason),
            None => (SkipReason::NotApplicable, text::scan::NO_APPS.to_owned()),
        };
        while let Some(page) = pages.next().await? {
            if page.is_empty() {
                continue;
            }
            let mut with_apps = CheckDocument::clone(&document);
            with_apps.apps = page;
            match engine
                .evaluate_checks(Arc::new(with_apps), over_apps.clone(), profile, now_ms)
                .await
            {
                Ok(verdicts) => keep(&mut found, verdicts),
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
        let (skip, reason) = nothing_bad;
        let of_no_app = over_apps.into_iter().map(|check| Verdict {
            check,
            outcome: Outcome::plain(CheckResult::Skipped, Some(skip), &reason),
        });
        keep(&mut found, of_no_app.collect());
    }
    let mut results: Vec<ResultDetail> = found
        .into_iter()
        .filter_map(|(at, outcome)| Some(ResultDetail::new(checks.get(at)?, outcome)))
        .collect();
    results.sort_by(|a, b| a.row.check_id.cmp(&b.row.check_id));
    Ok(Ok(results))
}

fn keep(found: &mut HashMap<usize, Outcome>, verdicts: Vec<Verdict>) {
    for verdict in verdicts {
        let outcome = match found.remove(&verdict.check) {
            Some(before) => before.merged(verdict.outcome),
            None => verdict.outcome,
        };
        found.insert(verdict.check, outcome);
    }
}

/// Skips checks that are exempted as a whole, with the exemption as the reason. Returns their ids.
pub(crate) fn exempt_whole(
    results: &mut [ResultDetail],
    exemptions: &[Exemption],
    now: Timestamp,
) -> BTreeSet<String> {
    let mut exempted = BTreeSet::new();
    for result in results {
        let named = |what: &Exempted| {
            what.kind == "*"
                && (what.check == result.row.check_id
                    || result.row.frameworks.iter().any(|id| id.as_str() == what.check))
        };
        let Some(exemption) = exemptions
            .iter()
            .find(|exemption| exemption.holds_at(now) && named(&exemption.what))
        else {
            continue;
        };
        let reason = text::scan::exempted(
            exemption.owner.untrusted(),
            exemption.until,
            exemption.reason.untrusted(),
        );
        exempted.insert(result.row.check_id.clone());
        result.row.result = CheckResult::Skipped;
        result.row.skip = Some(SkipReason::NotApplicable);
        result.row.reason = ForeignText::sentence(&reason);
        result.would_pass = None;
    }
    exempted
}

fn reconciliation(
    checks: &[Check],
    results: &[ResultDetail],
    exempted: &BTreeSet<String>,
    integration: &Integration,
) -> CheckReconciliation {
    let by_id: HashMap<&str, &Check> = checks.iter().map(|check| (check.id.as_str(), check)).collect();
    let entity = EntityRef::Integration(integration.id);
    let mut out = CheckReconciliation::default();
    for result in results {
        let row = &result.row;
        let Some(check) = by_id.get(row.check_id.as_str()) else {
            continue;
        };
        let judged = || JudgedCheck {
            check_id: check.id.clone(),
            condition: check.condition.clone(),
            entity,
        };
        match (row.result, row.skip) {
            (CheckResult::Failed, _) => out.failed.push(observation(check, result, integration)),
            (CheckResult::Skipped, _) if exempted.contains(&row.check_id) => out.ended.push(judged()),
            (CheckResult::Passed, _) | (CheckResult::Skipped, Some(SkipReason::NotApplicable)) => {
                out.clear.push(judged());
            }
            // A check that couldn't be evaluated ends no finding.
            (CheckResult::Skipped | CheckResult::Error, _) => {}
        }
    }
    out
}

fn observation(check: &Check, result: &ResultDetail, integration: &Integration) -> Observation {
    let entity = EntityRef::Integration(integration.id);
    let name = if integration.name.is_empty() {
        ForeignText::name(integration.platform.title())
    } else {
        integration.name.clone()
    };
    Observation {
        fingerprint: fingerprint(&check.condition, entity),
        condition: check.condition.clone(),
        rule_id: check.id.clone(),
        severity: check.severity,
        category: check.category,
        scored: check.is_scored(),
        entity,
        subject_name: name,
        subject_email: None,
        title: result.row.reason.clone(),
        evidence: result.evidence.clone(),
        apps: Vec::new(),
        marks: std::collections::BTreeMap::new(),
        service: Some(check.service),
        frameworks: check.frameworks.clone(),
    }
}
