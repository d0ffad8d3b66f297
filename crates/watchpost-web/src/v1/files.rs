//! Lists as files.

use super::{
    apps::{AppFields, place},
    checks::{CheckFields, CheckOut},
    findings::FindingFields,
    integrations::integration,
    rules::{RuleFields, RuleOut},
    scan_results::LatestResultFields,
    scans::ScanFields,
};
use crate::{
    context::Context,
    export::{Export, ExportSource, PAGE},
    failure::Failure,
    fields::NoFields,
    operation::{Declaration, Form, Method},
    text::files as texts,
    wire::{
        app::AppOut,
        finding::{EntityId, FindingOut},
        scan::{ResultOut, ScanOut},
    },
};
use watchpost_core::{
    access::Permission,
    app::{App, AppQuery},
    check::FrameworkId,
    error::Error,
    finding::{FindingQuery, FindingSummary},
    scan::{ResultRow, Scan, ScanQuery},
    service::ResultChoice,
};

/// The two operations of a list: its path with the endings of both formats.
macro_rules! files {
    ($path:literal, $name:literal, $group:literal, $summary:expr) => {
        const NAME: &'static str = $name;
        const CSV: Declaration = Declaration {
            method: Method::Get,
            path: concat!($path, ".csv"),
            name: concat!("export_", $name, "_csv"),
            group: $group,
            summary: $summary.0,
            permission: Some(Permission::ReadPosture),
            form: Form::Own,
        };
        const JSON: Declaration = Declaration {
            method: Method::Get,
            path: concat!($path, ".json"),
            name: concat!("export_", $name, "_json"),
            group: $group,
            summary: $summary.1,
            permission: Some(Permission::ReadPosture),
            form: Form::Own,
        };
    };
}

fn ids(frameworks: &[FrameworkId]) -> String {
    let all: Vec<&str> = frameworks.iter().map(FrameworkId::as_str).collect();
    all.join("; ")
}

/// Findings. `None` after the last page.
pub(crate) struct Findings(Option<FindingQuery>);

impl Export for Findings {
    files!("/api/v1/findings", "findings", "findings", texts::FINDINGS);
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "severity",
        "category",
        "status",
        "title",
        "rule_id",
        "subject_type",
        "subject_id",
        "subject_name",
        "subject_email",
        "service",
        "scored",
        "first_seen_at",
    ];
    type Input = FindingFields;
    type Row = FindingSummary;

    async fn begin(context: &Context<'_>, input: FindingFields) -> Result<Self, Failure> {
        let query = FindingQuery {
            limit: PAGE,
            ..input.query(context).await?
        };
        Ok(Self(Some(query)))
    }
    async fn next(&mut self, source: &ExportSource) -> Result<Vec<FindingSummary>, Error> {
        let Some(query) = &mut self.0 else {
            return Ok(Vec::new());
        };
        let (page, _) = source.open(source.watchpost.findings(&source.scope, query).await)?;
        query.after = page.next;
        if query.after.is_none() {
            self.0 = None;
        }
        Ok(page.findings)
    }
    fn json(row: &FindingSummary) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&FindingOut::from(row))
    }
    fn cells(row: &FindingSummary) -> Vec<String> {
        vec![
            row.id.to_string(),
            row.severity.to_string(),
            row.category.to_string(),
            row.status.to_string(),
            row.title.untrusted().to_owned(),
            row.rule_id.clone(),
            row.subject.entity.entity_type().to_string(),
            EntityId(row.subject.entity).to_string(),
            row.subject.name.untrusted().to_owned(),
            row.subject.email.clone().unwrap_or_default(),
            row.service.map_or("", |service| service.as_str()).to_owned(),
            row.scored.to_string(),
            row.first_seen_at.to_string(),
        ]
    }
}

/// Apps. `None` after the last page.
pub(crate) struct Apps(Option<AppQuery>);

impl Export for Apps {
    files!("/api/v1/apps", "apps", "apps", texts::APPS);
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "platform",
        "policy",
        "risk",
        "publisher",
        "accounts",
        "tenant_wide",
        "grants",
        "scopes",
        "first_seen_at",
    ];
    type Input = AppFields;
    type Row = App;

    async fn begin(_: &Context<'_>, input: AppFields) -> Result<Self, Failure> {
        Ok(Self(Some(AppQuery {
            limit: PAGE,
            ..input.query()
        })))
    }
    async fn next(&mut self, source: &ExportSource) -> Result<Vec<App>, Error> {
        let Some(query) = &mut self.0 else {
            return Ok(Vec::new());
        };
        let page = source.open(source.watchpost.apps(&source.scope, query).await)?;
        match page.last().filter(|_| page.len() == PAGE) {
            Some(last) => query.after = Some(place(last)),
            None => self.0 = None,
        }
        Ok(page)
    }
    fn json(row: &App) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&AppOut::from(row))
    }
    fn cells(row: &App) -> Vec<String> {
        let scopes: Vec<&str> = row.scopes.iter().map(|scope| scope.untrusted()).collect();
        let publisher = row.publisher.as_ref().map(|publisher| publisher.untrusted());
        vec![
            row.id.to_string(),
            row.name.untrusted().to_owned(),
            row.platform.to_string(),
            row.policy.to_string(),
            row.risk.map_or("", |risk| risk.as_str()).to_owned(),
            publisher.unwrap_or_default().to_owned(),
            row.accounts.to_string(),
            row.tenant_wide.to_string(),
            row.grants.to_string(),
            scopes.join("; "),
            row.first_seen_at.to_string(),
        ]
    }
}

