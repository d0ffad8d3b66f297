//! The JSON format: one object. Absent values are omitted, and the order of keys is fixed.

mod shape;

use crate::{
    controls::FrameworkControls,
    entry::{Entry, raw},
    text::words,
    view::{Changes, View},
};
use shape::{
    Change, CheckReport, Comparison, Control, Controls, Counts, EntityReport, ExemptionReport,
    FrameworkScores, Header, Part, Posture, Proof, Report, ScanFacts, Setting, Side, TrendPoint, Verdict,
    WouldPass,
};
use watchpost_core::{
    check::{CheckResult, ScanType, SkipReason},
    posture::Coverage,
    report::{ReportKind, ReportPosture},
    scan::{Exemption, ResultRow, Scan, ScanCounts, SettingRow, exposure_label},
    value::word::Severity,
};

/// Renders the object, indented.
pub(crate) fn object(view: &View<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = serde_json::to_vec_pretty(&report(view)?)?;
    out.push(b'\n');
    Ok(out)
}

fn report<'a>(view: &'a View<'a>) -> Result<Report<'a>, serde_json::Error> {
    let data = view.data;
    let kind = data.kind;
    let results = match (data.difference, kind) {
        (true, _) => None,
        (false, ReportKind::Executive) => Some(
            view.with(CheckResult::Failed)
                .map(|detail| check(&view.entry(detail), false))
                .collect::<Result<Vec<_>, _>>()?,
        ),
        (false, _) => Some(
            data.results
                .iter()
                .map(|detail| check(&view.entry(detail), view.is_evidence()))
                .collect::<Result<Vec<_>, _>>()?,
        ),
    };
    let controls = if kind == ReportKind::Framework && !data.difference {
        view.frameworks().0.iter().map(controls).collect()
    } else {
        Vec::new()
    };
    let part = |counts: &ScanCounts| Part {
        score: counts.score(),
        counts: counted(counts),
    };
    Ok(Report {
        report: Header {
            kind,
            difference: data.difference,
            generated_at: data.generated_at,
            watchpost_version: data.version,
            frameworks: &data.frameworks,
            services: &data.services,
            method: view.method(),
        },
        scan: scan(&data.scan, &data.tenant),
        verdict: verdict(data.scan.scan_type, &data.counts),
        posture: data.posture.as_ref().map(posture),
        by_framework: data
            .by_framework
            .iter()
            .map(|(name, counts)| (*name, part(counts)))
            .collect(),
        by_service: data
            .by_service
            .iter()
            .map(|(name, counts)| (*name, part(counts)))
            .collect(),
        trend: trend(view),
        comparison: view
            .changes
            .as_ref()
            .map(|changes| comparison(view, changes))
            .transpose()?,
        controls,
        results,
        unread_settings: view.unread().into_iter().map(setting).collect(),
        settings: view
            .is_evidence()
            .then(|| data.settings.iter().map(setting).collect()),
        exemptions: data.exemptions.iter().map(exemption).collect(),
    })
}

fn scan<'a>(scan: &'a Scan, tenant: &'a str) -> ScanFacts<'a> {
    ScanFacts {
        id: scan.id.to_string(),
        kind: scan.scan_type.as_str(),
        integration_id: scan.integration.to_string(),
        integration: scan.integration_name.untrusted(),
        platform: scan.platform.as_str(),
        tenant,
        trigger: scan.trigger.as_str(),
        settings_read_anew: scan.fresh,
        queued_at: scan.queued_at,
        started_at: scan.started_at,
        completed_at: scan.completed_at,
    }
}

fn posture(numbers: &ReportPosture) -> Posture {
    let percent = |coverage: &Coverage| {
        let tenths = coverage.tenths_of_percent()?;
        Some(f64::from(u32::try_from(tenths).ok()?) / 10.0)
    };
    let latest = &numbers.latest;
    Posture {
        risk_score: numbers.risk.score,
        direction: "higher_is_worse",
        label: numbers.risk.rating.label.as_str(),
        grade: numbers.risk.rating.grade.as_str(),
        as_of: latest.at,
        open_findings: Severity::ALL
            .iter()
            .copied()
            .zip(numbers.live_by_severity)
            .collect(),
        identities: numbers.identities,
        admins: latest.admins,
        mfa_coverage_pct: percent(&latest.mfa),
        admin_mfa_coverage_pct: percent(&latest.admin_mfa),
        stale_accounts: latest.stale_accounts,
    }
}

fn verdict(scan_type: ScanType, counts: &ScanCounts) -> Verdict {
    let score = match scan_type {
        ScanType::Compliance => counts.score(),
        ScanType::Exposure => None,
    };
    Verdict {
        score,
        direction: score.map(|_| "higher_is_better"),
        band: score.map(|score| score.band().as_str()),
        exposure: (scan_type == ScanType::Exposure).then(|| exposure_label(counts).as_str()),
        counts: counted(counts),
    }
}

