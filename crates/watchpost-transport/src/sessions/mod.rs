//! Legacy sessions: ids that carry their own content, and the little that has to be remembered.

pub(crate) mod effects;
pub(crate) mod ended;
pub(crate) mod http_sse;
pub(crate) mod local;
pub(crate) mod open;
pub(crate) mod outstanding;
pub(crate) mod seal;
pub(crate) mod states;
