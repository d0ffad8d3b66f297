//! Importers, fed with invented files and, where there are any, with files by others.

mod shared_data;
