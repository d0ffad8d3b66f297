//! The resource types of configuration snapshots, which have a JSON schema of their own.

use crate::shared::description;
use serde_json::Value;
use std::{collections::BTreeSet, sync::OnceLock};

/// Returns the schemas of the resource types by name, which are read once. Returns `None` if they aren't there.
pub(crate) fn resources() -> Option<&'static serde_json::Map<String, Value>> {
    static RESOURCES: OnceLock<Option<Value>> = OnceLock::new();
    let read = || serde_json::from_str::<Value>(&description("utcm-monitor.json.gz")?).ok();
    RESOURCES.get_or_init(read).as_ref()?.get("$defs")?.as_object()
}

/// Returns the names of all properties.
pub(crate) fn fields() -> BTreeSet<String> {
    let all = resources().into_iter().flat_map(|types| types.values());
    all.filter_map(|schema| schema["properties"].as_object())
        .flat_map(|properties| properties.keys().cloned())
        .collect()
}
