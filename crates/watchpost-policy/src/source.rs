//! Rego files: how they are read, and the checks before they are compiled.

use crate::{
    limits::{LIBRARY_FUNCTIONS, Limits},
    metadata,
    program::{Compiled, Module},
    text,
};
use std::{borrow::Cow, fs::File, io::Read, path::Path};

/// The file of a rule or check.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) file: Cow<'static, str>,
    pub(crate) text: Cow<'static, str>,
    pub(crate) builtin: bool,
    /// Whether it is a check of a former baseline, which only offline evaluation uses.
    pub(crate) variant: bool,
}

impl Source {
    pub(crate) const fn builtin(file: &'static str, text: &'static str) -> Self {
        Self {
            file: Cow::Borrowed(file),
            text: Cow::Borrowed(text),
            builtin: true,
            variant: false,
        }
    }

    pub(crate) fn variant(file: &'static str, text: &'static str) -> Self {
        Self {
            variant: true,
            ..Self::builtin(file, text)
        }
    }

    /// Whether the METADATA has the key that marks a check.
    pub(crate) fn is_check(&self) -> bool {
        metadata::block(&self.text).is_some_and(|(yaml, _)| {
            yaml.lines().any(|line| {
                line.strip_prefix("scan")
                    .is_some_and(|rest| rest.trim_start().starts_with(':'))
            })
        })
    }

    /// Returns the line of a key of the METADATA, or 1.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        metadata::line_of(&self.text, key)
    }

    pub(crate) fn module(&self) -> Module<'_> {
        Module {
            file: &self.file,
            text: &self.text,
        }
    }

    /// Returns the declared package and the zero-based number of its line.
    pub(crate) fn package(&self) -> Option<(usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .find_map(|(number, line)| Some((number, line.strip_prefix("package ")?.trim())))
    }

    /// Checks that the file declares `package`, the package of the `noun` (`rule` or `check`) `id`.
    pub(crate) fn check_package(&self, noun: &str, id: &str, package: &str) -> Result<(), String> {
        let file = &self.file;
        match self.package() {
            Some((_, name)) if name == package => Ok(()),
            Some((number, _)) => {
                let place = format!("{file}:{}", number.saturating_add(1));
                Err(text::wrong_package(place, noun, id, package))
            }
            None => Err(text::wrong_package(file, noun, id, package)),
        }
    }

    /// Checks that a customer's file compiles and calls only allowed functions.
    pub(crate) fn check_functions(
        &self,
        compile: impl FnOnce() -> Result<Compiled, String>,
    ) -> Result<(), String> {
        let reject = |function: &str, line: usize| Err(text::forbidden_call(&self.file, line, function));
        if let Some((function, line)) = library_call(&self.text) {
            return reject(function, line);
        }
        let compiled = compile()?;
        match compiled.forbidden_function() {
            Some(function) => reject(function, call_line(&self.text, function)),
            None => Ok(()),
        }
    }
}

/// Returns the first call of a function that only the library may call, with its line. Searches the source, because the
/// compiled program doesn't show which file makes a call. A string that only mentions such a call is also rejected,
/// which is harmless.
fn library_call(text: &str) -> Option<(&'static str, usize)> {
    LIBRARY_FUNCTIONS.iter().find_map(|function| {
        let line = call_line(text, function);
        (line > 0).then_some((*function, line))
    })
}

/// Returns the line with the first call of a function, or 0.
fn call_line(text: &str, function: &str) -> usize {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    text.match_indices(function)
        .find(|(at, _)| {
            let (before, rest) = text.split_at(*at);
            let after = rest.get(function.len()..).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            !line.trim_start().starts_with('#')
                && !before.ends_with(part_of_name)
                && after.trim_start().starts_with('(')
        })
        .map_or(0, |(at, _)| {
            let before = text.get(..at).unwrap_or_default();
            before.matches('\n').count().saturating_add(1)
        })
}

/// Maximum nesting depth of brackets in a rule. The parser tries alternatives at each level, so its time doubles with
/// every level.
const NESTING_MAX: usize = 10;

/// Returns the line on which brackets are nested too deep. Brackets in strings also count, which errs on the safe side.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        for c in line.chars() {
            match c {
                '(' | '[' | '{' => depth = depth.saturating_add(1),
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > NESTING_MAX {
                return Some(number.saturating_add(1));
            }
        }
    }
    None
}

/// Reads the folder's `*.rego` files, sorted by name, within `limits`.
pub(crate) fn read_dir(path: &Path, limits: &Limits) -> Result<Vec<Source>, String> {
    let shown = path.display();
    let mut files = Vec::new();
    for item in std::fs::read_dir(path).map_err(|error| format!("{shown}: {error}"))? {
        let item = item.map_err(|error| format!("{shown}: {error}"))?;
        let file = item.path();
        if file.extension().is_some_and(|extension| extension == "rego") {
            files.push(file);
            if files.len() > limits.files {
                return Err(text::too_many_rule_files(shown, limits.files));
            }
        }
    }
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let name = file.display().to_string();
            let max_bytes = u64::try_from(limits.file_bytes).unwrap_or(u64::MAX);
            let mut bytes = Vec::new();
            File::open(&file)
                .and_then(|handle| handle.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes))
                .map_err(|error| format!("{name}: {error}"))?;
            if bytes.len() > limits.file_bytes {
                return Err(text::file_too_long(&name, limits.file_bytes));
            }
            let content = String::from_utf8(bytes).map_err(|_| format!("{name}: {}", text::NOT_UTF8))?;
            let columns = usize::try_from(limits.columns).unwrap_or(usize::MAX);
            let wide = content.lines().position(|line| line.chars().count() > columns);
            if let Some(line) = wide {
                let line = line.saturating_add(1);
                return Err(text::line_too_wide(&name, line, columns));
            }
            if content.lines().count() > limits.lines {
                return Err(text::too_many_lines(&name, limits.lines));
            }
            if let Some(line) = too_deep(&content) {
                return Err(text::nested_too_deep(&name, line, NESTING_MAX));
            }
            Ok(Source {
                file: name.into(),
                text: content.into(),
                builtin: false,
                variant: false,
            })
        })
        .collect()
}
