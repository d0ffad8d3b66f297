//! Rules about the code itself, as ordinary tests: layers, outside crates, documents, fixtures. All of it is under
//! `tests/it`; this library is empty.
//!
//! # What this crate does not do
//! It checks nothing at run time and nothing depends on it.
