//! A pack: the rules and checks that are active in this process.

use crate::{
    builtin,
    check::CheckSet,
    condition::{self, Declared, SharedCondition},
    limits::Limits,
    metadata::{self, Metadata, package_of},
    program::{Compiled, Module, guarded},
    source::{self, Source},
    text,
    value::to_value,
};
use regorus::Value;
use std::{
    path::Path,
    sync::{Arc, OnceLock},
};
use watchpost_core::rule::{EngineError, Rule, document::DocumentType};

/// A rule with its METADATA.
#[derive(Debug)]
pub(crate) struct Entry {
    source: Source,
    pub(crate) metadata: Metadata,
}

/// The active rules and checks: the built-in ones and optionally a customer's. Creating a pack is cheap: the METADATA of
/// built-in files is read on demand, and they are compiled at the first evaluation. Clones share one pack, so both
/// engines can use the same pack, which is loaded once.
#[derive(Clone)]
pub struct Pack(Arc<Inner>);

struct Inner {
    sources: Vec<Source>,
    check_sources: Vec<Source>,
    limits: Limits,
    loaded: OnceLock<Loaded>,
    prepared: OnceLock<Result<Arc<Prepared>, String>>,
    checks: OnceLock<Arc<CheckSet>>,
}

#[derive(Debug)]
struct Loaded {
    entries: Vec<Entry>,
    rules: Vec<Rule>,
}

/// Compiled rules with their `data`.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) programs: Vec<(DocumentType, Compiled)>,
    pub(crate) data: Value,
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pack")
            .field("rules", &self.0.sources.len())
            .field("checks", &self.0.check_sources.len())
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

impl Pack {
    /// Returns the built-in rules and checks.
    pub fn builtin() -> Self {
        Self(Arc::new(Inner::builtin()))
    }

    /// Loads the built-in rules and checks and those in the folder `path` (`*.rego`, without subfolders), within
    /// [`Limits::default`]. A file whose METADATA has `scan:` is a check, any other file is a rule.
    ///
    /// # Errors
    /// [`EngineError::Load`] if METADATA or Rego is invalid, an id is taken, or a limit is exceeded. It names the file
    /// and line.
    pub fn with_dir(path: &Path) -> Result<Self, EngineError> {
        Self::with_dir_and_limits(path, Limits::default())
    }

    /// Like [`Self::with_dir`], within `limits`.
    ///
    /// # Errors
    /// Like [`Self::with_dir`].
    pub fn with_dir_and_limits(path: &Path, limits: Limits) -> Result<Self, EngineError> {
        let mut pack = Inner::builtin();
        pack.limits = limits;
        let found = source::read_dir(path, &limits).map_err(EngineError::Load)?;
        let (checks, rules): (Vec<Source>, Vec<Source>) = found.into_iter().partition(Source::is_check);
        pack.sources.extend(rules);
        pack.check_sources.extend(checks);
        let loaded = load(&pack.sources).map_err(EngineError::Load)?;
        let checks = CheckSet::load(&pack.check_sources, limits).map_err(EngineError::Load)?;
        check_ids(&loaded, &checks).map_err(EngineError::Load)?;
        condition::shared(&declared(&loaded, &checks)).map_err(EngineError::Load)?;
        // Each customer's rule is compiled separately, so that the error names its file, and when the process starts, so
        // that mistakes are reported immediately.
        guarded(|| {
            for entry in loaded.entries.iter().filter(|entry| !entry.source.builtin) {
                check(entry, &limits)?;
            }
            checks.check_customers()
        })
        .map_err(EngineError::Load)?;
        pack.loaded = OnceLock::from(loaded);
        pack.checks = OnceLock::from(Arc::new(checks));
        Ok(Self(Arc::new(pack)))
    }

    /// Returns the rules, sorted by id.
    pub fn rules(&self) -> &[Rule] {
        &self.loaded().rules
    }

    /// Returns the checks.
    pub fn checks(&self) -> &CheckSet {
        self.check_set()
    }

    /// Returns the conditions that several rules or checks judge, sorted by id.
    ///
    /// # Errors
    /// [`EngineError::Load`] if a condition is declared incorrectly. A pack with a customer's folder never returns this
    /// error, because loading it would have failed.
    pub fn shared_conditions(&self) -> Result<Vec<SharedCondition>, EngineError> {
        condition::shared(&declared(self.loaded(), self.check_set())).map_err(EngineError::Load)
    }

    /// Returns the limits on customers' rules and checks.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Whether the rule with this id is built in.
    pub fn is_builtin(&self, id: &str) -> bool {
        self.entries()
            .iter()
            .any(|entry| entry.source.builtin && entry.metadata.rule.id == id)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.loaded().entries
    }

