//! Who gets as far as a body: hosts and origins, addresses, credentials, and the count of wrong keys.

pub(crate) mod address;
pub(crate) mod credential;
pub(crate) mod hosts;
pub(crate) mod throttle;
