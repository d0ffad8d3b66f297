//! `watchpost import`: imports another scanner's result file.

use crate::{
    command::imports::batch_json,
    failure::{code, fail, from_core},
    output::{Output, Progress},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
};
use watchpost_core::{
    service::{ImportAnswer, ImportRequest},
    value::{id::IntegrationId, text::ForeignText},
};
use watchpost_runtime::import::{read_file, read_folder};

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The result file, plain or compressed (gzip, zip), or a folder of such files; `-` reads standard input
    file: PathBuf,
    /// The integration that the results belong to [default: that of the file's tenant, created if necessary]
    #[arg(long, value_name = "ID")]
    integration: Option<IntegrationId>,
    /// Import the file even if its tenant is not that of the integration
    #[arg(long, requires = "integration")]
    other_tenant: bool,
}

pub(crate) async fn run(args: Import, session: &Session, output: Output) -> Result<()> {
    let (source, name) = open(&args.file)?;
    let progress = Progress::start(text::import::READING);
    let request = ImportRequest {
        file_name: ForeignText::name(&name),
        integration: args.integration,
        any_tenant: args.other_tenant,
    };
    // The file's name may name people or customers: it is stored with the import, but not in the audit trail.
    let call = session.call(
        "import",
        &json!({"integration_id": args.integration, "other_tenant": args.other_tenant, "stdin": name.is_empty()}),
    );
    let mut feed =
        read_file(source, &session.watchpost).map_err(|error| fail(code::FAILED, error.to_string()))?;
    let show = |rows: u64| progress.show(text::import::rows_read(rows));
    let answer = session
        .watchpost
        .import(&session.scope, &mut feed, request, call, &show)
        .await;
    progress.finish();
    let answer = answer.map_err(from_core)?;
    output.answer(&answer_json(&answer), &text::import::answer(&answer))?;
    Ok(())
}

/// Opens the file. Returns its reader and its name, which is empty for standard input.
fn open(path: &Path) -> Result<(Box<dyn Read + Send>, String)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), String::new()));
    }
    let failed = |error: &io::Error| {
        let code = match error.kind() {
            io::ErrorKind::NotFound => code::NOT_FOUND,
            _ => code::FAILED,
        };
        fail(code, text::import::unreadable(path, error))
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let is_folder = file.metadata().map_err(|error| failed(&error))?.is_dir();
    let source: Box<dyn Read + Send> = if is_folder {
        let packed = read_folder(path).map_err(|error| failed(&error))?;
        Box::new(Cursor::new(
            packed.ok_or_else(|| fail(code::USAGE, text::import::empty_folder(path)))?,
        ))
    } else {
        Box::new(file)
    };
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    Ok((source, name))
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
