//! A pack: the rules that are active in this process.

use crate::{
    builtin,
    limits::{LIBRARY_FUNCTIONS, Limits},
    metadata::{self, Metadata, package_of},
    program::{Compiled, Module, guarded},
    value::to_value,
};
use regorus::Value;
use std::{
    borrow::Cow,
    fs::File,
    io::Read,
    path::Path,
    sync::{Arc, OnceLock},
};
use watchpost_core::{
    document::DocumentType,
    policy::{PolicyError, Rule},
};

/// A rule's file.
#[derive(Debug, Clone)]
struct Source {
    file: Cow<'static, str>,
    text: Cow<'static, str>,
    builtin: bool,
}

/// A rule with its METADATA.
#[derive(Debug)]
pub(crate) struct Entry {
    source: Source,
    pub(crate) metadata: Metadata,
}

/// The active rules: the built-in ones and perhaps a customer's. Making one is free: the built-in rules' METADATA is
/// read when somebody asks for it, and they are compiled at the first evaluation.
pub struct PolicyPack {
    sources: Vec<Source>,
    limits: Limits,
    loaded: OnceLock<Loaded>,
    prepared: OnceLock<Result<Arc<Prepared>, String>>,
}

#[derive(Debug)]
struct Loaded {
    entries: Vec<Entry>,
    rules: Vec<Rule>,
}

/// Compiled rules with the data that they see.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) programs: Vec<Compiled>,
    pub(crate) data: Value,
}

impl std::fmt::Debug for PolicyPack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicyPack")
            .field("files", &self.sources.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl PolicyPack {
    /// The built-in rules.
    pub fn builtin() -> Self {
        let sources = builtin::RULES
            .iter()
            .map(|(file, text)| Source {
                file: Cow::Borrowed(file),
                text: Cow::Borrowed(text),
                builtin: true,
            })
            .collect();
        Self {
            sources,
            limits: Limits::default(),
            loaded: OnceLock::new(),
            prepared: OnceLock::new(),
        }
    }

    /// The built-in rules and those in the folder `path` (`*.rego`, not its subfolders), within [`Limits::default`].
    ///
    /// # Errors
    /// [`PolicyError::Load`] names file and line of what is wrong: METADATA, Rego, an id that is taken, a bound.
    pub fn with_dir(path: &Path) -> Result<Self, PolicyError> {
        Self::with_dir_and_limits(path, Limits::default())
    }

    /// As [`Self::with_dir`], within `limits`.
    ///
    /// # Errors
    /// As [`Self::with_dir`].
    pub fn with_dir_and_limits(path: &Path, limits: Limits) -> Result<Self, PolicyError> {
        let mut pack = Self::builtin();
        pack.limits = limits;
        pack.sources
            .extend(read_dir(path, &limits).map_err(PolicyError::Load)?);
        let loaded = load(&pack.sources).map_err(PolicyError::Load)?;
        // Each customer's rule is compiled by itself, so that the error names its file; and at start, so that a
        // mistake is seen then and not at night.
        guarded(|| {
            for entry in loaded.entries.iter().filter(|entry| !entry.source.builtin) {
                check(entry, &limits)?;
            }
            Ok(())
        })
        .map_err(PolicyError::Load)?;
        pack.loaded = OnceLock::from(loaded);
        Ok(pack)
    }

    /// The rules, sorted by id.
    pub fn rules(&self) -> &[Rule] {
        &self.loaded().rules
    }

    /// The bounds in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a rule is built in.
    pub fn is_builtin(&self, id: &str) -> bool {
        self.entries()
            .iter()
            .any(|entry| entry.source.builtin && entry.metadata.rule.id == id)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.loaded().entries
    }

    fn loaded(&self) -> &Loaded {
        self.loaded
            .get_or_init(|| load(&self.sources).expect("built-in METADATA is read by a test"))
    }

    /// Compiles the rules, once. Takes some ten milliseconds and much stack: call it on a thread of the pool.
    pub(crate) fn prepared(&self) -> Result<Arc<Prepared>, PolicyError> {
        self.prepared
            .get_or_init(|| prepare(self.entries(), &self.limits).map(Arc::new))
            .clone()
            .map_err(PolicyError::Load)
    }
}

fn load(sources: &[Source]) -> Result<Loaded, String> {
    let mut entries: Vec<Entry> = Vec::with_capacity(sources.len());
    for source in sources {
        let metadata = metadata::read(&source.file, &source.text)?;
        let id = &metadata.rule.id;
        let stem = Path::new(source.file.as_ref()).file_stem();
        if stem.is_none_or(|stem| stem != id.as_str()) {
            return Err(format!(
                "{}:2: METADATA: the file of rule `{id}` is named `{id}.rego`",
                source.file
            ));
        }
        entries.push(Entry {
            source: source.clone(),
            metadata,
        });
    }
    entries.sort_by(|a, b| a.metadata.rule.id.cmp(&b.metadata.rule.id));
    for pair in entries.windows(2) {
        if let [one, other] = pair
            && one.metadata.rule.id == other.metadata.rule.id
        {
            let new = if one.source.builtin { other } else { one };
            return Err(format!(
                "{}:2: METADATA: there is a rule `{}` already",
                new.source.file, new.metadata.rule.id
            ));
        }
    }
    let rules = entries.iter().map(|entry| entry.metadata.rule.clone()).collect();
    Ok(Loaded { entries, rules })
}

fn prepare(entries: &[Entry], limits: &Limits) -> Result<Prepared, String> {
    let builtin_limits = Limits::default();
    let mut programs = Vec::new();
    for document in DocumentType::ALL {
        let of_type: Vec<(usize, &Entry)> = entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.metadata.rule.document == *document && entry.source.builtin)
            .collect();
        if of_type.is_empty() {
            continue;
        }
        let modules: Vec<Module<'_>> = std::iter::once(lib())
            .chain(of_type.iter().map(|(_, entry)| module(entry)))
            .collect();
        let rules: Vec<(usize, &str)> = of_type
            .iter()
            .map(|(index, entry)| (*index, entry.metadata.rule.id.as_str()))
            .collect();
        programs.push(Compiled::new(*document, &modules, &rules, true, &builtin_limits)?);
    }
    // A customer's rule has a program of its own: it sees the library and nothing else, and can't crowd others out.
    for (index, entry) in entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| !entry.source.builtin)
    {
        programs.push(compile_alone(index, entry, limits)?);
    }
    let params: serde_json::Map<String, serde_json::Value> = entries
        .iter()
        .map(|entry| {
            (
                entry.metadata.rule.id.clone(),
                entry.metadata.params.clone().into(),
            )
        })
        .collect();
    let data = to_value(&serde_json::json!({ "params": params })).map_err(|error| error.to_string())?;
    Ok(Prepared { programs, data })
}

