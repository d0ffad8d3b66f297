//! The checks of a pack.

use super::{
    control_id::stem,
    metadata::{self, CheckMetadata, package_of},
};
use crate::{
    builtin,
    condition::Declared,
    limits::Limits,
    program::{Compiled, Module},
    source::Source,
    text,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, OnceLock},
};
use watchpost_core::{
    check::{Check, Framework, Service},
    value::word::EntityType,
};

/// Maximum number of instructions of a built-in check on one document. A big tenant has thousands of rows in a setting.
const BUILTIN_INSTRUCTIONS: usize = 20_000_000;

/// A check with data that the port doesn't need.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) source: Source,
    pub(crate) metadata: CheckMetadata,
}

/// Checks that are compiled together when one of them is first evaluated.
#[derive(Debug)]
pub(crate) struct Group {
    members: Vec<usize>,
    compiled: OnceLock<Result<Arc<Compiled>, String>>,
}

/// The checks of a pack: the built-in ones, those of former baselines, and optionally a customer's. METADATA is loaded
/// first; groups of checks are compiled on demand and shared by all threads.
#[derive(Debug)]
pub struct CheckSet {
    entries: Vec<Entry>,
    checks: Vec<Check>,
    limits: Limits,
    groups: Vec<Group>,
    /// Each check's group and its entry point there. `None` for manual checks.
    places: Vec<Option<(usize, usize)>>,
    /// Positions of checks, by the stem of each id that exemptions and parameters may use.
    by_key: BTreeMap<String, Vec<usize>>,
}

impl CheckSet {
    /// Loads the METADATA and sorts the checks by id.
    pub(crate) fn load(sources: &[Source], limits: Limits) -> Result<Self, String> {
        let mut entries: Vec<Entry> = Vec::with_capacity(sources.len());
        for source in sources {
            let metadata = metadata::read(&source.file, &source.text, source.variant)?;
            let id = &metadata.check.id;
            let stem = Path::new(source.file.as_ref()).file_stem();
            // Files of variants are named after the control that they cover.
            if !source.variant && stem.is_none_or(|stem| stem != id.as_str()) {
                return Err(text::wrong_file_name(&source.file, "check", id));
            }
            entries.push(Entry {
                source: source.clone(),
                metadata,
            });
        }
        entries.sort_by(|a, b| a.metadata.check.id.cmp(&b.metadata.check.id));
        for pair in entries.windows(2) {
            if let [one, other] = pair
                && one.metadata.check.id == other.metadata.check.id
            {
                let new = if one.source.builtin { other } else { one };
                return Err(text::id_taken(&new.source.file, "check", &new.metadata.check.id));
            }
        }
        let checks: Vec<Check> = entries.iter().map(|entry| entry.metadata.check.clone()).collect();
        let (groups, places) = grouped(&entries);
        Ok(Self {
            by_key: keys(&checks),
            entries,
            checks,
            limits,
            groups,
            places,
        })
    }

    /// Compiles each of a customer's checks separately, so that the error names its file.
    pub(crate) fn check_customers(&self) -> Result<(), String> {
        let customers = self.entries.iter().filter(|entry| !entry.source.builtin);
        for entry in customers {
            let id = &entry.metadata.check.id;
            entry.source.check_package("check", id, &package_of(id))?;
            if entry.metadata.check.manual {
                continue;
            }
            entry
                .source
                .check_functions(|| compile(&[(0, entry)], &self.limits))?;
        }
        Ok(())
    }

    /// Returns the checks, sorted by id.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Returns the position of the check with this id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.checks
            .binary_search_by(|check| check.id.as_str().cmp(id))
            .ok()
    }

    /// Whether the check at a position is built in.
    pub fn is_builtin(&self, check: usize) -> bool {
        self.entries.get(check).is_some_and(|entry| entry.source.builtin)
    }

    /// Returns the default parameters of the check at a position.
    pub fn params(&self, check: usize) -> Option<&serde_json::Map<String, serde_json::Value>> {
        self.entries.get(check).map(|entry| &entry.metadata.params)
    }

    /// Returns the position of the check that covers a control of a published baseline (`MS.AAD.3.2v1`): a check with
    /// exactly this id, or a check with another version of it. Checks that scans run come before checks of former
    /// baselines.
    pub fn position_of_control(&self, control: &str) -> Option<usize> {
        let named = |check: &Check, same: &dyn Fn(&str) -> bool| {
            check
                .frameworks
                .iter()
                .any(|id| id.framework() == Framework::Scuba && same(id.as_str()))
        };
        let wanted = stem(control);
        let exact = |id: &str| id.eq_ignore_ascii_case(control.trim());
        let versions = |id: &str| stem(id) == wanted;
        let find = |scanned: &[bool], same: &dyn Fn(&str) -> bool| {
            scanned.iter().find_map(|scanned| {
                self.checks
                    .iter()
                    .position(|check| check.scan.is_some() == *scanned && named(check, same))
            })
        };
        find(&[true, false], &exact).or_else(|| find(&[true, false], &versions))
    }

    /// Returns the position of the check in the built-in file with this name.
    pub(crate) fn position_of_file(&self, file: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.source.file.as_ref() == file)
    }

    /// Returns the conditions of the checks that make findings.
    pub(crate) fn declared(&self) -> impl Iterator<Item = Declared<'_>> {
        let makes_findings = |entry: &&Entry| entry.metadata.check.scan.is_some();
        self.entries.iter().filter(makes_findings).map(|entry| Declared {
            source: &entry.source,
            id: &entry.metadata.check.id,
            condition: &entry.metadata.check.condition,
            entity: EntityType::Integration,
        })
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn entry(&self, check: usize) -> Option<&Entry> {
        self.entries.get(check)
    }

    pub(crate) fn place(&self, check: usize) -> Option<(usize, usize)> {
        self.places.get(check).copied().flatten()
    }

    pub(crate) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Returns the limits of a group's checks.
    pub(crate) fn limits_of(&self, group: usize) -> Limits {
        let first = self.groups.get(group).and_then(|group| group.members.first());
        if first.is_some_and(|check| self.is_builtin(*check)) {
            builtin_limits()
        } else {
            self.limits
        }
    }

    /// Returns a group's program. Compiling it takes some milliseconds and much stack.
    pub(crate) fn compiled(&self, group: usize) -> Result<Arc<Compiled>, String> {
        let Some(group_) = self.groups.get(group) else {
            return Err(text::NO_SUCH_GROUP.to_owned());
        };
        group_
            .compiled
            .get_or_init(|| {
                let members: Vec<(usize, &Entry)> = group_
                    .members
                    .iter()
                    .filter_map(|check| Some((*check, self.entries.get(*check)?)))
                    .collect();
                compile(&members, &self.limits_of(group)).map(Arc::new)
            })
            .clone()
    }

    /// Compiles the check at a position alone.
    pub(crate) fn compiled_alone(&self, check: usize) -> Result<Compiled, String> {
        let entry = self.entries.get(check).ok_or(text::NO_SUCH_CHECK)?;
        let limits = if entry.source.builtin {
            builtin_limits()
        } else {
            self.limits
        };
        compile(&[(check, entry)], &limits)
    }

    /// Returns the positions of the checks with a check id or framework id, as used by exemptions and parameters.
    pub(crate) fn named_by(&self, key: &str) -> &[usize] {
        self.by_key.get(&stem(key)).map_or(&[], Vec::as_slice)
    }
}

