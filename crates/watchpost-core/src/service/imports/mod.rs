//! Imports: other scanners' result files, beside our own verdicts.

mod disagree;
mod file;
mod judge;
mod read;

pub use disagree::DisagreementAnswer;
pub use file::{ImportAnswer, ImportRequest};

use crate::error::Error;

fn no_integration() -> Error {
    Error::NotFound {
        what: "integration",
        next: "`watchpost integrations list` shows the ids".into(),
    }
}
