//! The columns of imports, and their stored forms.

use crate::{
    base::{
        fault::{Fault, Res},
        row::{Columns, str_of},
    },
    text,
};
use rusqlite::Row;
use watchpost_core::{
    check::FrameworkId,
    import::{
        Batch, CheckVerdict, DETAILS_CHARS_MAX, ImportBatchHeader, ImportCounts, ImportedEntity,
        ImportedException, ImportedFile, ImportedResult, ImportedRow, ImportedVerdict, ResultCounts,
        RowError,
    },
    value::{
        id::{BatchId, ImportId, IntegrationId, ScanId},
        text::ForeignText,
    },
};

/// The columns of `import_batches b`, `imports f` and `integrations i` that [`batch`] reads.
pub(super) const BATCH: &str = "b.id, f.id, f.name, f.sha256, f.bytes, f.kept_at, b.format, b.tool, b.tool_version, \
    b.tenant_key, b.tenant_name, b.ran_at, i.id, i.platform, i.name, b.row_count, b.rows_ok, b.rows_skipped, \
    b.rows_not_run, b.partial, b.errors, b.settings, b.results, b.checks, b.scans";

/// The FROM clause for [`BATCH`].
pub(super) const FROM: &str = "import_batches b JOIN imports f ON f.workspace_id = b.workspace_id \
    AND f.import = b.import JOIN integrations i ON i.workspace_id = b.workspace_id AND i.integration = b.integration \
    AND i.removed = 0";

pub(super) fn batch(row: &Row<'_>) -> Res<Batch> {
    Ok(Batch {
        id: row.id(0, BatchId::from_bytes)?,
        file: ImportedFile {
            id: row.id(1, ImportId::from_bytes)?,
            name: row.text(2)?,
            sha256: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            bytes: row.count(4)?,
            imported_at: row.time(5)?,
        },
        header: ImportBatchHeader {
            format: row.word(6)?,
            tool: row.word(7)?,
            tool_version: row.text(8)?,
            tenant_key: row.get(9)?,
            tenant_name: row.text(10)?,
            ran_at: row.time_opt(11)?,
        },
        integration: row.id(12, IntegrationId::from_bytes)?,
        platform: row.word(13)?,
        integration_name: row.text(14)?,
        counts: ImportCounts {
            rows: row.count(15)?,
            rows_ok: row.count(16)?,
            rows_skipped: row.count(17)?,
            rows_not_run: row.count(18)?,
            partial: row.get(19)?,
            errors: parse_errors(str_of(row.get_ref(20)?)?)?,
        },
        settings: row.count(21)?,
        results: parse_counts(str_of(row.get_ref(22)?)?)?,
        checks: row.count(23)?,
        scans: parse_json(str_of(row.get_ref(24)?)?)?,
    })
}

/// The columns of `import_results r` that [`result`] reads.
pub(super) const RESULT: &str = "r.position, r.control, r.check_id, r.title, r.result, r.skip, r.severity, r.service, \
    r.details, r.entity_kind, r.entity_id, r.entity_name, r.frameworks, r.exception, r.exception_reason, \
    r.exception_until, r.fingerprint";

pub(super) fn result(row: &Row<'_>) -> Res<ImportedResult> {
    let entity = match row.get::<_, Option<String>>(9)? {
        Some(kind) => Some(ImportedEntity {
            kind,
            id: row.get(10)?,
            name: row.text(11)?,
        }),
        None => None,
    };
    let exception = match row.word_opt(13)? {
        Some(kind) => Some(ImportedException {
            kind,
            reason: row.text(14)?,
            until: row.time_opt(15)?,
        }),
        None => None,
    };
    let frameworks: Vec<String> = parse_json(str_of(row.get_ref(12)?)?)?;
    Ok(ImportedResult {
        position: row.count(0)?,
        row: ImportedRow {
            control: row.get(1)?,
            check: row.get(2)?,
            title: row.text(3)?,
            result: row.word(4)?,
            skip: row.word_opt(5)?,
            severity: row.word(6)?,
            service: row.word(7)?,
            details: ForeignText::clean(str_of(row.get_ref(8)?)?, DETAILS_CHARS_MAX),
            entity,
            frameworks: frameworks.iter().map(|id| FrameworkId::new(id)).collect(),
            exception,
            fingerprint: row.get(16)?,
        },
    })
}

/// The columns of `import_verdicts v`, `import_batches b` and `imports f` that [`verdict`] reads.
pub(super) const VERDICT: &str = "b.id, b.tool, b.ran_at, f.kept_at, v.check_id, v.control, v.result, v.skip, \
    v.exception, v.reason, v.rows";

pub(super) fn verdict(row: &Row<'_>) -> Res<ImportedVerdict> {
    Ok(ImportedVerdict {
        batch: row.id(0, BatchId::from_bytes)?,
        tool: row.word(1)?,
        ran_at: row.time_opt(2)?,
        imported_at: row.time(3)?,
        verdict: CheckVerdict {
            check: row.get(4)?,
            control: row.get(5)?,
            result: row.word(6)?,
            skip: row.word_opt(7)?,
            exception: row.word_opt(8)?,
            reason: row.text(9)?,
            rows: parse_counts(str_of(row.get_ref(10)?)?)?,
        },
    })
}

fn damaged(error: &serde_json::Error) -> Fault {
    Fault::Damaged("imports", error.to_string())
}

fn parse_json<T: serde::de::DeserializeOwned>(text: &str) -> Res<T> {
    serde_json::from_str(text).map_err(|error| damaged(&error))
}

/// Writes the counts of passed, failed, skipped, errors and excepted, separated by commas.
pub(super) fn counts_text(counts: &ResultCounts) -> String {
    format!(
        "{},{},{},{},{}",
        counts.passed, counts.failed, counts.skipped, counts.errors, counts.excepted
    )
}

fn parse_counts(value: &str) -> Res<ResultCounts> {
    let damaged = || Fault::Damaged("imports", text::MALFORMED_COUNTS.into());
    let numbers: Vec<u64> = value
        .split(',')
        .map(|number| number.parse().map_err(|_| damaged()))
        .collect::<Res<_>>()?;
    let [passed, failed, skipped, errors, excepted] = numbers.as_slice() else {
        return Err(damaged());
    };
    Ok(ResultCounts {
        passed: *passed,
        failed: *failed,
        skipped: *skipped,
        errors: *errors,
        excepted: *excepted,
    })
}

/// Writes the positions and reasons as a JSON array of pairs.
pub(super) fn errors_text(errors: &[RowError]) -> Res<String> {
    let pairs: Vec<(u64, &str)> = errors
        .iter()
        .map(|error| (error.index, error.reason.as_str()))
        .collect();
    serde_json::to_string(&pairs).map_err(|error| damaged(&error))
}

fn parse_errors(text: &str) -> Res<Vec<RowError>> {
    let pairs: Vec<(u64, String)> = parse_json(text)?;
    Ok(pairs
        .into_iter()
        .map(|(index, reason)| RowError { index, reason })
        .collect())
}

pub(super) fn scans_text(scans: &[ScanId]) -> Res<String> {
    serde_json::to_string(scans).map_err(|error| damaged(&error))
}

/// Writes framework ids as a JSON array, since an imported id may contain any character.
pub(super) fn frameworks_text(ids: &[FrameworkId]) -> Res<String> {
    if ids.is_empty() {
        return Ok("[]".into());
    }
    let texts: Vec<&str> = ids.iter().map(FrameworkId::as_str).collect();
    serde_json::to_string(&texts).map_err(|error| damaged(&error))
}