/// Scans. `None` after the last page.
pub(crate) struct Scans(Option<ScanQuery>);

impl Export for Scans {
    files!("/api/v1/scans", "scans", "scans", texts::SCANS);
    const COLUMNS: &'static [&'static str] = &[
        "scan_id",
        "scan_type",
        "status",
        "platform",
        "name",
        "queued_at",
        "completed_at",
        "score",
        "exposure",
        "passed",
        "failed",
        "skipped",
        "errors",
    ];
    type Input = ScanFields;
    type Row = Scan;

    async fn begin(_: &Context<'_>, input: ScanFields) -> Result<Self, Failure> {
        Ok(Self(Some(ScanQuery {
            limit: PAGE,
            ..input.query()
        })))
    }
    async fn next(&mut self, source: &ExportSource) -> Result<Vec<Scan>, Error> {
        let Some(query) = &mut self.0 else {
            return Ok(Vec::new());
        };
        let page = source.open(source.watchpost.scans(&source.scope, query).await)?;
        match page.scans.last().filter(|_| page.more) {
            Some(last) => query.before = Some(last.id),
            None => self.0 = None,
        }
        Ok(page.scans)
    }
    fn json(row: &Scan) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&ScanOut::from(row))
    }
    fn cells(row: &Scan) -> Vec<String> {
        vec![
            row.id.to_string(),
            row.scan_type.to_string(),
            row.state.to_string(),
            row.platform.to_string(),
            row.integration_name.untrusted().to_owned(),
            row.queued_at.to_string(),
            row.completed_at.map_or_else(String::new, |at| at.to_string()),
            row.score().map_or_else(String::new, |score| score.to_string()),
            row.exposure().map_or("", |label| label.as_str()).to_owned(),
            row.counts.passed.to_string(),
            row.counts.failed.to_string(),
            row.counts.skipped_total().to_string(),
            row.counts.errors.to_string(),
        ]
    }
}

/// The rows of a list that is read at once, written by the list's own functions.
pub(crate) struct Whole(Vec<(Vec<u8>, Vec<String>)>);

impl Whole {
    fn take(&mut self) -> Vec<(Vec<u8>, Vec<String>)> {
        std::mem::take(&mut self.0)
    }
}

/// The rows of a check's results.
pub(crate) struct CheckResults(Option<(Scan, LatestResultFields)>);

impl Export for CheckResults {
    files!("/api/v1/check-results", "results", "checks", texts::RESULTS);
    const COLUMNS: &'static [&'static str] = &[
        "check_id",
        "title",
        "result",
        "skip_reason",
        "severity",
        "service",
        "framework_ids",
        "reason",
        "detected",
        "failing",
    ];
    type Input = LatestResultFields;
    type Row = ResultRow;

    async fn begin(context: &Context<'_>, input: LatestResultFields) -> Result<Self, Failure> {
        let scan = input.scan(context).await?;
        Ok(Self(Some((scan, input))))
    }
    async fn next(&mut self, source: &ExportSource) -> Result<Vec<ResultRow>, Error> {
        let Some((scan, fields)) = self.0.take() else {
            return Ok(Vec::new());
        };
        let chosen = fields.choice();
        let choice = ResultChoice {
            filter: &chosen.filter,
            after: None,
            limit: usize::MAX,
        };
        let watchpost = &source.watchpost;
        match chosen.check {
            Some(name) => {
                let found = watchpost
                    .named_results(&source.scope, scan, name, choice, 0)
                    .await;
                Ok(source.open(found)?.page.results)
            }
            None => {
                let found = watchpost.scan_results(&source.scope, scan, choice).await;
                Ok(source.open(found)?.page.results)
            }
        }
    }
    fn json(row: &ResultRow) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&ResultOut::from(row))
    }
    fn cells(row: &ResultRow) -> Vec<String> {
        vec![
            row.check_id.clone(),
            row.title.clone(),
            row.result.to_string(),
            row.skip.map_or("", |skip| skip.as_str()).to_owned(),
            row.severity.to_string(),
            row.service.to_string(),
            ids(&row.frameworks),
            row.reason.untrusted().to_owned(),
            row.detected.clone().unwrap_or_default(),
            row.entities.to_string(),
        ]
    }
}

