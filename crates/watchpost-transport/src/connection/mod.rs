//! One TCP connection: how long it may take, and how many there may be.

pub(crate) mod accept;
pub(crate) mod alarm;
pub(crate) mod body;
pub(crate) mod permits;
pub(crate) mod watched;
