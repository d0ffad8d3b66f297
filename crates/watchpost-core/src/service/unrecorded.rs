//! Results of queries that can be opened only by storing their audit entry.

use super::Watchpost;
use crate::{
    access::{Actor, ChangeReceipt, WorkspaceScope},
    audit::{AuditOutcome, AuditQuery, AuditTarget, CallRecord, ReadRecord},
    error::{Error, StoreError},
    value::{id::WorkspaceId, time::Timestamp},
};
use std::{
    error::Error as StdError,
    hash::{DefaultHasher, Hash, Hasher as _},
};

/// The action of the entry that tells of an earlier command.
const SETTLED: &str = "audit.settled";

/// The result of a query of [`Watchpost`] whose audit entry isn't stored yet. It has no accessor: only
/// [`Watchpost::record`] opens it, after the entry is committed, and [`Watchpost::record_or_owe`] for the operator.
/// The absence of a thing is data too, so queries
/// return `Unrecorded<Result<T, Error>>`.
///
/// Answers are built without opening it: from one result with [`Unrecorded::map`], from several with
/// [`Unrecorded::gather`].
///
/// It can't be opened without its entry:
/// ```compile_fail
/// # use watchpost_core::{access::WorkspaceScope, posture::Freshness, service::Watchpost};
/// async fn unaudited(watchpost: &Watchpost, scope: &WorkspaceScope) -> Freshness {
///     watchpost.freshness(scope).await.into_inner().unwrap()
/// }
/// ```
/// ```compile_fail
/// # use watchpost_core::service::Unrecorded;
/// fn unaudited<T>(read: Unrecorded<T>) -> T {
///     read.0
/// }
/// ```
/// The reader that opens results inside [`Unrecorded::gather`] can't be kept:
/// ```compile_fail
/// # use watchpost_core::service::{Reader, Unrecorded};
/// # async fn keep() {
/// let mut kept: Option<&Reader> = None;
/// Unrecorded::gather(async |reader| kept = Some(reader)).await;
/// # }
/// ```
/// It can be opened by storing its entry:
/// ```
/// # use watchpost_core::{
/// #     access::WorkspaceScope,
/// #     audit::{CallRecord, ReadRecord},
/// #     error::{Error, StoreError},
/// #     posture::Freshness,
/// #     service::Watchpost,
/// # };
/// # async fn audited(watchpost: &Watchpost, scope: &WorkspaceScope) -> Result<Result<Freshness, Error>, StoreError> {
/// let read = watchpost.freshness(scope).await;
/// let call = CallRecord::new("example", "freshness", "{}");
/// let describe = |read: &_| ReadRecord::of("freshness.read", call, read);
/// watchpost.record(scope, read, describe).await
/// # }
/// ```
#[derive(Clone)]
#[must_use = "the result can't be read until its audit entry is stored"]
pub struct Unrecorded<T>(T);

/// Opens results inside [`Unrecorded::gather`], which alone creates it.
pub struct Reader(());

/// The proof that the audit entry of an export is stored. Opens the pages of the export, which are sent one after the other.
/// Only [`Watchpost::record_export`] creates it.
///
/// It can't be made without the entry:
/// ```compile_fail
/// let exporting = watchpost_core::service::Exporting(());
/// ```
pub struct Exporting(());

impl std::fmt::Debug for Exporting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exporting")
    }
}

impl Exporting {
    /// Opens a page of the export.
    pub fn open<T>(&self, page: Unrecorded<T>) -> T {
        page.0
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// Opens a result. It leaves the closure of [`Unrecorded::gather`] only as part of an `Unrecorded`.
    pub fn open<T>(&self, read: Unrecorded<T>) -> T {
        read.0
    }
}

/// Prints only the type's name.
impl<T> std::fmt::Debug for Unrecorded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unrecorded")
    }
}

