//! Who is acting, in which workspace, and what they may do.
//!
//! - [`WorkspaceScope`] is made only here: from a verified key by [`AccessGate`], from a leased job by [`JobAuthority`],
//!   for the local operator who opened the file by [`OperatorAuthority`]. Every read method of every port takes one.
//! - [`Access::open`] makes these three. They have no other constructor, and the wiring gives the authorities only to the
//!   worker and the command line: what serves clients holds the gate alone.
//! - [`AuthorizedWrite`] is made only by [`WorkspaceScope::authorize`]. It contains the command, so what was checked
//!   is what is done, and is used once.
//! - [`Once`] makes a call take effect at most once, however often it is repeated.
//! - [`Audited`] is what a changing port method returns; it can only be built from the pending audit entry.
//! - [`Unrecorded`](crate::service::Unrecorded) is what a query of the use cases returns; it can only be opened by
//!   storing the audit entry.
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
//! The proof of a stored entry can't be made up:
//! ```compile_fail
//! let made = watchpost_core::access::Made { seq: 1, earlier: None };
//! ```
//! What a query read can't be seen without the entry:
//! ```compile_fail
//! fn shown(read: watchpost_core::service::Unrecorded<String>) -> String {
//!     read.into_inner()
//! }
//! ```
//! Nor can the store behind the use cases be reached:
//! ```compile_fail
//! fn store(watchpost: &watchpost_core::service::Watchpost) -> &dyn watchpost_core::port::Store {
//!     watchpost.store()
//! }
//! ```

//! Without the authority over jobs no job is leased, and none entered:
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
//! Without the authority of the operator nobody acts as the operator:
//! ```compile_fail
//! let operator = watchpost_core::access::OperatorAuthority(());
//! ```
//! ```compile_fail
//! use watchpost_core::{access::{AccessGate, KeyScope}, value::id::WorkspaceId};
//! fn operate(gate: &AccessGate, workspace: WorkspaceId) {
//!     let _ = gate.enter(workspace, KeyScope::Write, true);
//! }
//! ```
//! With them it compiles:
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
pub use gate::{AccessGate, AuthError, KeyDirectory, KeyUse};
pub use key::{
    CreateKey, Expiry, KEY_PREFIX_CHARS, KeyCreation, KeyHash, KeyRevocation, KeyRow, KeyState, KeyStore,
    NewKey, RevokeKey, decide_creation, decide_revocation, key_is_well_formed,
};
pub use once::{Made, ONCE_KEPT_MAX, ONCE_KEPT_MS, Once, OnceKind};
pub use scope::{
    Actor, Audited, AuthorizedWrite, Command, Denied, JobPermit, KeyScope, Permission, WorkspaceScope,
};
