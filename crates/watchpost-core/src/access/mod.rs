//! Actors, workspaces and permissions.
//!
//! - [`WorkspaceScope`] is created only in this module: from a verified key by [`AccessGate`], from a leased job
//!   by [`JobAuthority`], and for the local operator who opened the file by [`OperatorAuthority`]. Every read
//!   method of every port takes one.
//! - [`Access::open`] creates these three. They have no other constructor. The wiring gives the authorities only
//!   to the worker and the command line; the servers hold only the gate.
//! - [`AuthorizedWrite`] is created only by [`WorkspaceScope::authorize`]. It contains the command, so the
//!   command that was checked is the command that is executed, and it is used once.
//! - [`OnceToken`] makes a call take effect at most once, however often it is repeated.
//! - [`Audited`] is returned by every port method that changes something. It can be built only from the pending
//!   audit entry.
//! - [`Unrecorded`](crate::service::Unrecorded) is returned by the queries of the use cases. It can be opened
//!   only by storing the audit entry.
//!
//! A scope can't be forged:
//! ```compile_fail
//! use watchpost_core::access::WorkspaceScope;
//! let scope = WorkspaceScope { };
//! ```
//! A write can't be used twice:
//! ```compile_fail
//! fn twice<C: watchpost_core::access::Command>(write: watchpost_core::access::AuthorizedWrite<C>) {
//!     let _ = write.open();
//!     let _ = write.open();
//! }
//! ```
//! Success can't be returned without the entry:
//! ```compile_fail
//! let done: watchpost_core::access::Audited<()> = watchpost_core::access::Audited { seq: 1, value: () };
//! ```
//! A stored audit entry can't be claimed without storing one:
//! ```compile_fail
//! let receipt = watchpost_core::access::ChangeReceipt { seq: 1, earlier: None };
//! ```
//! The result of a query can't be read without its audit entry:
//! ```compile_fail
//! fn shown(read: watchpost_core::service::Unrecorded<String>) -> String {
//!     read.into_inner()
//! }
//! ```
//! The store behind the use cases can't be reached:
//! ```compile_fail
//! fn store(watchpost: &watchpost_core::service::Watchpost) -> &dyn watchpost_core::port::Store {
//!     watchpost.store()
//! }
//! ```
//!
//! Without the job authority, a job can be neither leased nor entered:
//! ```compile_fail
//! let jobs = watchpost_core::access::JobAuthority(());
//! ```
//! ```compile_fail
//! fn lease(row: watchpost_core::job::LeaseRow) -> watchpost_core::job::LeasedJob {
//!     watchpost_core::job::LeasedJob::new(row)
//! }
//! ```
//! ```compile_fail
//! fn enter(gate: &watchpost_core::access::AccessGate, job: &watchpost_core::job::LeasedJob) {
//!     let _ = gate.enter(job);
//! }
//! ```
//! Without the operator authority, no code can act as the operator:
//! ```compile_fail
//! let operator = watchpost_core::access::OperatorAuthority(());
//! ```
//! ```compile_fail
//! use watchpost_core::{access::{AccessGate, KeyScope}, value::id::WorkspaceId};
//! fn operate(gate: &AccessGate, workspace: WorkspaceId) {
//!     let _ = gate.enter(workspace, KeyScope::Write, true);
//! }
//! ```
//! With the authorities it compiles:
//! ```
//! use std::sync::Arc;
//! use watchpost_core::{
//!     access::{Access, JobPermit, KeyScope, WorkspaceScope},
//!     job::LeasedJob,
//!     value::id::WorkspaceId,
//! };
//! fn wire(access: &Access, job: &LeasedJob, workspace: WorkspaceId) -> (JobPermit, Arc<WorkspaceScope>) {
//!     (access.jobs.enter(job), access.operator.enter(workspace, KeyScope::Write, true))
//! }
//! ```

mod authority;
mod gate;
mod key;
mod once;
mod scope;

pub use authority::{Access, JobAuthority, OperatorAuthority};
pub use gate::{AccessGate, AuthError, FoundKey, KeyDirectory, KeyUse};
pub use key::{
    CreateKey, Expiry, KEY_MARK, KEY_PREFIX_CHARS, KeyCreation, KeyHash, KeyRevocation, KeyRow, KeyState,
    KeyStore, NewKey, RevokeKey, decide_creation, decide_revocation, key_is_well_formed,
};
pub use once::{ChangeReceipt, ONCE_KEPT_MAX, ONCE_KEPT_MS, OnceToken, OnceTokenKind};
pub use scope::{
    Actor, Audited, AuthorizedWrite, Command, Denied, JobPermit, KeyScope, Permission, WorkspaceScope,
};
