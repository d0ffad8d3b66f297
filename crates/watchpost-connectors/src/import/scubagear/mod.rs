//! ScubaGear's provider settings export, results and raw tests.

mod config;
mod dlp;
mod dns;
mod export;
mod paths;
pub(in crate::import) mod results;
mod shape;
mod txt;
mod verdict;

pub use export::check_document;
