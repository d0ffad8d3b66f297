//! `watchpost import`: takes in another scanner's result file.

use crate::{
    command::imports::batch_json,
    failure::{code, fail, from_core},
    output::{Output, Progress, foreign},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use watchpost_core::{
    import::Batch,
    service::{ImportAnswer, ImportRequest},
    value::{id::IntegrationId, text::ForeignText},
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

pub(crate) async fn run(args: Import, session: &Session, output: Output) -> Result<()> {
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

fn answer_json(answer: &ImportAnswer) -> Value {
    let batches: Vec<Value> = answer
        .batches
        .iter()
        .map(|batch| {
            let mut json = batch_json(batch);
            json["integration_is_new"] = answer.created.contains(&batch.integration).into();
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
        lines.push(batch_summary(batch));
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
        let new = if answer.created.contains(&batch.integration) {
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
fn batch_summary(batch: &Batch) -> String {
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
