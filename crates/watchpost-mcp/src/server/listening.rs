//! `resources/subscribe`, `resources/unsubscribe`, `subscriptions/listen`, and the streams behind them.

use super::McpServer;
use crate::{arguments::Reduced, changes::ChangeFeed};
use std::{collections::BTreeSet, sync::Arc};
use watchpost_core::{access::WorkspaceScope, audit::AuditOutcome};
use watchpost_protocol::{Completed, Interest, Outcome};

impl McpServer {
    /// Returns the feed that notifies subscribers of changes. A process that serves clients runs one.
    pub fn change_feed(&self) -> ChangeFeed {
        ChangeFeed {
            watchpost: self.watchpost.clone(),
            cursors: self.cursors.clone(),
            audit_key: self.audit_key.clone(),
            subscriptions: Arc::clone(&self.subscriptions),
        }
    }

    /// Subscribes a legacy session to a resource. A URI that names no resource is not an error: its subscription never
    /// notifies.
    pub(super) async fn subscribe(&self, scope: &Arc<WorkspaceScope>, uri: &str) -> Outcome {
        let uris = BTreeSet::from([uri.to_owned()]);
        self.change_feed().prepare(scope, &uris, true).await;
        let mut reduced = Reduced::new(&self.audit_key);
        reduced.secret("uri", uri);
        self.acknowledge(scope, "resources/subscribe", reduced).await
    }

    /// Ends a legacy session's subscription to a resource.
    pub(super) async fn unsubscribe(&self, scope: &WorkspaceScope, uri: &str) -> Outcome {
        let mut reduced = Reduced::new(&self.audit_key);
        reduced.secret("uri", uri);
        self.acknowledge(scope, "resources/unsubscribe", reduced).await
    }

    /// Opens a modern stream.
    pub(super) async fn listen(&self, scope: &Arc<WorkspaceScope>, interest: &Interest) -> Outcome {
        self.change_feed()
            .prepare(scope, &interest.uris, interest.resources)
            .await;
        let count = |n: usize| i64::try_from(n).ok().filter(|n| *n > 0);
        let mut reduced = Reduced::new(&self.audit_key);
        for (name, set) in [
            ("resources", interest.uris.len()),
            ("tasks", interest.tasks.len()),
        ] {
            if let Some(n) = count(set) {
                reduced.number(name, n);
            }
        }
        let uris: Vec<&str> = interest.uris.iter().map(String::as_str).collect();
        if !uris.is_empty() {
            reduced.secret("uris", &uris.join("\n"));
        }
        self.acknowledge(scope, "subscriptions/listen", reduced).await
    }

    async fn acknowledge(
        &self,
        scope: &WorkspaceScope,
        method: &'static str,
        reduced: Reduced<'_>,
    ) -> Outcome {
        let recorded = self
            .record_outcome(scope, ("subscription", method), reduced, AuditOutcome::Ok)
            .await;
        match recorded {
            Ok(()) => Outcome::Complete(Completed::Acknowledged),
            Err(error) => Outcome::Error(error),
        }
    }
}
