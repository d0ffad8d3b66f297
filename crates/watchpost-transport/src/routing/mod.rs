//! Routing between admission and the mounts: the route table and the mounts that it refers to.

pub(crate) mod mount;
pub(crate) mod route;
pub(crate) mod table;
