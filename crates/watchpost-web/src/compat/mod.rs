//! The routes of the reproduced product, with its field names and its errors (`{"error":"…"}`), so that its clients and
//! scripts work without a change. They run the same use cases as `/api/v1` and have the same permissions and audit entries.

pub(crate) mod actions;
pub(crate) mod posture;
pub(crate) mod reads;