impl<T> Unrecorded<T> {
    /// Wraps a value that must not be answered without an audit entry.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Converts the value. The result is unrecorded as well.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Unrecorded<U> {
        Unrecorded(make(self.0))
    }

    /// Combines several results into one, which needs one audit entry.
    pub async fn gather(read: impl AsyncFnOnce(&Reader) -> T) -> Self {
        Self(read(&Reader(())).await)
    }

    /// Opens the answer of a change, if it contains the proof that the change's audit entry is stored. That entry
    /// is the only one of the call.
    ///
    /// # Errors
    /// Returns itself if there is no proof. Then the call still needs its audit entry.
    pub fn open_with(self, proof: impl FnOnce(&T) -> Option<ChangeReceipt>) -> Result<T, Self> {
        if proof(&self.0).is_some() {
            Ok(self.0)
        } else {
            Err(self)
        }
    }

    /// Returns a hash of a part of the value, which shows only whether two results are equal in that part. For
    /// callers that wait for a change. Hashes are comparable within one process; `None` if there is nothing to
    /// compare.
    pub fn digest<P: Hash>(&self, part: impl FnOnce(&T) -> Option<P>) -> Option<u64> {
        let part = part(&self.0)?;
        let mut hasher = DefaultHasher::new();
        part.hash(&mut hasher);
        Some(hasher.finish())
    }

    /// Wraps the output of a future.
    pub(super) async fn of(read: impl Future<Output = T>) -> Self {
        Self(read.await)
    }

    /// Opens the value inside the use cases, for those that combine others.
    pub(super) fn into_inner(self) -> T {
        self.0
    }
}

impl<T, E> Unrecorded<Result<T, E>> {
    /// Converts the value of a success.
    pub fn map_ok<U>(self, make: impl FnOnce(T) -> U) -> Unrecorded<Result<U, E>> {
        Unrecorded(self.0.map(make))
    }

    /// Continues with another query. Both need one audit entry.
    pub async fn then<U>(
        self,
        next: impl AsyncFnOnce(T) -> Unrecorded<Result<U, E>>,
    ) -> Unrecorded<Result<U, E>> {
        match self.0 {
            Ok(found) => next(found).await,
            Err(error) => Unrecorded(Err(error)),
        }
    }

    /// Converts the value of a success, which may fail.
    pub fn and_then<U, F: From<E>>(self, make: impl FnOnce(T) -> Result<U, F>) -> Unrecorded<Result<U, F>> {
        Unrecorded(self.0.map_err(F::from).and_then(make))
    }
}

impl ReadRecord {
    /// Creates the audit entry of a query without a target. The outcome is that of the query.
    pub fn of<T>(action: &'static str, call: CallRecord, read: &Result<T, Error>) -> Self {
        Self {
            action,
            target: AuditTarget::default(),
            outcome: read.as_ref().map_or_else(Error::outcome, |_| AuditOutcome::Ok),
            call,
        }
    }
}

impl Watchpost {
    /// Stores the audit entry of a request that changed nothing (a query, a denied request, invalid arguments),
    /// and opens the result of the query after the entry is committed. `describe` returns the content of the
    /// entry.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`] if the entry can't be stored. Then the request must not be answered.
    pub async fn record<T>(
        &self,
        scope: &WorkspaceScope,
        read: Unrecorded<T>,
        describe: impl FnOnce(&T) -> ReadRecord,
    ) -> Result<T, StoreError> {
        let ReadRecord {
            action,
            target,
            outcome,
            call,
        } = describe(&read.0);
        let entry = scope.observe(action, target, outcome, call);
        self.store().append(entry).await?.into_value();
        Ok(read.0)
    }

    /// Like [`Watchpost::record`], for an export: also returns the proof that opens its pages, which are read and sent
    /// afterwards. The one entry covers all of them.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`] if the entry can't be stored. Then nothing may be exported.
    pub async fn record_export<T>(
        &self,
        scope: &WorkspaceScope,
        read: Unrecorded<T>,
        describe: impl FnOnce(&T) -> ReadRecord,
    ) -> Result<(T, Exporting), StoreError> {
        let read = self.record(scope, read, describe).await?;
        Ok((read, Exporting(())))
    }

