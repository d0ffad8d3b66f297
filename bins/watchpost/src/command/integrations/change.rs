//! `watchpost integrations pause`, `resume` and `remove`.

use super::{ask, find};
use crate::{
    failure::{code, fail, from_core},
    output::Output,
    session::Session,
    text,
};
use anyhow::Result;
use serde_json::json;
use std::io::{self, IsTerminal as _};
use watchpost_core::integration::{IntegrationAction, IntegrationChange};

/// Asks the person at the terminal to confirm that the data is deleted.
pub(super) fn confirm_removal() -> Result<()> {
    if !io::stdin().is_terminal() {
        return Err(fail(code::USAGE, text::integrations::CONFIRM_REMOVAL_BY_FLAG));
    }
    let answer = ask(text::integrations::CONFIRM_REMOVAL)?;
    if answer.trim() != "remove" {
        return Err(fail(code::FAILED, text::integrations::NOT_REMOVED));
    }
    Ok(())
}

pub(super) async fn run(
    which: &str,
    action: IntegrationAction,
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
        text::integrations::changed(action)
    } else {
        text::integrations::unchanged(action)
    };
    Ok(output.answer(&json!({"id": id, "changed": changed}), text)?)
}