fn counted(counts: &ScanCounts) -> Counts {
    Counts {
        passed: counts.passed,
        failed: counts.failed,
        failed_by_severity: Severity::ALL
            .iter()
            .copied()
            .zip(counts.failed_by_severity)
            .collect(),
        skipped: counts.skipped_total(),
        skipped_by_reason: SkipReason::ALL.iter().copied().zip(counts.skipped).collect(),
        errors: counts.errors,
    }
}

fn trend(view: &View<'_>) -> Vec<TrendPoint> {
    view.trend
        .iter()
        .map(|point| {
            let verdict = verdict(view.data.scan.scan_type, &point.counts);
            TrendPoint {
                at: point.at,
                score: verdict.score,
                exposure: verdict.exposure,
                passed: point.counts.passed,
                failed: point.counts.failed,
                skipped: point.counts.skipped_total(),
                errors: point.counts.errors,
            }
        })
        .collect()
}

fn comparison<'a>(view: &'a View<'a>, changes: &'a Changes<'a>) -> Result<Comparison<'a>, serde_json::Error> {
    let before = verdict(view.data.scan.scan_type, &changes.counts_before);
    let scores = (before.score, view.score());
    let mut list = Vec::new();
    for group in &changes.groups {
        for change in &group.changes {
            let Some(row) = change.row() else { continue };
            list.push(Change {
                change: group.key,
                check: &row.check_id,
                title: &row.title,
                service: row.service,
                severity: row.severity,
                before: change.before.as_ref().map(side).transpose()?,
                after: change.after.as_ref().map(side).transpose()?,
            });
        }
    }
    Ok(Comparison {
        scan_before: changes.before.id.to_string(),
        completed_at: words::completed(changes.before),
        compared_with: changes.with,
        score_difference: match scores {
            (Some(old), Some(new)) => Some(f64::from(new.difference(old)) / 10.0),
            _ => None,
        },
        before,
        unchanged: changes.unchanged,
        still_failing: changes.still_failing,
        frameworks: changes
            .frameworks
            .iter()
            .map(|delta| {
                let scores = FrameworkScores {
                    before: delta.before,
                    after: delta.after,
                };
                (delta.framework, scores)
            })
            .collect(),
        changes: list,
        settings: changes.settings.clone(),
    })
}

fn side(row: &ResultRow) -> Result<Side<'_>, serde_json::Error> {
    Ok(Side {
        result: row.result,
        skip_reason: row.skip,
        reason: row.reason.untrusted(),
        detected: row.detected.as_deref().map(raw).transpose()?,
        entities: row.entities,
    })
}

fn controls<'a>(framework: &FrameworkControls<'a>) -> Controls<'a> {
    Controls {
        framework: framework.framework,
        title: framework.framework.title(),
        controls: framework
            .sections
            .iter()
            .flat_map(|section| section.controls.iter().map(move |control| (section, control)))
            .map(|(section, control)| Control {
                id: control.id,
                section: section.name.clone(),
                state: control.state.word(),
                checks: control
                    .results
                    .iter()
                    .map(|detail| detail.row.check_id.as_str())
                    .collect(),
            })
            .collect(),
    }
}

fn check<'a>(entry: &Entry<'a>, with_proof: bool) -> Result<CheckReport<'a>, serde_json::Error> {
    let row = entry.row();
    let proof = if with_proof {
        Some(Proof {
            evidence: raw(&entry.detail.evidence)?,
            entities: entry
                .entities()
                .iter()
                .map(|entity| EntityReport {
                    kind: &entity.kind,
                    id: &entity.id,
                    name: entity.name.untrusted(),
                })
                .collect(),
            settings: entry.settings.iter().map(|row| row.path.as_str()).collect(),
            content_hash: entry.content(),
        })
    } else {
        None
    };
    Ok(CheckReport {
        check: &row.check_id,
        title: &row.title,
        service: row.service,
        severity: row.severity,
        frameworks: entry.framework_ids(),
        result: row.result,
        skip_reason: row.skip,
        reason: entry.reason(),
        detected: entry.detected().map(raw).transpose()?,
        would_pass: entry.detail.would_pass.as_ref().map(|one| WouldPass {
            condition: one.condition.untrusted(),
            excluded: &one.excluded,
        }),
        entities_total: row.entities,
        description: entry.description(),
        remediation: entry.remediation(),
        references: entry.references(),
        proof,
    })
}

fn setting(row: &SettingRow) -> Setting<'_> {
    Setting {
        path: &row.path,
        state: row.state.as_str(),
        detail: row.detail.as_deref(),
        source: &row.source,
        read_at: row.read_at,
        sha256: row.hash.map(|hash| words::hex(&hash)),
        bytes: row.bytes,
    }
}

fn exemption(one: &Exemption) -> ExemptionReport<'_> {
    ExemptionReport {
        check: &one.what.check,
        kind: &one.what.kind,
        id: &one.what.id,
        reason: one.reason.untrusted(),
        owner: one.owner.untrusted(),
        since: one.created_at,
        until: one.until,
    }
}
