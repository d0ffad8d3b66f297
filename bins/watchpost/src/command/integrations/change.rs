//! `watchpost integrations pause`, `resume` and `remove`.

use super::{ask, find};
use crate::{
    failure::{code, fail, from_core},
    output::Output,
    session::Session,
};
use anyhow::Result;
use serde_json::json;
use std::io::{self, IsTerminal as _};
use watchpost_core::integration::{IntegrationAction, IntegrationChange};

/// Asks the person at the terminal whether the data may go.
pub(super) fn confirm_removal() -> Result<()> {
    if !io::stdin().is_terminal() {
        return Err(fail(
            code::USAGE,
            "this deletes the integration's data: repeat it with `--yes`",
        ));
    }
    let answer = ask("This deletes the integration with its data. Type `remove` to go on: ")?;
    if answer.trim() != "remove" {
        return Err(fail(code::FAILED, "nothing was removed"));
    }
    Ok(())
}

pub(super) async fn run(
    which: &str,
    action: IntegrationAction,
    done: &str,
    session: &Session,
    output: Output,
) -> Result<()> {
    let id = find(which, session).await?;
    let call = session.call(
        match action {
            IntegrationAction::Pause => "integrations pause",
            IntegrationAction::Resume => "integrations resume",
            IntegrationAction::Remove => "integrations remove",
        },
        &json!({}),
    );
    let outcome = session
        .watchpost
        .change_integration(&session.scope, id, action, call)
        .await
        .map_err(from_core)?;
    let changed = outcome == IntegrationChange::Changed;
    let text = if changed {
        format!("The integration is {done}.")
    } else {
        format!("Nothing changed: the integration was {done} already.")
    };
    Ok(output.answer(&json!({"id": id, "changed": changed}), &text)?)
}
