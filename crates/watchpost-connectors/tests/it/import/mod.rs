//! Tests of the importers, with invented files and, where available, with third-party files.

mod bad_input;
mod formats;
mod glued;
mod recorder;
mod runs;
mod shared_data;
