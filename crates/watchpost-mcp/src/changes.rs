//! Notifies subscribers of changes after an analysis or a scan, by this process or any other on the same store.
//!
//! A [`ChangeFeed`] polls each workspace's generation. If it has changed, or the subject is work in progress, the feed reads
//! the subjects of the open streams again, with the code that answers `resources/read`, and publishes those that differ
//! from the previous reading. The first reading is taken before a subscription is answered, so that no change after the
//! answer is missed. A workspace without subscribers is not read.

use crate::{
    arguments::Reduced,
    cursor::CursorKey,
    error::Failure,
    resources::{self, Address, ReadError},
    tasks,
    tool::Caller,
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use watchpost_core::{
    access::{Permission, WorkspaceScope},
    audit::{AuditKey, AuditOutcome, AuditTarget, CallRecord, ReadRecord},
    service::{Reader, Unrecorded, Watchpost},
    value::id::WorkspaceId,
};
use watchpost_protocol::{
    Change, ChangeHub, Changes, Interest, NoChanges, ResourcePage, TaskState, TaskStatus,
};

/// The time for which a reading is stored for a stream that isn't open yet, in milliseconds.
const READING_KEPT_MS: u64 = 60_000;

/// The subject of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    /// The list of resources.
    List,
    /// A resource, by the URI that the client sent.
    Resource(String),
    /// A task.
    Task(String),
}

/// A subject's state when it was last read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// A digest of the subject's whole contents.
    digest: u64,
    /// The workspace's generation before the reading.
    generation: u64,
    /// Whether the subject is work in progress, which may change without a new generation.
    unsettled: bool,
    /// The time of the reading, in monotonic milliseconds.
    at: u64,
}

/// The subscriptions of one workspace.
#[derive(Debug)]
struct WorkspaceSubscriptions {
    hub: ChangeHub,
    /// The scope for reading: that of the latest subscriber. All scopes of a workspace may read the same.
    scope: Mutex<Arc<WorkspaceScope>>,
    readings: Mutex<HashMap<Subject, Reading>>,
    /// The owner of each task.
    tasks: Mutex<HashMap<String, Arc<WorkspaceScope>>>,
}

/// The subscriptions of all workspaces, shared by the server and its feed.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    workspaces: Mutex<HashMap<WorkspaceId, Arc<WorkspaceSubscriptions>>>,
    opened: tokio::sync::Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data is plain, so it stays usable after a panic while the lock was held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WorkspaceSubscriptions {
    fn reading(&self, subject: &Subject) -> Option<Reading> {
        lock(&self.readings).get(subject).copied()
    }

    fn has_reading(&self, subject: &Subject) -> bool {
        lock(&self.readings).contains_key(subject)
    }

    /// Whether a new reading would give the same result.
    fn is_current(&self, subject: &Subject, generation: u64) -> bool {
        lock(&self.readings)
            .get(subject)
            .is_some_and(|reading| reading.generation == generation && !reading.unsettled)
    }

    /// Stores a reading. Returns whether it differs from the previous one; `false` for the first.
    fn record(&self, subject: Subject, reading: Reading) -> bool {
        let before = lock(&self.readings).insert(subject, reading);
        before.is_some_and(|before| before.digest != reading.digest)
    }

    /// Drops readings that no stream needs.
    fn prune(&self, wanted: &Interest, now: u64) {
        lock(&self.readings).retain(|subject, reading| {
            let is_wanted = match subject {
                Subject::List => wanted.resources,
                Subject::Resource(uri) => wanted.uris.contains(uri),
                Subject::Task(id) => wanted.tasks.contains(id),
            };
            is_wanted || now.saturating_sub(reading.at) < READING_KEPT_MS
        });
        lock(&self.tasks).retain(|id, _| wanted.tasks.contains(id));
    }
}

impl Subscriptions {
    fn workspace(&self, scope: &Arc<WorkspaceScope>) -> Arc<WorkspaceSubscriptions> {
        let mut workspaces = lock(&self.workspaces);
        let workspace = workspaces.entry(scope.workspace()).or_insert_with(|| {
            Arc::new(WorkspaceSubscriptions {
                hub: ChangeHub::new(),
                scope: Mutex::new(Arc::clone(scope)),
                readings: Mutex::default(),
                tasks: Mutex::default(),
            })
        });
        lock(&workspace.scope).clone_from(scope);
        Arc::clone(workspace)
    }

    /// Opens a stream for this caller. It reports no tasks but the caller's own.
    pub(crate) fn open(
        &self,
        scope: &Arc<WorkspaceScope>,
        cursors: &CursorKey,
        interest: &Interest,
    ) -> Box<dyn Changes> {
        if !scope.may(Permission::ReadPosture) {
            return Box::new(NoChanges);
        }
        let workspace = self.workspace(scope);
        let owner = Owner {
            scope: Arc::clone(scope),
            cursors: cursors.clone(),
        };
        let interest = owner.permitted(interest);
        let inner = workspace.hub.open(&interest);
        owner.register(&workspace, &interest);
        self.opened.notify_one();
        Box::new(OwnedChanges {
            workspace,
            owner,
            inner,
        })
    }
}

