//! `watchpost init`.

use crate::{
    output::Output,
    session::{Location, Session},
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Add a workspace with this name to an existing data folder
    #[arg(long, value_name = "NAME")]
    add: Option<String>,
}

pub(crate) async fn run(args: Init, location: &Location, output: Output) -> Result<()> {
    let outcome = Session::init(location, args.add.as_deref()).await?;
    let folder = location.data_dir().display().to_string();
    let json = json!({"data_dir": folder, "workspace": outcome.workspace, "changed": outcome.changed});
    let text = match (outcome.changed, &args.add) {
        (true, None) => text::init::set_up(&folder),
        (true, Some(name)) => text::init::workspace_added(name),
        (false, None) => text::init::already_set_up(&folder),
        (false, Some(name)) => text::init::workspace_exists(name),
    };
    Ok(output.answer(&json, &text)?)
}