    pub(crate) fn check_set(&self) -> &Arc<CheckSet> {
        self.0.checks.get_or_init(|| {
            let checks = CheckSet::load(&self.0.check_sources, self.0.limits);
            Arc::new(checks.expect("built-in METADATA is read by a test"))
        })
    }

    fn loaded(&self) -> &Loaded {
        self.0
            .loaded
            .get_or_init(|| load(&self.0.sources).expect("built-in METADATA is read by a test"))
    }

    /// Compiles the rules once. Takes about ten milliseconds and much stack, so call it on a thread of the pool.
    pub(crate) fn prepared(&self) -> Result<Arc<Prepared>, EngineError> {
        self.0
            .prepared
            .get_or_init(|| prepare(self.entries(), &self.0.limits).map(Arc::new))
            .clone()
            .map_err(EngineError::Load)
    }
}

impl Inner {
    fn builtin() -> Self {
        Self {
            sources: builtin::RULES
                .iter()
                .map(|(file, text)| Source::builtin(file, text))
                .collect(),
            check_sources: builtin::CHECKS
                .iter()
                .map(|(file, text)| Source::builtin(file, text))
                .chain(
                    builtin::VARIANTS
                        .iter()
                        .map(|(file, text)| Source::variant(file, text)),
                )
                .collect(),
            limits: Limits::default(),
            loaded: OnceLock::new(),
            prepared: OnceLock::new(),
            checks: OnceLock::new(),
        }
    }
}

fn load(sources: &[Source]) -> Result<Loaded, String> {
    let mut entries: Vec<Entry> = Vec::with_capacity(sources.len());
    for source in sources {
        let metadata = metadata::read(&source.file, &source.text)?;
        let id = &metadata.rule.id;
        let stem = Path::new(source.file.as_ref()).file_stem();
        if stem.is_none_or(|stem| stem != id.as_str()) {
            return Err(text::wrong_file_name(&source.file, "rule", id));
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
            return Err(text::id_taken(&new.source.file, "rule", &new.metadata.rule.id));
        }
    }
    let rules = entries.iter().map(|entry| entry.metadata.rule.clone()).collect();
    Ok(Loaded { entries, rules })
}

/// Returns the conditions of all rules and checks.
fn declared<'a>(loaded: &'a Loaded, checks: &'a CheckSet) -> Vec<Declared<'a>> {
    let rules = loaded.entries.iter().map(|entry| Declared {
        source: &entry.source,
        id: &entry.metadata.rule.id,
        condition: &entry.metadata.rule.condition,
        entity: entry.metadata.rule.entity_type(),
    });
    rules.chain(checks.declared()).collect()
}

/// Rejects a rule and a check with the same id: each would treat the other's findings as its own.
fn check_ids(loaded: &Loaded, checks: &CheckSet) -> Result<(), String> {
    let taken = loaded
        .entries
        .iter()
        .find_map(|entry| Some((entry, checks.entry(checks.position(&entry.metadata.rule.id)?)?)));
    match taken {
        None => Ok(()),
        Some((rule, check)) if rule.source.builtin => {
            Err(text::id_taken(&check.source.file, "rule", &rule.metadata.rule.id))
        }
        Some((rule, _)) => Err(text::id_taken(&rule.source.file, "check", &rule.metadata.rule.id)),
    }
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
        let rules: Vec<(usize, String)> = of_type
            .iter()
            .map(|(index, entry)| (*index, package_of(&entry.metadata.rule.id)))
            .collect();
        let compiled = Compiled::new(&modules, &rules, true, &builtin_limits)?;
        programs.push((*document, compiled));
    }
    // Each customer's rule has its own program: it sees only the library, and can't affect other rules.
    for (index, entry) in entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| !entry.source.builtin)
    {
        programs.push((entry.metadata.rule.document, compile_alone(index, entry, limits)?));
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
    Compiled::new(
        &[lib(), module(entry)],
        &[(index, package_of(&entry.metadata.rule.id))],
        false,
        limits,
    )
}

/// Checks that a customer's rule has the right package, compiles, and calls only allowed functions.
fn check(entry: &Entry, limits: &Limits) -> Result<(), String> {
    let id = &entry.metadata.rule.id;
    entry.source.check_package("rule", id, &package_of(id))?;
    entry.source.check_functions(|| compile_alone(0, entry, limits))
}

const fn lib() -> Module<'static> {
    Module {
        file: builtin::LIB.0,
        text: builtin::LIB.1,
    }
}

fn module(entry: &Entry) -> Module<'_> {
    entry.source.module()
}