/// The caller that a stream belongs to.
struct Owner {
    scope: Arc<WorkspaceScope>,
    cursors: CursorKey,
}

impl Owner {
    /// Returns the interest without other callers' tasks.
    fn permitted(&self, interest: &Interest) -> Interest {
        let mut interest = interest.clone();
        interest
            .tasks
            .retain(|id| tasks::belongs_to(&self.cursors, &self.scope, id));
        interest
    }
    /// Records the owner of a stream's tasks, once the stream is open.
    fn register(&self, workspace: &WorkspaceSubscriptions, interest: &Interest) {
        let mut owners = lock(&workspace.tasks);
        for id in &interest.tasks {
            owners.insert(id.clone(), Arc::clone(&self.scope));
        }
    }
}

/// A stream that is limited to its caller's own tasks, even when its interest changes.
struct OwnedChanges {
    workspace: Arc<WorkspaceSubscriptions>,
    owner: Owner,
    inner: Box<dyn Changes>,
}

impl Changes for OwnedChanges {
    fn set(&mut self, interest: &Interest) {
        let interest = self.owner.permitted(interest);
        self.inner.set(&interest);
        self.owner.register(&self.workspace, &interest);
    }
    fn poll_next(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Change>> {
        self.inner.poll_next(context)
    }
}

/// Finds changes and publishes them. Each process runs one, created by
/// [`McpServer::change_feed`](crate::McpServer::change_feed).
pub struct ChangeFeed {
    pub(crate) watchpost: Watchpost,
    pub(crate) cursors: CursorKey,
    pub(crate) audit_key: AuditKey,
    pub(crate) subscriptions: Arc<Subscriptions>,
}

impl std::fmt::Debug for ChangeFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangeFeed")
    }
}

impl ChangeFeed {
    /// Waits until there is a subscriber.
    pub async fn wait_for_subscriber(&self) {
        loop {
            let opened = self.subscriptions.opened.notified();
            let is_idle = |workspace: &Arc<WorkspaceSubscriptions>| workspace.hub.is_idle();
            if !lock(&self.subscriptions.workspaces).values().all(is_idle) {
                return;
            }
            opened.await;
        }
    }

    /// Reads once and publishes the changes since the previous call. A subject that can't be read is retried in the next
    /// call.
    pub async fn publish(&self) {
        let workspaces: Vec<(WorkspaceId, Arc<WorkspaceSubscriptions>)> =
            lock(&self.subscriptions.workspaces)
                .iter()
                .map(|(id, workspace)| (*id, Arc::clone(workspace)))
                .collect();
        for (id, workspace) in workspaces {
            let wanted = workspace.hub.interests();
            workspace.prune(&wanted, self.watchpost.clock().monotonic_ms());
            if workspace.hub.is_idle() {
                if lock(&workspace.readings).is_empty() {
                    let mut workspaces = lock(&self.subscriptions.workspaces);
                    // A subscriber may have arrived in the meantime.
                    if workspaces
                        .get(&id)
                        .is_some_and(|workspace| Arc::strong_count(workspace) <= 2)
                    {
                        workspaces.remove(&id);
                    }
                }
                continue;
            }
            self.publish_workspace(&workspace, &wanted).await;
        }
    }

    async fn publish_workspace(&self, workspace: &WorkspaceSubscriptions, wanted: &Interest) {
        let scope = Arc::clone(&lock(&workspace.scope));
        let generation = match self.watchpost.generation(&scope).await {
            Ok(generation) => generation,
            Err(error) => {
                tracing::warn!(%error, "the generation could not be read; subscribers are notified later");
                return;
            }
        };
        for uri in &wanted.uris {
            let subject = Subject::Resource(uri.clone());
            if workspace.is_current(&subject, generation) {
                continue;
            }
            if let Some(reading) = self.resource(&scope, uri, generation).await
                && workspace.record(subject, reading)
            {
                workspace.hub.publish(&Change::Resource(uri.clone()));
            }
            tokio::task::yield_now().await;
        }
        if wanted.resources
            && !workspace.is_current(&Subject::List, generation)
            && let Some(reading) = self.list(&scope, generation).await
            && workspace.record(Subject::List, reading)
        {
            workspace.hub.publish(&Change::Resources);
        }
        for id in &wanted.tasks {
            let subject = Subject::Task(id.clone());
            let owner = lock(&workspace.tasks).get(id).map(Arc::clone);
            let Some(owner) = owner.filter(|_| !workspace.is_current(&subject, generation)) else {
                continue;
            };
            self.publish_task(workspace, owner, id, generation).await;
        }
    }

