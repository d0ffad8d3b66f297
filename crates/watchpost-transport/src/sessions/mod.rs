//! Legacy sessions: ids that contain the session's state, and the small part that a process remembers.

pub(crate) mod effects;
pub(crate) mod ended;
pub(crate) mod http_sse;
pub(crate) mod local;
pub(crate) mod open;
pub(crate) mod outstanding;
pub(crate) mod seal;
pub(crate) mod states;
