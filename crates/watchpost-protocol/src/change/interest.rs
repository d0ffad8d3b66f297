//! What a client wants to hear of.

use crate::{
    capabilities::{Capabilities, Offer},
    json::{RawJson, push_string},
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The most URIs, and the most task ids, of one stream.
pub const INTEREST_MAX: usize = 1024;

/// What one stream wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interest {
    /// That the list of tools changed.
    pub tools: bool,
    /// That the list of prompts changed.
    pub prompts: bool,
    /// That the list of resources changed.
    pub resources: bool,
    /// That one of these resources changed.
    pub uris: BTreeSet<String>,
    /// That one of these tasks changed.
    pub tasks: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default)]
    tools_list_changed: bool,
    #[serde(default)]
    prompts_list_changed: bool,
    #[serde(default)]
    resources_list_changed: bool,
    #[serde(default)]
    resource_subscriptions: BTreeSet<String>,
    #[serde(default)]
    task_ids: BTreeSet<String>,
}

impl Interest {
    /// What a legacy session hears of without asking: every list that is declared to change.
    pub fn of_lists(capabilities: Capabilities) -> Self {
        Self {
            tools: capabilities.tools == Offer::Changing,
            prompts: capabilities.prompts == Offer::Changing,
            resources: capabilities.resources == Offer::Changing,
            ..Self::default()
        }
    }

    /// Reads the filter of `subscriptions/listen`.
    pub(crate) fn read(value: Option<RawJson<'_>>) -> Result<Self, &'static str> {
        // A struct would also be read from an array of its members.
        let filter: Filter = value
            .filter(|value| value.is_object())
            .and_then(|value| value.parse().ok())
            .ok_or("`notifications` has to be an object of flags and of lists of strings")?;
        if filter.resource_subscriptions.len() > INTEREST_MAX || filter.task_ids.len() > INTEREST_MAX {
            return Err("a subscription has at most 1024 resources and 1024 tasks");
        }
        Ok(Self {
            tools: filter.tools_list_changed,
            prompts: filter.prompts_list_changed,
            resources: filter.resources_list_changed,
            uris: filter.resource_subscriptions,
            tasks: filter.task_ids,
        })
    }

    /// The part that a server with these capabilities honours (SUB-04).
    pub(crate) fn honored(self, capabilities: Capabilities) -> Self {
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
