//! The names of the administrator roles that Watchpost needs.

use crate::text::okta as text;

/// Any role that may read; without one, Okta answers almost nothing.
pub(super) const ANY: &str = "Read-only Administrator";
/// The permission of a custom role with which the holders of roles can be read. Read-only Administrator doesn't include it.
pub(super) const VIEW_ROLES: &str = text::VIEW_ROLES_PERMISSION;
/// The role with which the access of Okta's support can be read.
pub(super) const SUPER: &str = "Super Administrator";
