//! `watchpost import`: takes in another scanner's result file; `watchpost imports`: what was taken in.

use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress, foreign},
    session::Session,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use watchpost_core::{
    check::CheckResult,
    import::{
        Batch, BatchQuery, Difference, Disagreement, ImportTool, ImportedQuery, ImportedResult, RowError,
    },
    service::{DisagreementAnswer, ImportAnswer, ImportRequest},
    value::{
        id::{BatchId, IntegrationId},
        text::ForeignText,
    },
};
use watchpost_runtime::import::read_file;

/// Unreadable rows that are told one by one to people; JSON has all that are kept.
const ERRORS_SHOWN: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The result file, plain or packed (gzip, zip); `-` reads standard input
    file: PathBuf,
    /// The integration that it is about [default: that of the tenant in the file, made if there is none]
    #[arg(long, value_name = "ID")]
    integration: Option<IntegrationId>,
    /// Takes the file although it names another tenant than the integration
    #[arg(long, requires = "integration")]
    other_tenant: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Imports {
    /// Lists imported batches, newest import first
    List(List),
    /// Lists the results of a batch
    Results(Results),
    /// Lists checks about which another tool's latest run and our latest scan don't say the same
    Disagreements {
        /// Only of this integration
        #[arg(long, value_name = "ID")]
        integration: Option<IntegrationId>,
        /// Only where one passed what the other failed
        #[arg(long)]
        opposite: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this integration
    #[arg(long, value_name = "ID")]
    integration: Option<IntegrationId>,
    /// Only of this tool: scubagear, scubagoggles, prowler, maester, watchpost, ocsf
    #[arg(long)]
    tool: Option<ImportTool>,
    /// Only older than this batch
    #[arg(long, value_name = "ID")]
    before: Option<BatchId>,
    /// How many at the most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The batch
    batch: BatchId,
    /// Only about this check of ours
    #[arg(long)]
    check: Option<String>,
    /// Only of this control of the tool
    #[arg(long)]
    control: Option<String>,
    /// Only with this result: passed, failed, skipped, error
    #[arg(long)]
    result: Option<CheckResult>,
    /// Only behind this position
    #[arg(long)]
    after: Option<u64>,
    /// How many at the most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

pub(crate) async fn import(args: Import, session: &Session, output: Output) -> Result<()> {
    let (source, name) = open(&args.file)?;
    let progress = Progress::start("reading the file");
    let request = ImportRequest {
        file_name: ForeignText::name(&name),
        integration: args.integration,
        any_tenant: args.other_tenant,
    };
    // The file's name may name people or customers: it stands with the import, not in the trail.
    let call = session.call(
        "import",
        &json!({"integration_id": args.integration, "other_tenant": args.other_tenant, "stdin": name.is_empty()}),
    );
    let mut feed =
        read_file(source, &session.watchpost).map_err(|error| fail(code::FAILED, error.to_string()))?;
    let show = |rows: u64| progress.show(format!("{rows} rows read"));
    let answer = session
        .watchpost
        .import(&session.scope, &mut feed, request, call, &show)
        .await;
    progress.finish();
    let answer = answer.map_err(from_core)?;
    output.answer(&answer_json(&answer), &answer_text(&answer))?;
    Ok(())
}

/// The file, and its name; standard input has none.
fn open(path: &Path) -> Result<(Box<dyn Read + Send>, String)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), String::new()));
    }
    let failed = |error: &io::Error| {
        let code = match error.kind() {
            io::ErrorKind::NotFound => code::NOT_FOUND,
            _ => code::FAILED,
        };
        fail(code, format!("can't read {}: {error}", path.display()))
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    if file.metadata().map_err(|error| failed(&error))?.is_dir() {
        return Err(fail(
            code::USAGE,
            format!(
                "{} is a folder: name its result file, or a zip file of the folder",
                path.display()
            ),
        ));
    }
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    Ok((Box::new(file), name))
}

fn errors_json(errors: &[RowError]) -> Vec<Value> {
    errors
        .iter()
        .map(|error| json!({"row": error.index, "reason": error.reason}))
        .collect()
}

