//! Files of Rego: where they come from, and what is checked before they are compiled.

use crate::{
    limits::{LIBRARY_FUNCTIONS, Limits},
    metadata,
    program::{Compiled, Module},
};
use std::{borrow::Cow, fs::File, io::Read, path::Path};

/// A rule's or a check's file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) file: Cow<'static, str>,
    pub(crate) text: Cow<'static, str>,
    pub(crate) builtin: bool,
    /// A check of a former baseline, for offline evaluation alone.
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

    /// Whether its METADATA has the key that makes it a check.
    pub(crate) fn is_check(&self) -> bool {
        metadata::block(&self.text).is_some_and(|(yaml, _)| {
            yaml.lines().any(|line| {
                line.strip_prefix("scan")
                    .is_some_and(|rest| rest.trim_start().starts_with(':'))
            })
        })
    }

    /// The line of a key of its METADATA, or the first.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        metadata::line_of(&self.text, key)
    }

    pub(crate) fn module(&self) -> Module<'_> {
        Module {
            file: &self.file,
            text: &self.text,
        }
    }

    /// The package that it declares, with the number of its line less one.
    pub(crate) fn package(&self) -> Option<(usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .find_map(|(number, line)| Some((number, line.strip_prefix("package ")?.trim())))
    }

    /// Whether the package is the one that the `noun` (rule, check) `id` has.
    pub(crate) fn check_package(&self, noun: &str, id: &str, package: &str) -> Result<(), String> {
        let file = &self.file;
        match self.package() {
            Some((_, name)) if name == package => Ok(()),
            Some((number, _)) => Err(format!(
                "{file}:{}: the package of {noun} `{id}` is `{package}`",
                number.saturating_add(1)
            )),
            None => Err(format!("{file}: the package of {noun} `{id}` is `{package}`")),
        }
    }

    /// Whether a customer's file compiles and calls only what it may.
    pub(crate) fn check_functions(
        &self,
        compile: impl FnOnce() -> Result<Compiled, String>,
    ) -> Result<(), String> {
        let refuse = |function: &str, line: usize| {
            Err(format!(
                "{}:{line}: a rule must not call `{function}` (docs/rules.md lists what it may)",
                self.file
            ))
        };
        if let Some((function, line)) = library_call(&self.text) {
            return refuse(function, line);
        }
        let compiled = compile()?;
        match compiled.forbidden_function() {
            Some(function) => refuse(function, call_line(&self.text, function)),
            None => Ok(()),
        }
    }
}

/// The first call of a function that is the library's alone. The text is searched: what is compiled no longer says
/// whose call it is. That a text which only mentions such a call is refused too does no harm.
fn library_call(text: &str) -> Option<(&'static str, usize)> {
    LIBRARY_FUNCTIONS.iter().find_map(|function| {
        let line = call_line(text, function);
        (line > 0).then_some((*function, line))
    })
}

/// The line with the first call of a function, 0 if there is none.
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

/// Brackets within brackets in a rule. The parser tries alternatives at each level, so its time doubles with every one.
const NESTING_MAX: usize = 10;

/// The line on which brackets are nested too deep. Brackets in text count, too: that errs on the safe side.
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

/// The folder's `*.rego`, sorted by name, within bounds.
pub(crate) fn read_dir(path: &Path, limits: &Limits) -> Result<Vec<Source>, String> {
    let shown = path.display();
    let mut files = Vec::new();
    for item in std::fs::read_dir(path).map_err(|error| format!("{shown}: {error}"))? {
        let item = item.map_err(|error| format!("{shown}: {error}"))?;
        let file = item.path();
        if file.extension().is_some_and(|extension| extension == "rego") {
            files.push(file);
            if files.len() > limits.files {
                return Err(format!("{shown}: more than {} rule files", limits.files));
            }
        }
    }
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let name = file.display().to_string();
            let most = u64::try_from(limits.file_bytes).unwrap_or(u64::MAX);
            let mut bytes = Vec::new();
            File::open(&file)
                .and_then(|handle| handle.take(most.saturating_add(1)).read_to_end(&mut bytes))
                .map_err(|error| format!("{name}: {error}"))?;
            if bytes.len() > limits.file_bytes {
                return Err(format!("{name}: longer than {} bytes", limits.file_bytes));
            }
            let text = String::from_utf8(bytes).map_err(|_| format!("{name}: not UTF-8 text"))?;
            let columns = usize::try_from(limits.columns).unwrap_or(usize::MAX);
            let wide = text.lines().position(|line| line.chars().count() > columns);
            if let Some(line) = wide {
                let line = line.saturating_add(1);
                return Err(format!("{name}:{line}: wider than {columns} columns"));
            }
            if text.lines().count() > limits.lines {
                return Err(format!("{name}: more than {} lines", limits.lines));
            }
            if let Some(line) = too_deep(&text) {
                return Err(format!(
                    "{name}:{line}: nested deeper than {NESTING_MAX} brackets"
                ));
            }
            Ok(Source {
                file: name.into(),
                text: text.into(),
                builtin: false,
                variant: false,
            })
        })
        .collect()
}
