//! The compatible routes: paths, field names and errors (`{"error":"…"}`) that scripts for other servers with the same tools
//! expect. They run the same use cases as `/api/v1` and have the same permissions and audit entries.

pub(crate) mod actions;
pub(crate) mod posture;
pub(crate) mod reads;