fn batch_json(batch: &Batch) -> Value {
    let counts = &batch.counts;
    json!({
        "id": batch.id,
        "import_id": batch.file.id,
        "file": batch.file.name,
        "imported_at": batch.file.imported_at,
        "tool": batch.header.tool,
        "tool_version": batch.header.tool_version,
        "format": batch.header.format,
        "tenant": batch.header.tenant_key,
        "tenant_name": batch.header.tenant_name,
        "ran_at": batch.header.ran_at,
        "integration_id": batch.integration,
        "integration_name": batch.integration_name,
        "platform": batch.platform,
        "rows": counts.rows,
        "rows_ok": counts.rows_ok,
        "rows_skipped": counts.rows_skipped,
        "rows_not_run": counts.rows_not_run,
        "partial": counts.partial,
        "errors": errors_json(&counts.errors),
        "results": {
            "passed": batch.results.passed,
            "failed": batch.results.failed,
            "skipped": batch.results.skipped,
            "error": batch.results.errors,
            "excepted": batch.results.excepted,
        },
        "checks": batch.checks,
        "settings": batch.settings,
        "scans": batch.scans,
    })
}

fn answer_json(answer: &ImportAnswer) -> Value {
    let batches: Vec<Value> = answer
        .batches
        .iter()
        .map(|batch| {
            let mut json = batch_json(batch);
            json["integration_is_new"] = answer.made.contains(&batch.integration).into();
            json
        })
        .collect();
    let ignored: Vec<Value> = answer
        .report
        .ignored
        .iter()
        .map(|(name, reason)| json!({"file": name, "reason": reason}))
        .collect();
    json!({
        "import_id": answer.import,
        "already_imported": answer.already_imported,
        "sha256": answer.report.sha256,
        "bytes": answer.report.bytes,
        "batches": batches,
        "ignored": ignored,
    })
}

fn answer_text(answer: &ImportAnswer) -> String {
    let mut lines = Vec::new();
    if answer.already_imported {
        lines.push("The same file was imported before; nothing was changed.".to_owned());
    }
    for batch in &answer.batches {
        lines.push(sentence(batch));
        let counts = &batch.counts;
        let mut notes = Vec::new();
        if counts.partial {
            notes.push(
                "rows are missing at the file's end: let the tool finish, then import it anew".to_owned(),
            );
        }
        for error in counts.errors.iter().take(ERRORS_SHOWN) {
            notes.push(format!("row {} was left out: {}", error.index, error.reason));
        }
        let more = counts
            .rows_skipped
            .saturating_sub(counts.errors.len().min(ERRORS_SHOWN) as u64);
        if more > 0 {
            notes.push(format!("{more} more rows were left out"));
        }
        if batch.checks > 0 {
            notes.push(format!(
                "{} of our checks are about the same controls: `watchpost imports disagreements` compares",
                batch.checks
            ));
        }
        for scan in &batch.scans {
            notes.push(format!("its settings were judged by our checks: scan {scan}"));
        }
        let new = if answer.made.contains(&batch.integration) {
            ", new"
        } else {
            ""
        };
        notes.push(format!(
            "integration {} ({}{new})",
            batch.integration,
            foreign(&batch.integration_name)
        ));
        lines.extend(notes.into_iter().map(|note| format!("  {note}")));
    }
    for (name, reason) in &answer.report.ignored {
        lines.push(format!("left alone: {}: {reason}", foreign(name)));
    }
    lines.join("\n")
}

