//! `watchpost init`.

use crate::{
    output::Output,
    session::{Location, Session},
};
use anyhow::Result;
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Add a workspace of this name to an existing file
    #[arg(long, value_name = "NAME")]
    add: Option<String>,
}

pub(crate) async fn run(args: Init, location: &Location, output: Output) -> Result<()> {
    let made = Session::init(location, args.add.as_deref()).await?;
    let folder = location.data_dir().display().to_string();
    let json = json!({"data_dir": folder, "workspace": made.workspace, "changed": made.changed});
    let text = match (made.changed, &args.add) {
        (true, None) => format!(
            "Watchpost is set up in {folder}.\nKeep a copy of {folder}/master.key somewhere else: without it the stored credentials can't be opened.\nNext: `watchpost integrations add okta` or `watchpost integrations add m365`."
        ),
        (true, Some(name)) => {
            format!("The workspace `{name}` is there. Name it with `--workspace {name}`; keys know theirs.")
        }
        (false, None) => format!("Nothing changed: Watchpost is set up in {folder} already."),
        (false, Some(name)) => format!("Nothing changed: the workspace `{name}` is there already."),
    };
    Ok(output.answer(&json, &text)?)
}
