//! The columns of scans, and their stored forms.

use crate::{
    base::{
        fault::{Fault, Res},
        row::{Columns, Word, str_of},
    },
    text,
};
use rusqlite::Row;
use watchpost_core::{
    check::{CheckEntity, FrameworkId, WouldPass},
    scan::{ResultDetail, ResultRow, Scan, ScanCounts, SettingRow},
    value::{
        id::{IntegrationId, JobId, ScanId},
        text::ForeignText,
    },
};

/// The columns of `scans s`, `integrations i` and, left-joined, `jobs j` that [`scan`] reads.
pub(super) const SCAN: &str = "s.id, i.id, i.platform, i.name, s.scan_type, s.state, s.trigger, s.fresh, s.queued_at, \
    s.started_at, s.completed_at, s.reason, j.progress, s.job, s.counts, s.settings_read, s.settings_unread";

/// The FROM clause for [`SCAN`].
pub(super) const FROM: &str = "scans s JOIN integrations i ON i.workspace_id = s.workspace_id AND \
    i.integration = s.integration LEFT JOIN jobs j ON j.workspace_id = s.workspace_id AND j.id = s.job";

pub(super) fn scan(row: &Row<'_>) -> Res<Scan> {
    let job: Option<[u8; 16]> = row.get(13)?;
    Ok(Scan {
        id: row.id(0, ScanId::from_bytes)?,
        integration: row.id(1, IntegrationId::from_bytes)?,
        platform: row.word(2)?,
        integration_name: row.text(3)?,
        scan_type: row.word(4)?,
        state: row.word(5)?,
        trigger: row.word(6)?,
        fresh: row.get(7)?,
        queued_at: row.time(8)?,
        started_at: row.time_opt(9)?,
        completed_at: row.time_opt(10)?,
        reason: row.get(11)?,
        progress: row.get(12)?,
        job: job.map(JobId::from_bytes),
        counts: parse_counts(str_of(row.get_ref(14)?)?)?,
        settings: (row.count(15)?, row.count(16)?),
    })
}

/// Writes the counts of passed, failed, the four kinds of skipped, errors, and failed by the five severities, separated by
/// commas.
pub(super) fn counts_text(counts: &ScanCounts) -> String {
    let mut numbers = vec![counts.passed, counts.failed];
    numbers.extend(counts.skipped);
    numbers.push(counts.errors);
    numbers.extend(counts.failed_by_severity);
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    texts.join(",")
}

fn parse_counts(value: &str) -> Res<ScanCounts> {
    if value.is_empty() {
        return Ok(ScanCounts::default());
    }
    let damaged = || Fault::Damaged("scans", text::MALFORMED_COUNTS.into());
    let numbers: Vec<u64> = value
        .split(',')
        .map(|number| number.parse().map_err(|_| damaged()))
        .collect::<Res<_>>()?;
    let [passed, failed, a, b, c, d, errors, v, w, x, y, z] = numbers.as_slice() else {
        return Err(damaged());
    };
    Ok(ScanCounts {
        passed: *passed,
        failed: *failed,
        skipped: [*a, *b, *c, *d],
        errors: *errors,
        failed_by_severity: [*v, *w, *x, *y, *z],
    })
}

/// Writes counts by word: `code:counts`, separated by semicolons.
pub(super) fn grouped_text<'a, T: Word + 'a>(
    groups: impl IntoIterator<Item = (&'a T, &'a ScanCounts)>,
) -> String {
    let texts: Vec<String> = groups
        .into_iter()
        .map(|(word, counts)| format!("{}:{}", word.position(), counts_text(counts)))
        .collect();
    texts.join(";")
}

pub(super) fn parse_grouped<T: Word>(value: &str) -> Res<Vec<(T, ScanCounts)>> {
    let damaged = || Fault::Damaged("scans", text::MALFORMED_GROUPED_COUNTS.into());
    value
        .split(';')
        .filter(|group| !group.is_empty())
        .filter_map(|group| {
            let Some((code, counts)) = group.split_once(':') else {
                return Some(Err(damaged()));
            };
            let Ok(code) = code.parse() else {
                return Some(Err(damaged()));
            };
            // A group that this version doesn't know is left out.
            T::at(code).map(|word| Ok((word, parse_counts(counts)?)))
        })
        .collect()
}

pub(super) fn counts_at(row: &Row<'_>, at: usize) -> Res<ScanCounts> {
    parse_counts(str_of(row.get_ref(at)?)?)
}

pub(super) fn groups_at<T: Word>(row: &Row<'_>, at: usize) -> Res<Vec<(T, ScanCounts)>> {
    parse_grouped(str_of(row.get_ref(at)?)?)
}

