//! Texts of `watchpost keys`.

use std::fmt::Display;
use watchpost_core::{access::KeyScope, value::id::KeyId};

pub(crate) const NO_KEYS: &str = "There are no keys. Create one with `watchpost keys create --label NAME`.";
pub(crate) const REVOKED: &str = "The key is revoked.";
pub(crate) const ALREADY_REVOKED: &str = "Nothing changed: the key is already revoked.";

/// The revocation may not be stored.
pub(crate) fn not_revoked(error: &dyn Display) -> String {
    format!("the key may still be accepted; to refuse it at once, stop the servers: {error}")
}

/// Follows the key itself.
pub(crate) fn created(id: KeyId, scope: KeyScope) -> String {
    let permissions = match scope {
        KeyScope::Read => "run queries, but can't change anything",
        KeyScope::Write => {
            "run queries, start syncs, snooze and dismiss findings, request remediations and set app policies"
        }
    };
    format!("The key is shown only this once. Its id is {id}. It can {permissions}.")
}
