//! `watchpost integrations confirm-shrink`.

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
use watchpost_core::integration::{Shrink, fact::Dataset};

pub(super) async fn run(
    which: &str,
    dataset: Dataset,
    yes: bool,
    session: &Session,
    output: Output,
) -> Result<()> {
    let id = find(which, session).await?;
    let read = session.watchpost.integrations(&session.scope).await;
    let (rows, ..) = session
        .read("integration.read", "integrations confirm-shrink", read)
        .await?;
    let row = rows
        .iter()
        .find(|row| row.id == id)
        .ok_or_else(|| fail(code::NOT_FOUND, text::integrations::NOT_FOUND))?;
    let collection = row.collection(dataset);
    if let Some(shrink) = collection.and_then(|collection| collection.shrink())
        && !yes
    {
        confirm(&text::integrations::shrink(row.platform, dataset, shrink))?;
    }
    // Without a shrink, the use case says why there is nothing to confirm.
    let seen = collection.map_or(0, |collection| collection.rows);
    let call = session.call(
        "integrations confirm-shrink",
        &json!({"dataset": dataset, "rows": seen}),
    );
    let done = session
        .watchpost
        .confirm_shrink(&session.scope, id, dataset, seen, call)
        .await
        .map_err(from_core)?;
    let Shrink { from, to } = done.shrink;
    let json =
        json!({"id": id, "dataset": dataset, "rows_before": from, "rows": to, "changed": done.changed});
    let text = if done.changed {
        text::integrations::shrink_confirmed(dataset, done.shrink)
    } else {
        text::integrations::shrink_confirmed_before(dataset, done.shrink)
    };
    Ok(output.answer(&json, &text)?)
}

/// Shows what shrank to the person at the terminal, and asks whether it is right.
fn confirm(explanation: &str) -> Result<()> {
    if !io::stdin().is_terminal() {
        return Err(fail(
            code::USAGE,
            text::integrations::confirm_shrink_by_flag(explanation),
        ));
    }
    let answer = ask(&text::integrations::confirm_shrink(explanation))?;
    if answer.trim() != "confirm" {
        return Err(fail(code::FAILED, text::integrations::NOT_CONFIRMED));
    }
    Ok(())
}