    /// Publishes a task's state if it is new: once for a new subscriber, and then after each change. Each notification has
    /// its own audit entry.
    async fn publish_task(
        &self,
        workspace: &WorkspaceSubscriptions,
        owner: Arc<WorkspaceScope>,
        id: &str,
        generation: u64,
    ) {
        let subject = Subject::Task(id.to_owned());
        let read =
            Unrecorded::gather(async |reader| tasks::state(self.caller(&owner, reader), id).await).await;
        let digest = read.digest(|read| match read {
            Ok(state) => state.as_ref().map(|state| {
                let status = state.status.as_str().to_owned();
                (status, state.message.clone(), state.updated_at.clone())
            }),
            Err(error) => {
                tracing::warn!(
                    ?error,
                    "a task could not be read; its subscribers are notified later"
                );
                None
            }
        });
        let Some(digest) = digest else { return };
        let at = self.watchpost.clock().monotonic_ms();
        if let Some(before) = workspace
            .reading(&subject)
            .filter(|before| before.digest == digest)
        {
            let reading = Reading {
                generation,
                at,
                ..before
            };
            workspace.record(subject, reading);
            return;
        }
        let mut reduced = Reduced::new(&self.audit_key);
        reduced.secret("task", id);
        let call = CallRecord::new("mcp", "notifications/tasks", reduced.text());
        let describe = |_: &Result<Option<TaskState>, Failure>| ReadRecord {
            action: "task.notified",
            target: AuditTarget::default(),
            outcome: AuditOutcome::Ok,
            call,
        };
        let state = match self.watchpost.record(&owner, read, describe).await {
            Ok(Ok(Some(state))) => state,
            Ok(_) => return,
            Err(error) => {
                tracing::error!(%error, "an audit entry could not be stored; a task's subscribers are notified later");
                return;
            }
        };
        let reading = Reading {
            digest,
            generation,
            unsettled: matches!(state.status, TaskStatus::Working),
            at,
        };
        workspace.record(subject, reading);
        workspace.hub.publish(&Change::Task(state));
    }

    const fn caller<'c>(&'c self, scope: &'c WorkspaceScope, reader: &'c Reader) -> Caller<'c> {
        Caller {
            watchpost: &self.watchpost,
            scope,
            cursors: &self.cursors,
            audit_key: &self.audit_key,
            notify: None,
            reader,
        }
    }

    /// Takes the first readings for a caller's streams, before their subscription is answered.
    pub(crate) async fn prepare(&self, scope: &Arc<WorkspaceScope>, uris: &BTreeSet<String>, list: bool) {
        if !scope.may(Permission::ReadPosture) {
            return;
        }
        let workspace = self.subscriptions.workspace(scope);
        let wanted = workspace.hub.interests();
        workspace.prune(&wanted, self.watchpost.clock().monotonic_ms());
        let Ok(generation) = self.watchpost.generation(scope).await else {
            return;
        };
        for uri in uris {
            let subject = Subject::Resource(uri.clone());
            // An open stream has yet to be notified of the changes since the last reading.
            if wanted.uris.contains(uri) && workspace.has_reading(&subject) {
                continue;
            }
            if let Some(reading) = self.resource(scope, uri, generation).await {
                workspace.record(subject, reading);
            }
            tokio::task::yield_now().await;
        }
        if list
            && !(wanted.resources && workspace.has_reading(&Subject::List))
            && let Some(reading) = self.list(scope, generation).await
        {
            workspace.record(Subject::List, reading);
        }
    }

    async fn resource(&self, scope: &WorkspaceScope, uri: &str, generation: u64) -> Option<Reading> {
        let mut reading = Reading {
            digest: 0,
            generation,
            unsettled: false,
            at: self.watchpost.clock().monotonic_ms(),
        };
        match Address::parse(uri) {
            // A report never changes: the scan in its address has ended.
            None | Some(Address::Report(..)) => return Some(reading),
            Some(Address::Scan(id)) => {
                reading.unsettled = self.watchpost.scan_is_unfinished(scope, id).await.ok()?;
            }
            Some(_) => {}
        }
        let read = Unrecorded::gather(async |reader| resources::text(self.caller(scope, reader), uri).await);
        reading.digest = read.await.digest(|read| match read {
            Ok(found) => Some(Some(found.text.clone())),
            Err(ReadError::NotFound | ReadError::Denied) => Some(None),
            Err(ReadError::Failed(error)) => {
                tracing::warn!(%error, "a resource could not be read; its subscribers are notified later");
                None
            }
        })?;
        Some(reading)
    }

    async fn list(&self, scope: &WorkspaceScope, generation: u64) -> Option<Reading> {
        let page = resources::list(&self.watchpost, scope).await;
        let uris = |page: &ResourcePage| -> Vec<String> {
            page.resources.iter().map(|row| row.uri.clone()).collect()
        };
        Some(Reading {
            digest: page.digest(|page| page.as_ref().ok().map(uris))?,
            generation,
            unsettled: false,
            at: self.watchpost.clock().monotonic_ms(),
        })
    }
}