/// Rules.
pub(crate) struct Rules(Whole);

impl Export for Rules {
    files!("/api/v1/rules", "rules", "rules", texts::RULES);
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "title",
        "severity",
        "category",
        "entity_type",
        "action",
        "has_source",
    ];
    type Input = RuleFields;
    type Row = (Vec<u8>, Vec<String>);

    async fn begin(context: &Context<'_>, input: RuleFields) -> Result<Self, Failure> {
        let (rules, _) = context.open(context.watchpost.rules(context.scope).await)?;
        let rows = rules.iter().filter(|answer| input.fits(answer)).map(|answer| {
            let rule = answer.rule;
            let cells = vec![
                rule.id.clone(),
                rule.title.clone(),
                rule.severity.to_string(),
                rule.category.to_string(),
                rule.entity_type().to_string(),
                rule.action.clone().unwrap_or_default(),
                answer.has_source.to_string(),
            ];
            let json = serde_json::to_vec(&RuleOut::from(answer)).map_err(Failure::unwritable)?;
            Ok((json, cells))
        });
        Ok(Self(Whole(rows.collect::<Result<_, Failure>>()?)))
    }
    async fn next(&mut self, _: &ExportSource) -> Result<Vec<Self::Row>, Error> {
        Ok(self.0.take())
    }
    fn json(row: &Self::Row) -> Result<Vec<u8>, serde_json::Error> {
        Ok(row.0.clone())
    }
    fn cells(row: &Self::Row) -> Vec<String> {
        row.1.clone()
    }
}

/// Checks.
pub(crate) struct Checks(Whole);

impl Export for Checks {
    files!("/api/v1/checks", "checks", "checks", texts::CHECKS);
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "title",
        "scan_type",
        "severity",
        "category",
        "service",
        "manual",
        "framework_ids",
    ];
    type Input = CheckFields;
    type Row = (Vec<u8>, Vec<String>);

    async fn begin(context: &Context<'_>, input: CheckFields) -> Result<Self, Failure> {
        let checks = context.watchpost.checks().checks();
        let rows = checks.iter().filter(|check| input.fits(check)).map(|check| {
            let cells = vec![
                check.id.clone(),
                check.title.clone(),
                check.scan.map_or("", |scan| scan.as_str()).to_owned(),
                check.severity.to_string(),
                check.category.to_string(),
                check.service.to_string(),
                check.manual.to_string(),
                ids(&check.frameworks),
            ];
            let json = serde_json::to_vec(&CheckOut::from(check)).map_err(Failure::unwritable)?;
            Ok((json, cells))
        });
        Ok(Self(Whole(rows.collect::<Result<_, Failure>>()?)))
    }
    async fn next(&mut self, _: &ExportSource) -> Result<Vec<Self::Row>, Error> {
        Ok(self.0.take())
    }
    fn json(row: &Self::Row) -> Result<Vec<u8>, serde_json::Error> {
        Ok(row.0.clone())
    }
    fn cells(row: &Self::Row) -> Vec<String> {
        row.1.clone()
    }
}

/// Integrations.
pub(crate) struct Integrations(Whole);

impl Export for Integrations {
    files!(
        "/api/v1/integrations",
        "integrations",
        "integrations",
        texts::INTEGRATIONS
    );
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "platform",
        "name",
        "status",
        "last_sync_at",
        "stale",
        "failure",
    ];
    type Input = NoFields;
    type Row = (Vec<u8>, Vec<String>);

    async fn begin(context: &Context<'_>, _: NoFields) -> Result<Self, Failure> {
        let (rows, jobs, _) = context.open(context.watchpost.integrations(context.scope).await)?;
        let (rules, _) = context.open(context.watchpost.rules(context.scope).await)?;
        let rows = rows.iter().map(|row| {
            let failure = row.failure.as_ref().map(|failure| failure.reason.clone());
            let cells = vec![
                row.id.to_string(),
                row.platform.to_string(),
                row.name.untrusted().to_owned(),
                row.status.to_string(),
                row.last_completed_at
                    .map_or_else(String::new, |at| at.to_string()),
                row.is_stale(context.now).to_string(),
                failure.unwrap_or_default(),
            ];
            let shown = integration(row, &jobs, &rules, context.now);
            let json = serde_json::to_vec(&shown).map_err(Failure::unwritable)?;
            Ok((json, cells))
        });
        Ok(Self(Whole(rows.collect::<Result<_, Failure>>()?)))
    }
    async fn next(&mut self, _: &ExportSource) -> Result<Vec<Self::Row>, Error> {
        Ok(self.0.take())
    }
    fn json(row: &Self::Row) -> Result<Vec<u8>, serde_json::Error> {
        Ok(row.0.clone())
    }
    fn cells(row: &Self::Row) -> Vec<String> {
        row.1.clone()
    }
}
