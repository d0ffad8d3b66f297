//! `watchpost report`: writes a report on a scan, or on the difference between two scans.

use crate::{
    command::scan::{ScanChoice, Selection},
    failure::{code, fail, from_core},
    output::Output,
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use watchpost_core::{
    report::{ReportFormat, ReportKind, ReportRequest},
    value::id::ScanId,
};

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The kind of report: executive (a summary for the board), framework (every control) or evidence (everything, for an auditor)
    #[arg(default_value = "executive")]
    kind: ReportKind,
    /// html, markdown, json, csv or ocsf [default: by the extension of the file, otherwise markdown]
    #[arg(long)]
    format: Option<ReportFormat>,
    /// The file to write; `-` is standard output [default: -]
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    choice: ScanChoice,
    /// The earlier scan to compare with [default: the last scan of another day, or the previous one]
    #[arg(long)]
    compare_with: Option<ScanId>,
    /// Report only the differences from the earlier scan
    #[arg(long)]
    difference: bool,
    #[command(flatten)]
    selection: Selection,
}

/// The format with a file's extension.
fn format_of(path: &Path) -> Option<ReportFormat> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    ReportFormat::ALL
        .iter()
        .copied()
        .find(|format| name.ends_with(&format!(".{}", format.extension())))
        .or_else(|| name.ends_with(".htm").then_some(ReportFormat::Html))
}

pub(crate) async fn run(args: Report, session: &Session, output: Output) -> Result<()> {
    let format = args
        .format
        .or_else(|| args.output.as_deref().and_then(format_of))
        .unwrap_or(ReportFormat::Markdown);
    let request = ReportRequest {
        kind: args.kind,
        scan: args.choice.scan,
        scan_type: args.choice.scan_type,
        compare_with: args.compare_with,
        difference: args.difference,
        frameworks: args.selection.framework,
        services: args.selection.service,
    };
    let data = session
        .read(
            "report.made",
            "report",
            session
                .watchpost
                .report_data(&session.scope, &request, args.choice.integration)
                .await,
        )
        .await?;
    let rendered = session
        .watchpost
        .render_report(&data, format)
        .map_err(from_core)?;
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let Some(path) = file else {
        // The report itself is the output, with or without `--json`.
        return match io::stdout().lock().write_all(&rendered.bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        };
    };
    write(path, &rendered.bytes, args.force)?;
    let json = json!({
        "file": path.display().to_string(),
        "kind": args.kind,
        "format": format,
        "scan_id": data.scan.id,
        "bytes": rendered.bytes.len(),
    });
    Ok(output.answer(&json, &text::report::written(path, rendered.bytes.len()))?)
}

fn write(path: &Path, bytes: &[u8], force: bool) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    // A report names a company's weaknesses, so only the file's owner can read it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path);
    match file {
        Ok(mut file) => Ok(file.write_all(bytes)?),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(fail(code::CONFLICT, text::report::file_exists(path)))
        }
        Err(error) => Err(fail(code::FAILED, text::report::unwritable(path, &error))),
    }
}
