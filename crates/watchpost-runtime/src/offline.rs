//! Rules and checks without a database: what there is, a customer's cases, and checks on a file that another scanner
//! exported.
//!
//! An export is judged whole ([`Offline::evaluate_export`]) or case by case ([`Offline::evaluate_cases`]): a line of
//! JSON in, a line of JSON out, in the same order, on several threads.

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

/// Bytes of an export, or of one case.
pub const INPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Rules and checks, ready for use without a database.
#[derive(Debug)]
pub struct Offline {
    pack: Pack,
}

/// Why an export can't be judged.
#[derive(Debug, Error)]
pub enum OfflineError {
    /// The rules don't load.
    #[error(transparent)]
    Policy(#[from] EngineError),
    /// The input isn't an export; says why.
    #[error("{0}")]
    Input(String),
    /// No check has this id.
    #[error("there is no check `{0}`")]
    UnknownCheck(String),
    /// No thread could be started.
    #[error("no thread to evaluate on: {0}")]
    Thread(std::io::Error),
}

/// What a check says of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckLine {
    /// The check's id.
    pub check: String,
    /// The policies of published baselines that it answers for.
    pub scuba_ids: Vec<String>,
    /// `passed`, `failed`, `skipped` or `error`.
    pub result: CheckResult,
    /// Why it was skipped: `not_applicable`, `unlicensed`, `unreadable` or `manual`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// One sentence.
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
    /// The built-in rules and checks, and those of a folder.
    ///
    /// # Errors
    /// As [`Pack::with_dir`].
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

    /// The checks, sorted by id, with those of former baselines.
    pub fn checks(&self) -> &[Check] {
        self.pack.checks().checks()
    }

    /// A check by its id or by the id of a policy that it answers for.
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

    /// The parameters of a check with their defaults.
    pub fn params(&self, check: &str) -> Option<&serde_json::Map<String, serde_json::Value>> {
        let checks = self.pack.checks();
        checks.position(check).and_then(|check| checks.params(check))
    }

    /// The position of a check by its id or by the id of a policy that it answers for.
    fn find(&self, id: &str) -> Option<usize> {
        let checks = self.pack.checks();
        checks.position(id).or_else(|| checks.position_of_control(id))
    }
}
