//! What the tables stand on: faults, columns, the file and its key, the writer with the audit chains, the readers. Nothing here
//! knows a table of the domain but the chains' own.

pub(crate) mod chain;
pub(crate) mod fault;
pub(crate) mod lock;
pub(crate) mod master;
pub(crate) mod open;
pub(crate) mod reader;
pub(crate) mod row;
pub(crate) mod unknown;
pub(crate) mod writer;