fn builtin_limits() -> Limits {
    Limits {
        instructions: BUILTIN_INSTRUCTIONS,
        file_bytes: 1024 * 1024,
        ..Limits::default()
    }
}

/// Groups the checks: one group per service for built-in checks, and one per check for a customer's, so that it can't
/// affect others.
fn grouped(entries: &[Entry]) -> (Vec<Group>, Vec<Option<(usize, usize)>>) {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = vec![None; entries.len()];
    let mut of_service: BTreeMap<Service, usize> = BTreeMap::new();
    for (check, (entry, place)) in entries.iter().zip(&mut places).enumerate() {
        if entry.metadata.check.manual {
            continue;
        }
        let new = groups.len();
        let group = if entry.source.builtin {
            *of_service.entry(entry.metadata.check.service).or_insert(new)
        } else {
            new
        };
        if group == new {
            groups.push(Group {
                members: Vec::new(),
                compiled: OnceLock::new(),
            });
        }
        if let Some(group_) = groups.get_mut(group) {
            *place = Some((group, group_.members.len()));
            group_.members.push(check);
        }
    }
    (groups, places)
}

fn keys(checks: &[Check]) -> BTreeMap<String, Vec<usize>> {
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (position, check) in checks.iter().enumerate() {
        let ids: BTreeSet<String> = check
            .frameworks
            .iter()
            .map(|id| stem(id.as_str()))
            .chain([stem(&check.id)])
            .collect();
        // Configuration for a control of a former baseline also applies to the check that replaced it.
        let successor = check
            .variant_of
            .as_deref()
            .and_then(|id| checks.iter().position(|other| other.id == id));
        for id in ids {
            let named = by_key.entry(id).or_default();
            for position in [Some(position), successor].into_iter().flatten() {
                if !named.contains(&position) {
                    named.push(position);
                }
            }
        }
    }
    by_key
}

/// Compiles checks with the libraries that they import, directly or indirectly.
fn compile(members: &[(usize, &Entry)], limits: &Limits) -> Result<Compiled, String> {
    let builtin = members.iter().all(|(_, entry)| entry.source.builtin);
    let mut libraries: Vec<(&str, &str)> = Vec::new();
    let mut texts: Vec<&str> = members
        .iter()
        .map(|(_, entry)| entry.source.text.as_ref())
        .collect();
    while let Some(text) = texts.pop() {
        for (file, library) in builtin::LIBRARIES {
            // A customer's check can import only the public library.
            let offered = builtin || *file == "lib.rego";
            if offered && imports(text, library) && !libraries.iter().any(|(name, _)| name == file) {
                libraries.push((file, library));
                texts.push(library);
            }
        }
    }
    libraries.sort_unstable();
    let modules: Vec<Module<'_>> = libraries
        .iter()
        .map(|(file, text)| Module { file, text })
        .chain(members.iter().map(|(_, entry)| entry.source.module()))
        .collect();
    let rules: Vec<(usize, String)> = members
        .iter()
        .map(|(check, entry)| (*check, package_of(&entry.metadata.check.id)))
        .collect();
    Compiled::new(&modules, &rules, builtin, limits)
}

/// Whether `text` imports the package of `library`.
fn imports(text: &str, library: &str) -> bool {
    let package = library.lines().find_map(|line| line.strip_prefix("package "));
    package.is_some_and(|package| {
        text.lines().any(|line| {
            line.strip_prefix("import data.")
                .and_then(|rest| rest.strip_prefix(package.trim()))
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
        })
    })
}
