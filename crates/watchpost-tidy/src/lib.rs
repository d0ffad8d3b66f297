//! Rules about the code itself, as ordinary tests: layers, external crates, documents, texts, fixtures. The tests are in
//! `tests/it`; this library is empty.
//!
//! # What this crate does not do
//! It does not check anything at run time, and no crate depends on it.
