//! `watchpost backup` and `watchpost restore`.

use crate::{
    failure::{code, fail},
    output::Output,
    session::{Location, Session},
};
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write; must not exist
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// A file that `backup` wrote
    file: PathBuf,
    /// The master key's file that belongs to it; copied into the data folder
    #[arg(long)]
    master_key: Option<PathBuf>,
}

pub(crate) async fn backup(args: &Backup, session: &Session, output: Output) -> Result<()> {
    if args.file.exists() {
        return Err(fail(
            code::CONFLICT,
            format!("`{}` exists: name another file", args.file.display()),
        ));
    }
    session.record("instance.backed_up", "backup").await?;
    session.backup(&args.file).await?;
    let text = format!(
        "Copied to {}. The master key is not in it: keep a copy of that apart.",
        args.file.display()
    );
    Ok(output.answer(&json!({"file": args.file.display().to_string()}), &text)?)
}

pub(crate) fn restore(args: &Restore, location: &Location, output: Output) -> Result<()> {
    if location.is_initialized() {
        return Err(fail(
            code::CONFLICT,
            format!(
                "`{}` holds Watchpost data already: name an empty folder with `--data-dir`",
                location.data_dir().display()
            ),
        ));
    }
    if !args.file.is_file() {
        return Err(fail(
            code::NOT_FOUND,
            format!("`{}` is no file", args.file.display()),
        ));
    }
    location
        .restore(&args.file, args.master_key.as_deref())
        .with_context(|| format!("can't restore {}", args.file.display()))?;
    let text = format!(
        "Restored into {}. `watchpost audit verify` and `watchpost doctor` say whether it is sound.",
        location.data_dir().display()
    );
    Ok(output.answer(
        &json!({"data_dir": location.data_dir().display().to_string()}),
        &text,
    )?)
}
