//! What a query read, sealed until its audit entry is stored.

use super::Watchpost;
use crate::{
    access::{Made, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget, CallRecord, ReadRecord},
    error::{Error, StoreError},
};
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// What a query of [`Watchpost`] read, before its audit entry is stored. It has no accessor: only
/// [`Watchpost::record`] opens it, after the entry is committed. That a thing doesn't exist is data too, so queries
/// give `Unrecorded<Result<T, Error>>`.
///
/// An answer is built inside: of one reading with [`Unrecorded::map`], of several with [`Unrecorded::gather`].
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
/// What opens readings while an answer is gathered can't be taken out of there:
/// ```compile_fail
/// # use watchpost_core::service::{Reader, Unrecorded};
/// # async fn keep() {
/// let mut kept: Option<&Reader> = None;
/// Unrecorded::gather(async |reader| kept = Some(reader)).await;
/// # }
/// ```
/// With its entry it can:
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
#[must_use = "what was read is shown to nobody until it is recorded"]
pub struct Unrecorded<T>(T);

/// Opens readings inside of [`Unrecorded::gather`]. Made only there.
pub struct Reader(());

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// What was read. It leaves the gathering only as a part of its result, which is unrecorded again.
    pub fn open<T>(&self, read: Unrecorded<T>) -> T {
        read.0
    }
}

/// Shows nothing of what was read.
impl<T> std::fmt::Debug for Unrecorded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unrecorded")
    }
}

impl<T> Unrecorded<T> {
    /// Something that needs an entry before it is answered.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Makes something else of it, which is as unrecorded.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Unrecorded<U> {
        Unrecorded(make(self.0))
    }

    /// Reads several times and makes one thing of it, which needs one entry.
    pub async fn gather(read: impl AsyncFnOnce(&Reader) -> T) -> Self {
        Self(read(&Reader(())).await)
    }

    /// Opens the answer of a change, which holds the proof that the change's entry is stored. That entry is the
    /// call's only one.
    ///
    /// # Errors
    /// Itself, if there is no proof: then the call still needs its entry.
    pub fn made(self, proof: impl FnOnce(&T) -> Option<Made>) -> Result<T, Self> {
        if proof(&self.0).is_some() {
            Ok(self.0)
        } else {
            Err(self)
        }
    }

    /// A number that says whether `part` of two readings is the same, and nothing of what was read: for whoever waits
    /// for a change. Equal within one process; `None` where there is nothing to compare.
    pub fn digest<P: Hash>(&self, part: impl FnOnce(&T) -> Option<P>) -> Option<u64> {
        let part = part(&self.0)?;
        let mut hasher = DefaultHasher::new();
        part.hash(&mut hasher);
        Some(hasher.finish())
    }

    /// What a future reads.
    pub(super) async fn of(read: impl Future<Output = T>) -> Self {
        Self(read.await)
    }

    /// For use cases that are made of others.
    pub(super) fn into_inner(self) -> T {
        self.0
    }
}

impl<T, E> Unrecorded<Result<T, E>> {
    /// Makes something else of what was found.
    pub fn map_ok<U>(self, make: impl FnOnce(T) -> U) -> Unrecorded<Result<U, E>> {
        Unrecorded(self.0.map(make))
    }

    /// Reads on from what was found; both readings need one entry.
    pub async fn then<U>(
        self,
        next: impl AsyncFnOnce(T) -> Unrecorded<Result<U, E>>,
    ) -> Unrecorded<Result<U, E>> {
        match self.0 {
            Ok(found) => next(found).await,
            Err(error) => Unrecorded(Err(error)),
        }
    }

    /// Makes something else of what was found, or another error.
    pub fn and_then<U, F: From<E>>(self, make: impl FnOnce(T) -> Result<U, F>) -> Unrecorded<Result<U, F>> {
        Unrecorded(self.0.map_err(F::from).and_then(make))
    }
}

impl ReadRecord {
    /// The entry of a query that is about nothing in particular, by how the query ended.
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
    /// Stores the audit entry of a request that changed nothing (a query, a refusal, wrong arguments), and opens what
    /// the query read once the entry is committed. `describe` says what the entry is.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`]: nothing may be answered.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_not_printed() {
        let read = Unrecorded::new("mara.holt@example.com").map(str::to_owned);
        assert_eq!(format!("{read:?}"), "Unrecorded");
    }

    #[test]
    fn an_answer_without_proof_of_an_entry_stays_sealed() {
        let read = Unrecorded::new(7).made(|_| None);
        assert_eq!(read.unwrap_err().into_inner(), 7);
    }

    #[test]
    fn a_digest_tells_two_readings_apart() {
        let digest = |text: &str| Unrecorded::new(text.to_owned()).digest(|text| Some(text.clone()));
        assert_eq!(digest("on"), digest("on"));
        assert_ne!(digest("on"), digest("off"));
        assert_eq!(Unrecorded::new(7).digest(|_| None::<u8>), None);
    }

    #[test]
    fn an_error_of_a_query_is_sealed_with_it_and_names_the_outcome() {
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
