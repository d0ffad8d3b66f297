//! Importers: result files and settings exports of other scanners, as Watchpost's own documents and rows.
//!
//! Everything in such a file is foreign. It is unpacked, decoded and read within [`ImportLimits`]; no size, nesting
//! or form of it makes a reader panic or grow. The form is told by content, never by a name.
//!
//! # What is kept of a damaged file
//! * A row that isn't what it should be is counted, told with its position, and left out; the others count.
//! * OCSF findings are written one by one while a scan runs. If their end is missing, the whole rows are kept and the
//!   batch is marked partial; a row that is cut in the middle counts as one that couldn't be read.
//! * Every other form is written in one go: if its end is missing, the file is refused and nothing of it is kept.

mod batches;
mod detect;
mod document;
mod feed;
mod loose;
mod maester;
mod ocsf;
mod read;
pub mod scubagear;
mod source;
mod split;
mod text;

pub use feed::{Feed, feed};
pub use read::read;
