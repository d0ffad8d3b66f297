//! Importers, fed with invented files and, where there are any, with files by others.

mod bad_input;
mod formats;
mod recorder;
mod shared_data;