/// The columns of `scan_results r` and `result_bodies b` that [`result`] reads.
pub(super) const RESULT: &str = "r.check_id, r.title, r.severity, r.service, r.frameworks, r.result, r.skip, b.reason, \
    b.detected, r.entities, r.content";

/// The FROM clause for [`RESULT`].
pub(super) const RESULTS_FROM: &str = "scan_results r JOIN result_bodies b ON b.workspace_id = r.workspace_id AND \
    b.check_id = r.check_id AND b.content = r.content";

pub(super) fn result(row: &Row<'_>) -> Res<ResultRow> {
    let frameworks = str_of(row.get_ref(4)?)?;
    let content: i64 = row.get(10)?;
    Ok(ResultRow {
        check_id: row.get(0)?,
        title: row.get(1)?,
        severity: row.word(2)?,
        service: row.word(3)?,
        frameworks: frameworks
            .split_ascii_whitespace()
            .map(FrameworkId::new)
            .collect(),
        result: row.word(5)?,
        skip: row.word_opt(6)?,
        reason: row.text(7)?,
        detected: row.get(8)?,
        entities: row.count(9)?,
        content: content.cast_unsigned(),
    })
}

/// The additional columns that [`detail`] reads after [`RESULT`].
pub(super) const DETAIL: &str = "b.evidence, b.entities, b.would_pass";

pub(super) fn detail(row: &Row<'_>) -> Res<ResultDetail> {
    let would_pass: Option<String> = row.get(13)?;
    Ok(ResultDetail {
        row: result(row)?,
        evidence: row.get(11)?,
        entities: parse_entities(str_of(row.get_ref(12)?)?)?,
        would_pass: would_pass.as_deref().map(parse_would_pass).transpose()?,
    })
}

/// The kind, id and name of an entity.
type StoredEntity = (String, String, String);

/// A condition and the excluded ids.
type StoredCondition = (String, Vec<String>);

fn damaged(error: &serde_json::Error) -> Fault {
    Fault::Damaged("result_bodies", error.to_string())
}

pub(super) fn entities_text(entities: &[CheckEntity]) -> Res<String> {
    let stored: Vec<StoredEntity> = entities
        .iter()
        .map(|entity| {
            (
                entity.kind.clone(),
                entity.id.clone(),
                entity.name.untrusted().to_owned(),
            )
        })
        .collect();
    serde_json::to_string(&stored).map_err(|error| damaged(&error))
}

fn parse_entities(text: &str) -> Res<Vec<CheckEntity>> {
    let stored: Vec<StoredEntity> = serde_json::from_str(text).map_err(|error| damaged(&error))?;
    Ok(stored
        .into_iter()
        .map(|(kind, id, name)| CheckEntity {
            kind,
            id,
            name: ForeignText::name(&name),
        })
        .collect())
}

pub(super) fn would_pass_text(condition: Option<&WouldPass>) -> Res<Option<String>> {
    condition
        .map(|condition| {
            let stored: StoredCondition = (
                condition.condition.untrusted().to_owned(),
                condition.excluded.clone(),
            );
            serde_json::to_string(&stored).map_err(|error| damaged(&error))
        })
        .transpose()
}

fn parse_would_pass(text: &str) -> Res<WouldPass> {
    let (condition, excluded): StoredCondition =
        serde_json::from_str(text).map_err(|error| damaged(&error))?;
    Ok(WouldPass {
        condition: ForeignText::sentence(&condition),
        excluded,
    })
}

/// The columns of `scan_settings t` that [`setting`] reads.
pub(super) const SETTING: &str = "t.path, t.state, t.detail, t.source, t.read_at, t.hash, t.bytes";

pub(super) fn setting(row: &Row<'_>) -> Res<SettingRow> {
    Ok(SettingRow {
        path: row.get(0)?,
        state: row.word(1)?,
        detail: row.get(2)?,
        source: row.get(3)?,
        read_at: row.time(4)?,
        hash: row.get(5)?,
        bytes: row.count(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchpost_core::check::Framework;

    #[test]
    fn counts_survive_being_stored() {
        let counts = ScanCounts {
            passed: 87,
            failed: 12,
            skipped: [1, 2, 3, 4],
            errors: 5,
            failed_by_severity: [1, 2, 3, 4, 2],
        };
        assert_eq!(parse_counts(&counts_text(&counts)).unwrap(), counts);
        let groups = [
            (Framework::Cis, counts),
            (Framework::Other, ScanCounts::default()),
        ];
        let text = grouped_text(groups.iter().map(|(word, counts)| (word, counts)));
        assert_eq!(parse_grouped::<Framework>(&text).unwrap(), groups);
        assert!(parse_counts("1,2").is_err());
        assert!(parse_grouped::<Framework>("x:1").is_err());
        assert_eq!(parse_grouped::<Framework>("99:1").unwrap(), []);
    }
}
