//! The seam between admission and what is served behind it: the one table of routes, and the mounts that it leads to.

pub(crate) mod mount;
pub(crate) mod route;
pub(crate) mod table;