    /// As [`Watchpost::record`], for the person at the machine on a bad day: if the audit log can't be written, as on a
    /// full disk, passes the entry to `owe`, which keeps it until it can be stored, and opens the result all the
    /// same. This person can read the store's file without Watchpost, so refusing would protect nothing.
    ///
    /// # Errors
    /// As [`Watchpost::record`] for every other caller, also for a local client without a key, and if the log is damaged.
    pub async fn record_or_owe<T>(
        &self,
        scope: &WorkspaceScope,
        read: Unrecorded<T>,
        describe: impl FnOnce(&T) -> ReadRecord,
        owe: impl FnOnce(OwedEntry),
    ) -> Result<T, StoreError> {
        let ReadRecord {
            action,
            target,
            outcome,
            call,
        } = describe(&read.0);
        let mut owed = OwedEntry {
            workspace: scope.workspace(),
            at: self.clock().now(),
            action: action.to_owned(),
            operation: call.operation.to_string(),
            outcome: outcome.to_string(),
            reason: String::new(),
        };
        let entry = scope.observe(action, target, outcome, call);
        match self.store().append(entry).await {
            Ok(_) => {}
            Err(error) if error.is_damage() => return Err(error),
            Err(StoreError::AuditUnavailable(source))
                if matches!(scope.actor(), Actor::LocalOperator { manages: true, .. }) =>
            {
                let mut cause: &dyn StdError = source.as_ref();
                while cause.is::<StoreError>()
                    && let Some(inner) = cause.source()
                {
                    cause = inner;
                }
                owed.reason = cause.to_string();
                owe(owed);
            }
            Err(error) => return Err(error),
        }
        Ok(read.0)
    }

    /// Stores the entries of earlier commands that could not be stored at their time, each once: those that are among the newest
    /// 1,000 stored ones are left out. `arguments` differ from entry to entry. Returns the number of entries that were stored.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`] if one still can't be stored, and [`StoreError`] if the log can't be read.
    pub async fn settle_owed(
        &self,
        scope: &WorkspaceScope,
        arguments: Vec<String>,
    ) -> Result<usize, StoreError> {
        let query = AuditQuery {
            action: Some(SETTLED.to_owned()),
            limit: 1_000,
            ..AuditQuery::default()
        };
        let earlier = self.store().list_entries(scope, &query).await?;
        let mut stored = 0;
        for arguments in arguments {
            if earlier.iter().any(|row| row.arguments == arguments) {
                continue;
            }
            let call = CallRecord::new("cli", "settle", arguments);
            let entry = scope.observe(SETTLED, AuditTarget::default(), AuditOutcome::Ok, call);
            self.store().append(entry).await?.into_value();
            stored += 1;
        }
        Ok(stored)
    }
}

/// The audit entry of a command of the operator that could not be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedEntry {
    /// The workspace whose log it belongs to.
    pub workspace: WorkspaceId,
    /// The time of the command.
    pub at: Timestamp,
    /// The action.
    pub action: String,
    /// The command.
    pub operation: String,
    /// The outcome.
    pub outcome: String,
    /// The reason why it could not be stored.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_print_the_result() {
        let read = Unrecorded::new("mara.holt@example.com").map(str::to_owned);
        assert_eq!(format!("{read:?}"), "Unrecorded");
    }

    #[test]
    fn an_answer_without_proof_of_an_entry_is_not_opened() {
        let read = Unrecorded::new(7).open_with(|_| None);
        assert_eq!(read.unwrap_err().into_inner(), 7);
    }

    #[test]
    fn digests_differ_for_different_results() {
        let digest = |text: &str| Unrecorded::new(text.to_owned()).digest(|text| Some(text.clone()));
        assert_eq!(digest("on"), digest("on"));
        assert_ne!(digest("on"), digest("off"));
        assert_eq!(Unrecorded::new(7).digest(|_| None::<u8>), None);
    }

    #[test]
    fn the_error_of_a_query_determines_the_audit_outcome() {
        let read: Unrecorded<Result<u8, Error>> = Unrecorded::new(Err(Error::Denied));
        let read = read.map_ok(u16::from).and_then(Ok::<_, Error>).into_inner();
        let call = || CallRecord::new("test", "read", "{}");
        assert_eq!(
            ReadRecord::of("test.read", call(), &read).outcome,
            AuditOutcome::Denied
        );
        assert_eq!(
            ReadRecord::of("test.read", call(), &Ok(())).outcome,
            AuditOutcome::Ok
        );
    }
}
