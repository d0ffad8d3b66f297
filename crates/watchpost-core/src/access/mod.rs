//! Who is acting, in which workspace, and what they may do.
//!
//! - [`WorkspaceScope`] is made only here: from a verified key, from a leased job, or for the local operator who
//!   opened the file. Every read method of every port takes one.
//! - [`AuthorizedWrite`] is made only by [`WorkspaceScope::authorize`]. It contains the command, so what was checked
//!   is what is done, and is used once.
//! - [`Once`] makes a call take effect at most once, however often it is repeated.
//! - [`Audited`] is what a changing port method returns; it can only be built from the pending audit entry.
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

mod gate;
mod key;
mod once;
mod scope;

pub use gate::{AccessGate, AuthError, KeyDirectory, KeyUse};
pub use key::{
    CreateKey, Expiry, KEY_PREFIX_CHARS, KeyCreation, KeyHash, KeyRevocation, KeyRow, KeyState, KeyStore,
    NewKey, RevokeKey, key_is_well_formed,
};
pub use once::{Made, ONCE_KEPT_MAX, ONCE_KEPT_MS, Once, OnceKind};
pub use scope::{
    Actor, Audited, AuthorizedWrite, Command, Denied, JobPermit, KeyScope, Permission, WorkspaceScope,
};
