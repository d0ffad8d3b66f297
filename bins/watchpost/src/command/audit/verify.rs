//! `watchpost audit verify`.

use super::hex;
use crate::{
    failure::{code, fail, from_store},
    output::{Output, Progress},
    session::Location,
    text,
};
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};
use watchpost_core::{
    audit::{ChainVerdict, checkpoint::Checkpoint},
    job::WorkspaceRow,
};
use watchpost_runtime::checkpoint::{History, StoredCheckpoints, Verified, VerifyingKey, read_checkpoints};

/// Maximum length of a line of an export.
const LINE_BYTES_MAX: u64 = 1_024 * 1_024;

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The file of checkpoints to compare with [default: that of this instance]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The key that must have signed the checkpoints, as their line `vkey` names it [default: that of master.key]
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// An earlier export of the workspace to compare with
    #[arg(long, value_name = "EXPORT")]
    against: Option<PathBuf>,
}

pub(crate) async fn verify(args: Verify, location: &Location, output: Output) -> Result<()> {
    let history = location.open_history()?;
    let workspaces = location.select(history.workspaces().await.map_err(from_store)?)?;
    let trusted = match &args.key {
        Some(key) => Some(
            VerifyingKey::parse(key)
                .map_err(|error| fail(code::USAGE, error.to_string()))?
                .0,
        ),
        None => history.key().copied(),
    };
    let mut problems = Vec::new();
    let checkpoints = checkpoints(&args, &history, trusted.as_ref(), output, &mut problems)?;
    for mismatch in history.compare(&checkpoints).await.map_err(from_store)? {
        // Those of the selected workspaces are found below, with their rows.
        if workspaces.iter().all(|row| row.id != mismatch.workspace) && location.workspace().is_none() {
            problems.push(text::audit::workspace_problem(
                &mismatch.workspace,
                &mismatch.contradiction,
            ));
        }
    }
    for workspace in &workspaces {
        let checkpoint = checkpoints.iter().find(|taken| taken.workspace == workspace.id);
        verify_workspace(&history, workspace, checkpoint, output, &mut problems).await?;
    }
    if let Some(export) = &args.against {
        let [workspace] = workspaces.as_slice() else {
            return Err(fail(code::USAGE, text::audit::ONE_WORKSPACE));
        };
        compare_with_export(&history, workspace, export, output, &mut problems).await?;
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(fail(code::PROBLEM_FOUND, problems.join("\n")))
    }
}

fn checkpoints(
    args: &Verify,
    history: &History,
    trusted: Option<&VerifyingKey>,
    output: Output,
    problems: &mut Vec<String>,
) -> Result<Vec<Checkpoint>> {
    let Some(file) = args.checkpoint.as_deref().or_else(|| history.file()) else {
        output.note(text::audit::NO_CHECKPOINT_PLACE);
        return Ok(Vec::new());
    };
    match read_checkpoints(file, trusted) {
        StoredCheckpoints::Missing if args.checkpoint.is_some() => {
            Err(fail(code::NOT_FOUND, text::audit::checkpoint_missing(file)))
        }
        StoredCheckpoints::Missing => {
            output.note(&text::audit::checkpoint_missing(file));
            Ok(Vec::new())
        }
        StoredCheckpoints::Invalid(reason) => {
            problems.push(text::audit::checkpoint_invalid(file, &reason));
            Ok(Vec::new())
        }
        StoredCheckpoints::Valid(checkpoints, _) => {
            if trusted.is_none() {
                output.note(text::audit::KEY_NOT_TRUSTED);
            }
            Ok(checkpoints)
        }
    }
}

