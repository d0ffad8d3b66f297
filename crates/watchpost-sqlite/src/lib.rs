//! The embedded store: all storage ports of `watchpost-core` over one SQLite file.
//!
//! # How it works
//! - **One writer.** One thread writes. It serves two queues, calls before bulk work. Calls that wait at the same time
//!   share a transaction, each change in its own savepoint. A group that contains a change is committed with
//!   `synchronous=FULL`, a group of audit entries for reads with `NORMAL`. Bulk work (facts, analyses) runs in
//!   transactions of at most 500 rows or 10 ms.
//! - **Many readers.** Bounded reads run on the caller's thread with pooled connections. Long reads run on at most two
//!   threads, which end when idle.
//! - **Other processes** may have the same file open. Decisions read their rows inside the transaction, and the last entry
//!   of an audit chain is read again when another process has written.
//! - **Counts** that requests need are stored in rows, which are updated by the transactions that change what is counted.
//! - **Lists** are read from full indexes in the order of the list. This version of SQLite prepares a cached statement
//!   again for each binding while `sqlite_stat4` has rows or the query planner's stability guarantee is off. The guarantee
//!   is therefore on and no statistics are collected, and no request depends on a partial index.
//! - **Row numbers** of findings must not change, since the full-text index refers to them: `VACUUM` must not rewrite them.
//!   SQLite keeps the row numbers of tables that have an index, as `findings` has.
//!
//! # Layers
//! `base` contains errors, columns, the file, the writer with the audit chains, and the readers. `table`, on top of it, has
//! one module for each aggregate; its functions take a transaction or a connection and don't depend on the store. `port`,
//! on top of both, implements the domain's traits for [`SqliteStore`]. No layer depends on a higher one, and no two modules
//! depend on each other. `text` holds the messages.
//!
//! # What this crate does not do
//! It makes no decisions: functions of `watchpost-core`, called inside the transaction, decide what a change does to a row.
//! It doesn't create scopes, and it neither reads nor writes the file of the master key.
//!
//! # Adding a migration
//! Add `schema/NNNN_name.sql`, which may only add to the schema, and list it in `base/open.rs`. A released migration is
//! never changed. An older file is copied beside itself before it is migrated.

mod base;
mod port;
mod table;
mod text;

pub use base::{master::MasterKey, open::OpenOptions, open_error::OpenError, unknown::unknown_words};
pub use port::copy::check_copy;
pub use port::store::{Generations, SqliteStore};
