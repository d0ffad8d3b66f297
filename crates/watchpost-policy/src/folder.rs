//! The cases of a customer's folder, rules and checks alike.

use crate::{
    cases,
    check::{self, CheckSet},
    limits::Limits,
    pack::Pack,
};
use std::{fs::File, io::Read, path::Path};
use watchpost_core::rule::EngineError;

/// Bytes of a file of cases.
const CASES_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What the cases of a folder showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FolderReport {
    /// Cases that ended as expected.
    pub passed: usize,
    /// The others, each as a sentence that names the rule or check and the case.
    pub failed: Vec<String>,
    /// Rules and checks of the folder that have no cases.
    pub without_cases: Vec<String>,
    /// Rules and checks of the folder.
    pub rules: usize,
}

/// Loads the folder's rules and checks and runs the `*.cases.json` beside them.
///
/// # Errors
/// [`EngineError::Load`] as [`Pack::with_dir`], or if a file isn't one of cases or belongs to no rule or check of
/// the folder. A case that fails is in the report.
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
            return Err(EngineError::Load(format!(
                "{shown}: the folder has no rule or check `{id}`"
            )));
        };
        left.swap_remove(at);
        let text = read(&file, &shown)?;
        run(&pack, set, id, &shown, &text, &mut report)?;
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
    text: &str,
    report: &mut FolderReport,
) -> Result<(), EngineError> {
    let found = if set.position(id).is_some() {
        check::cases::run(pack, id, file, text)?
    } else {
        cases::run(pack, id, file, text)?
    };
    report.passed = report.passed.saturating_add(found.passed);
    report.failed.extend(found.failed);
    Ok(())
}

fn case_files(path: &Path, limits: &Limits) -> Result<Vec<std::path::PathBuf>, EngineError> {
    let shown = path.display();
    let failed = |error: std::io::Error| EngineError::Load(format!("{shown}: {error}"));
    let mut files = Vec::new();
    for item in std::fs::read_dir(path).map_err(failed)? {
        let file = item.map_err(failed)?.path();
        let name = file.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.ends_with(".cases.json")) {
            files.push(file);
            if files.len() > limits.files {
                return Err(EngineError::Load(format!(
                    "{shown}: more than {} files of cases",
                    limits.files
                )));
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
        return Err(EngineError::Load(format!(
            "{shown}: longer than {CASES_BYTES_MAX} bytes"
        )));
    }
    String::from_utf8(bytes).map_err(|_| EngineError::Load(format!("{shown}: not UTF-8 text")))
}
