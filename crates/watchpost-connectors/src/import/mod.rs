//! Importers: result files and settings exports of other scanners, as Watchpost's own documents and rows.
//!
//! Everything in such a file is foreign. A reader leaves out what it can't use; it never panics on it.

pub mod scubagear;
