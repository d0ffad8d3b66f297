//! Event streams: encoding, comments on quiet streams, and their end when the key is revoked or the server
//! stops.

pub(crate) mod call;
pub(crate) mod frame;
pub(crate) mod guarded;
pub(crate) mod listening;
pub(crate) mod queue;
pub(crate) mod registry;
pub(crate) mod replay;
pub(crate) mod standing;
