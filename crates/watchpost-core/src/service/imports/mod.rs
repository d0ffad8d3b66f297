//! Imports: other scanners' result files, beside our own verdicts.

mod disagree;
mod file;
mod judge;
mod read;

pub use disagree::DisagreementAnswer;
pub use file::{ImportAnswer, ImportRequest};

use crate::error::{Error, NextStep};

fn no_integration() -> Error {
    Error::not_found("integration", NextStep::ListIntegrations)
}
