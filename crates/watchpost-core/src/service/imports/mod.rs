//! Imports of other scanners' result files, which are stored beside Watchpost's own verdicts.

mod disagree;
mod evaluate;
mod file;
mod read;

pub use disagree::DisagreementAnswer;
pub use file::{ImportAnswer, ImportRequest};

use crate::error::{Error, NextStep};

fn no_integration() -> Error {
    Error::not_found("integration", NextStep::ListIntegrations)
}
