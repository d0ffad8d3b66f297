//! `watchpost config`.

use crate::output::Output;
use anyhow::Result;
use serde_json::json;
use watchpost_runtime::config::Loaded;

pub(crate) fn show(loaded: &Loaded, output: Output) -> Result<()> {
    let shown = loaded.show();
    let json = json!({"settings": shown.iter().map(|row| json!({
        "key": row.key, "value": row.value, "origin": row.origin.to_string(), "about": row.about,
    })).collect::<Vec<_>>()});
    let table = shown
        .iter()
        .map(|row| {
            vec![
                row.key.to_owned(),
                row.value.clone(),
                row.origin.to_string(),
                row.about.to_owned(),
            ]
        })
        .collect();
    Ok(output.table(&json, &["setting", "value", "origin", "meaning"], table, "")?)
}
