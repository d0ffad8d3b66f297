//! Scans, reports, schedules and exemptions.

mod compare;
mod exemption;
mod find;
mod read;
mod replay;
mod report;
mod schedule;
mod start;
mod trend;

pub use compare::ComparisonAnswer;
pub use read::{
    NamedResults, NewFailures, ResultAnswer, ResultChoice, ResultsAnswer, ScanAnswer, ScanSummary,
};
pub use replay::Replay;
pub use start::{ScanOrder, ScanRequest, ScanStarted, ScanTarget};
pub use trend::TrendAnswer;

use crate::error::{Error, NextStep};

fn not_found() -> Error {
    Error::not_found("scan", NextStep::ListScans)
}
