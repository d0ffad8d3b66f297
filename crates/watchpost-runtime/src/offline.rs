//! Rules and checks without a database: their list, a customer's test cases, and evaluation of checks on another
//! scanner's export.
//!
//! [`Offline::evaluate_export`] evaluates a whole export. [`Offline::evaluate_cases`] evaluates many small exports on
//! several threads: it reads one line of JSON per case and writes one line of JSON per result, in the same order.

mod cases;
mod export;

use serde::Serialize;
use std::path::Path;
use thiserror::Error;
use watchpost_core::{
    check::{Check, CheckResult, Outcome},
    rule::{EngineError, Rule},
};
use watchpost_policy::Pack;

pub use watchpost_policy::{FolderReport, test_folder};

/// Maximum size of an export, or of one case, in bytes.
pub const INPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Rules and checks for use without a database.
#[derive(Debug)]
pub struct Offline {
    pack: Pack,
}

/// The reason why an export can't be evaluated.
#[derive(Debug, Error)]
pub enum OfflineError {
    /// The rules can't be loaded.
    #[error(transparent)]
    Policy(#[from] EngineError),
    /// The input is not a valid export, with the reason.
    #[error("{0}")]
    Input(String),
    /// No check has this id.
    #[error("there is no check `{0}`: `watchpost policy list` shows the checks")]
    UnknownCheck(String),
    /// No thread could be started.
    #[error("can't start a thread for the evaluation: {0}")]
    Thread(std::io::Error),
}

/// The result of a check on an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckLine {
    /// The check's id.
    pub check: String,
    /// The ids of the policies in published baselines that the check covers; may be empty.
    pub scuba_ids: Vec<String>,
    /// `passed`, `failed`, `skipped` or `error`.
    pub result: CheckResult,
    /// The reason for skipping the check: `not_applicable`, `unlicensed`, `unreadable` or `manual`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The result in one sentence.
    pub details: String,
}

impl CheckLine {
    fn new(check: &Check, scuba_ids: Vec<String>, outcome: &Outcome) -> Self {
        Self {
            check: check.id.clone(),
            scuba_ids,
            result: outcome.result,
            reason: outcome.skip.map(watchpost_core::check::SkipReason::as_str),
            details: outcome.reason.untrusted().to_owned(),
        }
    }
}

impl Offline {
    /// Loads the built-in rules and checks, and those in a folder.
    ///
    /// # Errors
    /// The errors of [`Pack::with_dir`].
    pub fn load(folder: Option<&Path>) -> Result<Self, EngineError> {
        let pack = match folder {
            Some(path) => Pack::with_dir(path)?,
            None => Pack::builtin(),
        };
        Ok(Self { pack })
    }

    /// The rules, sorted by id.
    pub fn rules(&self) -> &[Rule] {
        self.pack.rules()
    }

    /// The checks, sorted by id, including those of former baselines.
    pub fn checks(&self) -> &[Check] {
        self.pack.checks().checks()
    }

    /// Finds a check by its id, or by the id of a policy that it covers.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.find(id)
            .and_then(|position| self.pack.checks().checks().get(position))
    }

    /// Whether a rule or check is built in.
    pub fn is_builtin(&self, id: &str) -> bool {
        let checks = self.pack.checks();
        checks
            .position(id)
            .map_or_else(|| self.pack.is_builtin(id), |check| checks.is_builtin(check))
    }

    /// The parameters of a check, with their defaults.
    pub fn params(&self, check: &str) -> Option<&serde_json::Map<String, serde_json::Value>> {
        let checks = self.pack.checks();
        checks.position(check).and_then(|check| checks.params(check))
    }

    /// Finds the position of a check by its id, or by the id of a policy that it covers.
    fn find(&self, id: &str) -> Option<usize> {
        let checks = self.pack.checks();
        checks.position(id).or_else(|| checks.position_of_control(id))
    }
}
