//! `watchpost backup` and `watchpost restore`.

use crate::{
    failure::{code, fail, from_backup},
    output::Output,
    session::{Location, Session},
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write, which must not exist; its manifest is written beside it
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file that `watchpost backup` wrote
    #[arg(required_unless_present = "accept")]
    file: Option<PathBuf>,
    /// The file with the backup's master key, which is copied into the data folder [default: the key in the folder]
    #[arg(long, requires = "file")]
    master_key: Option<PathBuf>,
    /// Accept that the database is older than its checkpoint, or another one; audited
    #[arg(long)]
    accept: bool,
}

pub(crate) async fn backup(args: &Backup, sessions: &[Session], output: Output) -> Result<()> {
    if args.file.exists() {
        return Err(fail(code::CONFLICT, text::backup::file_exists(&args.file)));
    }
    // The copy holds all workspaces, so the log of each tells of it.
    for session in sessions {
        session.record("instance.backed_up", "backup").await?;
    }
    if let Some(session) = sessions.first() {
        session.backup(&args.file).await?;
    }
    Ok(output.answer(
        &json!({"file": args.file.display().to_string()}),
        &text::backup::copied(&args.file),
    )?)
}

pub(crate) async fn restore(args: &Restore, location: &Location, output: Output) -> Result<()> {
    if let Some(file) = &args.file {
        restore_file(file, args, location, output)?;
        if !args.accept
            && let Some(problem) = location.contradiction().await?
        {
            output.alarm(&text::audit::contradiction(&problem));
        }
    }
    if args.accept {
        accept(location, output).await?;
    }
    Ok(())
}

fn restore_file(file: &Path, args: &Restore, location: &Location, output: Output) -> Result<()> {
    let restored = location
        .restore(file, args.master_key.as_deref())
        .map_err(from_backup)?;
    if !restored.has_manifest {
        output.note(&text::backup::no_manifest(file));
    }
    Ok(output.answer(
        &json!({"data_dir": location.data_dir().display().to_string(), "has_manifest": restored.has_manifest}),
        &text::backup::restored(location.data_dir()),
    )?)
}

async fn accept(location: &Location, output: Output) -> Result<()> {
    let (accepted, active_keys) = location.accept().await?;
    let gaps: Option<Vec<_>> = accepted.as_ref().map(|gaps| {
        gaps.iter()
            .map(|gap| json!({"workspace": gap.workspace, "problem": gap.contradiction.to_string()}))
            .collect()
    });
    let said = if accepted.is_some() {
        text::backup::accepted(active_keys)
    } else {
        text::backup::NOTHING_TO_ACCEPT.to_owned()
    };
    Ok(output.answer(
        &json!({"accepted": accepted.is_some(), "gaps": gaps.unwrap_or_default(), "active_keys": active_keys}),
        &said,
    )?)
}