fn compile_alone(index: usize, entry: &Entry, limits: &Limits) -> Result<Compiled, String> {
    let rule = &entry.metadata.rule;
    Compiled::new(
        rule.document,
        &[lib(), module(entry)],
        &[(index, &rule.id)],
        false,
        limits,
    )
}

/// Whether a customer's rule compiles, has its package and calls only what it may.
fn check(entry: &Entry, limits: &Limits) -> Result<(), String> {
    let (file, id) = (&entry.source.file, &entry.metadata.rule.id);
    let package = package_of(id);
    let declared = entry
        .source
        .text
        .lines()
        .enumerate()
        .find_map(|(number, line)| Some((number, line.strip_prefix("package ")?)));
    match declared {
        Some((_, name)) if name.trim() == package => {}
        Some((number, _)) => {
            return Err(format!(
                "{file}:{}: the package of rule `{id}` is `{package}`",
                number.saturating_add(1)
            ));
        }
        None => return Err(format!("{file}: the package of rule `{id}` is `{package}`")),
    }
    let refuse = |function: &str, line: usize| {
        Err(format!(
            "{file}:{line}: a rule must not call `{function}` (docs/rules.md lists what it may)"
        ))
    };
    if let Some((function, line)) = library_call(&entry.source.text) {
        return refuse(function, line);
    }
    let compiled = compile_alone(0, entry, limits)?;
    match compiled.forbidden_function() {
        Some(function) => refuse(function, call_line(&entry.source.text, function)),
        None => Ok(()),
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

const fn lib() -> Module<'static> {
    Module {
        file: builtin::LIB.0,
        text: builtin::LIB.1,
    }
}

fn module(entry: &Entry) -> Module<'_> {
    Module {
        file: &entry.source.file,
        text: &entry.source.text,
    }
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

fn read_dir(path: &Path, limits: &Limits) -> Result<Vec<Source>, String> {
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
            })
        })
        .collect()
}
