//! Runs the cases in a customer's folder, for rules and checks.

use crate::{
    cases,
    check::{self, CheckSet},
    limits::Limits,
    pack::Pack,
    text,
};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};
use watchpost_core::rule::EngineError;

/// Maximum size of a file of cases, in bytes.
const CASES_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The outcome of the cases in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FolderReport {
    /// Number of cases with the expected outcome.
    pub passed: usize,
    /// The other cases, one sentence each with the rule or check and the case.
    pub failed: Vec<String>,
    /// Ids of the folder's rules and checks without cases, sorted.
    pub without_cases: Vec<String>,
    /// Number of rules and checks in the folder.
    pub rules: usize,
}

/// Loads the folder's rules and checks and runs the `*.cases.json` beside them.
///
/// # Errors
/// [`EngineError::Load`] like [`Pack::with_dir`], or if a file has no valid cases or belongs to no rule or check in
/// the folder. A failed case is in the report.
pub fn test_folder(path: &Path) -> Result<FolderReport, EngineError> {
    let pack = Pack::with_dir(path)?;
    let set = pack.checks();
    let own_rules = pack.rules().iter().map(|rule| rule.id.as_str());
    let own_rules = own_rules.filter(|id| !pack.is_builtin(id));
    let own_checks = set
        .checks()
        .iter()
        .enumerate()
        .filter(|(position, _)| !set.is_builtin(*position))
        .map(|(_, check)| check.id.as_str());
    let mut left: Vec<&str> = own_rules.chain(own_checks).collect();
    let mut report = FolderReport {
        rules: left.len(),
        ..FolderReport::default()
    };
    for file in case_files(path, pack.limits())? {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let id = name.strip_suffix(".cases.json").unwrap_or(name);
        let shown = file.display().to_string();
        let Some(at) = left.iter().position(|own| *own == id) else {
            return Err(EngineError::Load(text::cases_without_owner(&shown, id)));
        };
        left.swap_remove(at);
        let content = read(&file, &shown)?;
        run(&pack, set, id, &shown, &content, &mut report)?;
    }
    left.sort_unstable();
    report.without_cases = left.into_iter().map(str::to_owned).collect();
    Ok(report)
}

fn run(
    pack: &Pack,
    set: &CheckSet,
    id: &str,
    file: &str,
    content: &str,
    report: &mut FolderReport,
) -> Result<(), EngineError> {
    let found = if set.position(id).is_some() {
        check::cases::run(pack, id, file, content)?
    } else {
        cases::run(pack, id, file, content)?
    };
    report.passed = report.passed.saturating_add(found.passed);
    report.failed.extend(found.failed);
    Ok(())
}

fn case_files(path: &Path, limits: &Limits) -> Result<Vec<PathBuf>, EngineError> {
    let shown = path.display();
    let failed = |error: std::io::Error| EngineError::Load(format!("{shown}: {error}"));
    let mut files = Vec::new();
    for item in std::fs::read_dir(path).map_err(failed)? {
        let file = item.map_err(failed)?.path();
        let name = file.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.ends_with(".cases.json")) {
            files.push(file);
            if files.len() > limits.files {
                return Err(EngineError::Load(text::too_many_case_files(shown, limits.files)));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path, shown: &str) -> Result<String, EngineError> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|handle| {
            handle
                .take(CASES_BYTES_MAX.saturating_add(1))
                .read_to_end(&mut bytes)
        })
        .map_err(|error| EngineError::Load(format!("{shown}: {error}")))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > CASES_BYTES_MAX {
        return Err(EngineError::Load(text::file_too_long(shown, CASES_BYTES_MAX)));
    }
    String::from_utf8(bytes).map_err(|_| EngineError::Load(format!("{shown}: {}", text::NOT_UTF8)))
}
