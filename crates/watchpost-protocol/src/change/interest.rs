//! The changes that a client subscribes to.

use crate::{
    capabilities::{Capabilities, Offer},
    json::{RawJson, null_is_absent, push_string},
    text,
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The maximum number of URIs, and of task ids, in one subscription.
pub const INTEREST_MAX: usize = 1024;

/// The changes that one stream is interested in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interest {
    /// Changes of the list of tools.
    pub tools: bool,
    /// Changes of the list of prompts.
    pub prompts: bool,
    /// Changes of the list of resources.
    pub resources: bool,
    /// The URIs of resources whose changes are wanted.
    pub uris: BTreeSet<String>,
    /// The ids of tasks whose changes are wanted.
    pub tasks: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default, deserialize_with = "null_is_absent")]
    tools_list_changed: bool,
    #[serde(default, deserialize_with = "null_is_absent")]
    prompts_list_changed: bool,
    #[serde(default, deserialize_with = "null_is_absent")]
    resources_list_changed: bool,
    #[serde(default, deserialize_with = "null_is_absent")]
    resource_subscriptions: BTreeSet<String>,
    #[serde(default, deserialize_with = "null_is_absent")]
    task_ids: BTreeSet<String>,
}

impl Interest {
    /// Returns the interest of a legacy session without subscriptions: every list that is declared to change.
    pub fn of_lists(capabilities: Capabilities) -> Self {
        Self {
            tools: capabilities.tools == Offer::Changing,
            prompts: capabilities.prompts == Offer::Changing,
            resources: capabilities.resources == Offer::Changing,
            ..Self::default()
        }
    }

    /// Reads the filter of `subscriptions/listen`. Returns the error message if it is invalid.
    pub(crate) fn read(value: Option<RawJson<'_>>) -> Result<Self, &'static str> {
        // Serde would also accept an array of the members.
        let filter: Filter = value
            .filter(|value| value.is_object())
            .and_then(|value| value.parse().ok())
            .ok_or(text::SUBSCRIPTION_FILTER)?;
        if filter.resource_subscriptions.len() > INTEREST_MAX || filter.task_ids.len() > INTEREST_MAX {
            return Err(text::SUBSCRIPTION_TOO_LARGE);
        }
        Ok(Self {
            tools: filter.tools_list_changed,
            prompts: filter.prompts_list_changed,
            resources: filter.resources_list_changed,
            uris: filter.resource_subscriptions,
            tasks: filter.task_ids,
        })
    }

    /// Returns the part that a server with these capabilities offers (SUB-04).
    pub(crate) fn restrict_to(self, capabilities: Capabilities) -> Self {
        let lists = Self::of_lists(capabilities);
        Self {
            tools: self.tools && lists.tools,
            prompts: self.prompts && lists.prompts,
            resources: self.resources && lists.resources,
            uris: if capabilities.resource_subscriptions {
                self.uris
            } else {
                BTreeSet::new()
            },
            tasks: if capabilities.tasks {
                self.tasks
            } else {
                BTreeSet::new()
            },
        }
    }

    pub(super) fn push(&self, out: &mut Vec<u8>) {
        let mut first = true;
        let mut key = |out: &mut Vec<u8>, name: &str| {
            out.push(if std::mem::take(&mut first) { b'{' } else { b',' });
            push_string(out, name);
            out.push(b':');
        };
        let flags = [
            ("toolsListChanged", self.tools),
            ("promptsListChanged", self.prompts),
            ("resourcesListChanged", self.resources),
        ];
        for (name, _) in flags.into_iter().filter(|(_, wanted)| *wanted) {
            key(out, name);
            out.extend_from_slice(b"true");
        }
        let lists = [("resourceSubscriptions", &self.uris), ("taskIds", &self.tasks)];
        for (name, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            key(out, name);
            for (index, value) in values.iter().enumerate() {
                out.push(if index > 0 { b',' } else { b'[' });
                push_string(out, value);
            }
            out.push(b']');
        }
        if first {
            out.push(b'{');
        }
        out.push(b'}');
    }
}
