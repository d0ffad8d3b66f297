//! `watchpost backup` and `watchpost restore`.

use crate::{
    failure::{code, fail},
    output::Output,
    session::{Location, Session},
    text,
};
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write, which must not exist
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file that `watchpost backup` wrote
    file: PathBuf,
    /// The file with the backup's master key, which is copied into the data folder
    #[arg(long)]
    master_key: Option<PathBuf>,
}

pub(crate) async fn backup(args: &Backup, session: &Session, output: Output) -> Result<()> {
    if args.file.exists() {
        return Err(fail(code::CONFLICT, text::backup::file_exists(&args.file)));
    }
    session.record("instance.backed_up", "backup").await?;
    session.backup(&args.file).await?;
    Ok(output.answer(
        &json!({"file": args.file.display().to_string()}),
        &text::backup::copied(&args.file),
    )?)
}

pub(crate) fn restore(args: &Restore, location: &Location, output: Output) -> Result<()> {
    if location.is_initialized() {
        return Err(fail(
            code::CONFLICT,
            text::backup::folder_in_use(location.data_dir()),
        ));
    }
    if !args.file.is_file() {
        return Err(fail(code::NOT_FOUND, text::backup::not_a_file(&args.file)));
    }
    location
        .restore(&args.file, args.master_key.as_deref())
        .with_context(|| text::backup::restore_failed(&args.file))?;
    Ok(output.answer(
        &json!({"data_dir": location.data_dir().display().to_string()}),
        &text::backup::restored(location.data_dir()),
    )?)
}