/// `ScubaGear 1.8.0, Birchworks: 5 rows, 5 taken in (3 passed, 2 failed)`.
fn sentence(batch: &Batch) -> String {
    let (counts, results) = (&batch.counts, &batch.results);
    let mut head = batch.header.tool.title().to_owned();
    for part in [
        foreign(&batch.header.tool_version),
        if batch.header.tenant_name.is_empty() {
            batch.header.tenant_key.clone()
        } else {
            foreign(&batch.header.tenant_name)
        },
    ] {
        if !part.is_empty() {
            head.push_str(if head.contains(' ') { ", " } else { " " });
            head.push_str(&part);
        }
    }
    let mut parts = Vec::new();
    if counts.rows > 0 || batch.settings == 0 {
        let judged: Vec<String> = [
            (results.passed, "passed"),
            (results.failed, "failed"),
            (results.skipped, "skipped"),
            (results.errors, "in error"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
        let judged = if judged.is_empty() {
            String::new()
        } else {
            format!(" ({})", judged.join(", "))
        };
        parts.push(format!(
            "{} rows, {} taken in{judged}",
            counts.rows, counts.rows_ok
        ));
    }
    for (count, words) in [
        (counts.rows_skipped, "left out"),
        (counts.rows_not_run, "not run by the tool"),
        (batch.settings, "settings"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    format!("{head}: {}", parts.join(", "))
}

pub(crate) async fn imports(command: Imports, session: &Session, output: Output) -> Result<()> {
    match command {
        Imports::List(list) => list_batches(list, session, output).await,
        Imports::Results(results) => list_results(results, session, output).await,
        Imports::Disagreements {
            integration,
            opposite,
        } => disagreements(integration, opposite, session, output).await,
    }
}

async fn list_batches(list: List, session: &Session, output: Output) -> Result<()> {
    let query = BatchQuery {
        integration: list.integration,
        import: None,
        tool: list.tool,
        before: list.before,
        limit: usize::from(list.limit),
    };
    let page = session
        .watchpost
        .import_batches(&session.scope, &query)
        .await
        .map_err(from_core)?;
    session.record("import.listed", "imports list").await?;
    let json = json!({
        "batches": page.batches.iter().map(batch_json).collect::<Vec<_>>(),
        "total": page.total,
        "more": page.more,
    });
    let rows = page
        .batches
        .iter()
        .map(|batch| {
            vec![
                batch.id.to_string(),
                batch.file.imported_at.to_string(),
                batch.header.tool.to_string(),
                foreign(&batch.integration_name),
                batch.counts.rows_ok.to_string(),
                batch.results.failed.to_string(),
                batch.counts.rows_skipped.to_string(),
                batch.settings.to_string(),
            ]
        })
        .collect();
    let titles = [
        "id", "imported", "tool", "about", "rows", "failed", "left out", "settings",
    ];
    Ok(output.table(&json, &titles, rows, "Nothing was imported yet.")?)
}

fn result_json(result: &ImportedResult) -> Value {
    let row = &result.row;
    json!({
        "position": result.position,
        "control": row.control,
        "check_id": row.check,
        "title": row.title,
        "result": row.result,
        "skip_reason": row.skip,
        "severity": row.severity,
        "service": row.service,
        "details": row.details,
        "entity": row.entity.as_ref().map(|entity| json!({"type": entity.kind, "id": entity.id, "name": entity.name})),
        "frameworks": row.frameworks.iter().map(watchpost_core::check::FrameworkId::as_str).collect::<Vec<_>>(),
        "exception": row.exception.as_ref().map(|exception| json!({
            "kind": exception.kind, "reason": exception.reason, "until": exception.until,
        })),
    })
}

async fn list_results(args: Results, session: &Session, output: Output) -> Result<()> {
    let query = ImportedQuery {
        check: args.check,
        control: args.control,
        result: args.result,
        after: args.after,
        limit: usize::from(args.limit),
    };
    let (batch, page) = session
        .watchpost
        .imported_results(&session.scope, args.batch, &query)
        .await
        .map_err(from_core)?;
    session.record("import.read", "imports results").await?;
    let json = json!({
        "batch": batch_json(&batch),
        "results": page.results.iter().map(result_json).collect::<Vec<_>>(),
        "more": page.more,
    });
    let rows = page
        .results
        .iter()
        .map(|result| {
            let row = &result.row;
            let entity = row.entity.as_ref().map_or_else(String::new, |entity| {
                if entity.name.is_empty() {
                    entity.id.clone()
                } else {
                    foreign(&entity.name)
                }
            });
            vec![
                result.position.to_string(),
                row.result.to_string(),
                row.severity.to_string(),
                row.control.clone(),
                row.check.clone().unwrap_or_default(),
                entity,
                foreign(&ForeignText::clean(row.details.untrusted(), 120)),
            ]
        })
        .collect();
    let titles = [
        "at",
        "result",
        "severity",
        "control",
        "our check",
        "about",
        "details",
    ];
    output.table(&json, &titles, rows, "No result fits.")?;
    if page.more && !output.json {
        output.note("There are more: raise --limit, or go on with --after.");
    }
    Ok(())
}

fn disagreement_json(row: &Disagreement) -> Value {
    let (ours, theirs) = (&row.ours, &row.theirs);
    let verdict = &theirs.verdict;
    json!({
        "check_id": ours.row.check_id,
        "title": ours.row.title,
        "severity": ours.row.severity,
        "service": ours.row.service,
        "difference": row.difference,
        "ours": {
            "scan_id": ours.scan,
            "at": ours.at,
            "result": ours.row.result,
            "skip_reason": ours.row.skip,
            "reason": ours.row.reason,
        },
        "theirs": {
            "tool": theirs.tool,
            "batch_id": theirs.batch,
            "ran_at": theirs.ran_at,
            "imported_at": theirs.imported_at,
            "control": verdict.control,
            "result": verdict.result,
            "skip_reason": verdict.skip,
            "exception": verdict.exception,
            "reason": verdict.reason,
            "rows": {
                "passed": verdict.rows.passed,
                "failed": verdict.rows.failed,
                "skipped": verdict.rows.skipped,
                "error": verdict.rows.errors,
            },
        },
    })
}

async fn disagreements(
    integration: Option<IntegrationId>,
    opposite: bool,
    session: &Session,
    output: Output,
) -> Result<()> {
    let mut answers = session
        .watchpost
        .disagreements(&session.scope, integration)
        .await
        .map_err(from_core)?;
    if opposite {
        for answer in &mut answers {
            answer.rows.retain(|row| row.difference == Difference::Opposite);
        }
    }
    session.record("import.compared", "imports disagreements").await?;
    let json = json!({"integrations": answers.iter().map(|answer| json!({
        "integration_id": answer.integration.id,
        "platform": answer.integration.platform,
        "name": answer.integration.name,
        "compared": answer.compared,
        "disagreements": answer.rows.iter().map(disagreement_json).collect::<Vec<_>>(),
    })).collect::<Vec<_>>()});
    if output.json {
        return Ok(output.line(&json.to_string())?);
    }
    if answers.is_empty() {
        return Ok(output.line("Nothing was imported yet.")?);
    }
    for answer in &answers {
        output.line(&headline(answer))?;
        let rows: Vec<Vec<String>> = answer.rows.iter().map(disagreement_cells).collect();
        if !rows.is_empty() {
            let titles = ["check", "severity", "ours", "theirs", "we say", "they say"];
            output.table(&json, &titles, rows, "")?;
        }
    }
    Ok(())
}

fn headline(answer: &DisagreementAnswer) -> String {
    let name = foreign(&answer.integration.name);
    if answer.compared == 0 {
        return format!(
            "{name} ({}): nothing to compare: it needs an import and a completed scan that speak of the same checks",
            answer.integration.id
        );
    }
    format!(
        "{name} ({}): {} verdicts compared, {} differ",
        answer.integration.id,
        answer.compared,
        answer.rows.len()
    )
}

fn disagreement_cells(row: &Disagreement) -> Vec<String> {
    let short = |text: &ForeignText| foreign(&ForeignText::clean(text.untrusted(), 100));
    let verdict = &row.theirs.verdict;
    let aside = verdict
        .exception
        .map_or_else(String::new, |kind| format!(" ({kind})"));
    vec![
        row.ours.row.check_id.clone(),
        row.ours.row.severity.to_string(),
        row.ours.row.result.to_string(),
        format!("{}{aside}", verdict.result),
        short(&row.ours.row.reason),
        format!(
            "{} {}: {}",
            row.theirs.tool.title(),
            verdict.control,
            short(&verdict.reason)
        ),
    ]
}
