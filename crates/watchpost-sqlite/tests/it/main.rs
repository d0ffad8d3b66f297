//! The store through its ports and its file.

mod conformance;
mod file;
mod plans;
