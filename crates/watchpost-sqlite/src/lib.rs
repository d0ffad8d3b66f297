//! The embedded store: all storage ports of `watchpost-core` over one SQLite file.
//!
//! # How it works
//! - **One writer.** A thread with two queues, calls before bulk. Calls that wait together share a transaction, each
//!   change in a savepoint of its own; a group with a change in it is committed with `synchronous=FULL`, one of audit
//!   entries for reads with `NORMAL`. Bulk work (facts, analyses) comes in transactions of at most 500 rows or 10 ms.
//! - **Many readers.** Bounded reads run in place, on connections kept for it; long ones on at most two threads that
//!   end when idle.
//! - **Other processes** may have the same file open. Decisions read their rows inside the transaction, and the end
//!   of an audit chain is read anew when somebody else has written.
//! - **Counts** that answers need are rows kept by the transactions that change what they count.
//! - **Lists** come from full indexes in the order of the list. This SQLite prepares a cached statement anew for each
//!   binding while `sqlite_stat4` has rows or the planner's stability guarantee is off, so the guarantee is on and no
//!   statistics are kept; partial indexes serve only what no answer waits for.
//! - The file must not be rewritten by `VACUUM` in a way that changes row numbers: the index of words knows findings
//!   by theirs. SQLite keeps them for tables that have an index, as `findings` has.
//!
//! # Layers
//! `base` (faults, columns, the file, the writer with the audit chains, the readers), `table` on it (one module for
//! each aggregate, which takes a transaction or a connection and knows no store), and on top `port` (the traits of the
//! domain for [`SqliteStore`]). Nothing points up, and no two modules need each other.
//!
//! # What this crate does not do
//! It decides nothing: what a change does to a row is decided by `watchpost-core`'s functions, called inside the
//! transaction. It makes no scopes, and neither reads nor writes the master key's file.
//!
//! # Adding a migration
//! Add `schema/NNNN_what.sql`, which only adds, and name it in `base/open.rs`. A released one is never changed. An older
//! file is copied beside itself before it is brought forward.

mod base;
mod port;
mod table;

pub use base::{
    master::MasterKey,
    open::{OpenError, OpenOptions, restore},
    unknown::unknown_words,
};
pub use port::store::{Generations, SqliteStore};
