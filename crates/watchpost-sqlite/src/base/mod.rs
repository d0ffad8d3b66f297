//! The foundation for the tables: errors, columns, the file and its key, the writer with the audit chains, and the readers.
//! Nothing here depends on a table of the domain, except the table of the audit chains.

pub(crate) mod chain;
pub(crate) mod fault;
pub(crate) mod lock;
pub(crate) mod master;
pub(crate) mod open;
pub(crate) mod open_error;
pub(crate) mod reader;
pub(crate) mod row;
pub(crate) mod unknown;
pub(crate) mod writer;
