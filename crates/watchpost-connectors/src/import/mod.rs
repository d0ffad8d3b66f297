//! Importers: they read result files and settings exports of other scanners into Watchpost's own documents and rows.
//!
//! The content of such a file is untrusted. It is decompressed, decoded and read within
//! [`ImportLimits`](watchpost_core::import::ImportLimits); no size, nesting or malformed content makes a reader panic or use
//! unbounded memory. The format is detected by the content, never by the file's name.
//!
//! # Damaged files
//! * A malformed row is counted, reported with its position, and skipped. The other rows are imported.
//! * Tools write rows one by one during a scan, and append to what an earlier scan left. If the end of the file is missing,
//!   or if several lists are glued together, the complete rows are imported and the batch is marked as partial; a truncated
//!   row counts as malformed. Rows behind a row that isn't closed can't be recognized.
//! * Documents are written at once. If the end of one is missing, it is rejected.
//! * A damaged file of an archive is ignored, and the others are imported.

mod batches;
mod detect;
mod document;
mod feed;
mod folder;
mod lenient;
mod maester;
mod ocsf;
mod read;
mod sanitize;
pub mod scubagear;
mod source;
mod split;

pub use feed::{Feed, feed};
pub use folder::folder;
pub use read::read;