async fn verify_workspace(
    history: &History,
    workspace: &WorkspaceRow,
    checkpoint: Option<&Checkpoint>,
    output: Output,
    problems: &mut Vec<String>,
) -> Result<()> {
    let progress = Progress::start(text::audit::VERIFYING);
    let show = |rows| progress.show(text::audit::verified_so_far(rows));
    let Verified { chain, contradiction } = history
        .verify(workspace.id, checkpoint, &show)
        .await
        .map_err(from_store)?;
    progress.finish();
    let mut json = json!({"workspace": workspace.name, "ok": contradiction.is_none()});
    let mut add = |key: &str, value: Value| {
        if let Some(json) = json.as_object_mut() {
            json.insert(key.to_owned(), value);
        }
    };
    if let Some(checkpoint) = checkpoint {
        add(
            "checkpoint",
            json!({"rows": checkpoint.rows(), "at": checkpoint.at, "keys": checkpoint.key_generation}),
        );
    }
    let mut said = None;
    match chain {
        ChainVerdict::Intact { rows, tip } => {
            let tip = hex(&tip);
            add("rows", json!(rows));
            add("tip", json!(tip));
            said = Some(text::audit::chain_intact(
                &workspace.name,
                rows,
                &tip,
                checkpoint.filter(|_| contradiction.is_none()),
            ));
        }
        ChainVerdict::Broken { seq, problem } => {
            add("ok", json!(false));
            add("row", json!(seq));
            add("problem", json!(problem));
            problems.push(text::audit::chain_broken(&workspace.name, seq, &problem));
        }
    }
    if let Some(contradiction) = contradiction {
        add("problem", json!(contradiction.to_string()));
        problems.push(text::audit::workspace_problem(&workspace.name, &contradiction));
    }
    match said {
        _ if output.json => output.line(&json.to_string())?,
        Some(said) => output.line(&said)?,
        None => {}
    }
    Ok(())
}

async fn compare_with_export(
    history: &History,
    workspace: &WorkspaceRow,
    export: &Path,
    output: Output,
    problems: &mut Vec<String>,
) -> Result<()> {
    let unreadable = || text::audit::export_unreadable(export);
    let file = File::open(export).with_context(unreadable)?;
    let Some((seq, row_hash)) = last_row(BufReader::new(file)).with_context(unreadable)? else {
        return Err(fail(code::USAGE, text::audit::not_an_export(export)));
    };
    if history
        .has_row(workspace.id, seq, row_hash)
        .await
        .map_err(from_store)?
    {
        output.note(&text::audit::export_matches(seq));
    } else {
        problems.push(text::audit::export_differs(&workspace.name, seq));
    }
    Ok(())
}

/// The number and the hash of the last row of an export in any of its formats.
fn last_row(mut reader: impl std::io::BufRead) -> std::io::Result<Option<(u64, [u8; 32])>> {
    let mut last = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?
            == 0
        {
            return Ok(last);
        }
        let text = String::from_utf8_lossy(&line);
        last = row(text.trim()).or(last);
    }
}

fn row(line: &str) -> Option<(u64, [u8; 32])> {
    let line = line.trim_start_matches([',', ' ', '[']);
    if line.starts_with('{') {
        let row: Value = serde_json::from_str(line).ok()?;
        return Some((row.get("seq")?.as_u64()?, bytes(row.get("row_hash")?.as_str()?)?));
    }
    let mut cells = line.split(',');
    let seq = cells.next()?.trim_matches('"').parse().ok()?;
    Some((seq, bytes(cells.next_back()?.trim_matches('"'))?))
}

/// Reads 64 hexadecimal digits.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_of_each_format_of_an_export_is_found() {
        let hash = "ab".repeat(32);
        let json = |seq: u64| format!("{{\"seq\":{seq},\"row_hash\":\"{hash}\"}}");
        let check = |export: String, expected| {
            assert_eq!(last_row(export.as_bytes()).unwrap(), expected, "{export}");
        };
        let row = Some((2, [0xab; 32]));
        check(format!("{}\n{}\n", json(1), json(2)), row);
        check(format!("[\n {}\n,{}\n]\n", json(1), json(2)), row);
        check(
            format!("seq,at,row_hash\n\"1\",\"x\",\"{hash}\"\n\"2\",\"a, \"\"b\"\"\",\"{hash}\"\n"),
            row,
        );
        check(String::new(), None);
        check("seq,at\nnothing\n{}\n".into(), None);
    }
}
