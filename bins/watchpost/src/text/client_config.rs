//! Texts of `watchpost client-config`.

use std::fmt::Display;

pub(crate) const NOT_A_KEY: &str = "this is not a Watchpost key: keys begin with `wp_`; create one with `watchpost keys \
                                    create --label NAME`";
pub(crate) const NOT_SET_UP: &str = "state: not set up. Run `watchpost init` first.";

/// Precedes the first part of a snippet, which goes to standard output.
pub(crate) fn first_place(place: &str) -> String {
    format!("{place}:")
}

/// Precedes each further part of a snippet, which replaces the first.
pub(crate) fn other_place(place: &str) -> String {
    format!("or, {place}:")
}

pub(crate) fn server_unavailable(url: &str) -> String {
    format!("{url}: not available (no server answers there); start `watchpost-http`")
}

/// There is no score yet; `step` is the next thing to do.
pub(crate) fn not_ready(state: &dyn Display, step: &str) -> String {
    format!("state: {state}. {step}")
}

/// A configuration for this machine was asked for, and its server isn't installed.
pub(crate) const STDIO_NOT_INSTALLED: &str = "`watchpost-stdio` is not installed in the folder of `watchpost`: install it there, or name a server with `--url`";
