//! ScubaGear: its provider settings export.

mod config;
mod dns;
mod export;
mod paths;
mod shape;

pub use export::check_document;
