//! The structure of the code: long functions, long files, and modules that import each other in a cycle.
//!
//! `cargo test -p watchpost-tidy structure -- --nocapture` prints the table.

use crate::code::{Source, crate_paths, functions, imports, lines_of_code, modules, production};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// The maximum number of lines of a function.
const FUNCTION_LINES_MAX: usize = 70;
/// The maximum number of lines of code of a file.
const FILE_LINES_MAX: usize = 500;

/// The name of the module that holds the texts of a crate.
const TEXTS: &str = "text";

/// Things that exceed a limit, each with the reason to keep it. An entry that is no longer needed fails the test.
type Exceptions = &'static [(&'static str, &'static str)];

/// Entries have the form `path function`.
const LONG_FUNCTIONS: Exceptions = &[];

/// Entries are paths.
const LONG_FILES: Exceptions = &[];

/// Entries have the form `crate: modules in alphabetical order`.
const CYCLES: Exceptions = &[
    (
        "watchpost-core: access app audit check error finding identity import integration job port posture remediation rule scan value",
        "each aggregate declares its port and its commands next to its rules: a command needs `access` and names the values that `audit` \
         stores, `access` creates the entries of `audit`, and `port` combines the ports of all aggregates",
    ),
    (
        "watchpost-policy: cases check judge pack",
        "a pack is tested with its cases, and a case is evaluated by a pack",
    ),
    (
        "watchpost-protocol: call_error change method task",
        "tasks and streams of changes are answers to methods, and the table of methods refers to them",
    ),
    (
        "watchpost-protocol: id json",
        "the scanner finds the id of an invalid message, and an id is JSON",
    ),
    (
        "watchpost-runtime: changes serve",
        "the server starts the watch for changes, which runs in the same kind of event loop as the server",
    ),
    (
        "watchpost-simulator: bulk change company control dns entra fault graph hosts okta reply server settings world",
        "all simulated vendors share one state and one server, which tests change while they run",
    ),
    (
        "watchpost-transport: admission config connection gate mcp probes response routing service sessions streams",
        "the handlers behind admission use the types in which admission passes requests",
    ),
];

/// Returns the top-level modules of a crate, each with the top-level modules from which it imports: those that declare the
/// imported items, not those that re-export them. A directory is one module; the root of the crate is left out, and so is
/// `text`, which formats values of the modules that use it.
fn graph(modules: &BTreeMap<Vec<String>, &str>) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph = BTreeMap::<String, BTreeSet<String>>::new();
    for (module, code) in modules {
        let Some(top) = module.first().filter(|top| *top != TEXTS) else {
            continue;
        };
        let targets = imports(code)
            .into_iter()
            .filter_map(|(path, ..)| absolute(modules, module, &path))
            .chain(crate_paths(code))
            .filter_map(|path| home(modules, &path, 0).first().cloned())
            .filter(|home| home != top && home != TEXTS);
        graph.entry(top.clone()).or_default().extend(targets);
    }
    graph
}

/// Resolves a path to one from the root of the crate; `None` for a path into another crate.
fn absolute(
    modules: &BTreeMap<Vec<String>, &str>,
    module: &[String],
    path: &[String],
) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let mut base = module.to_vec();
    match first.as_str() {
        "crate" => return Some(rest.to_vec()),
        "super" => {
            base.pop();
            if rest.first().is_some_and(|next| next == "super") {
                return absolute(modules, &base, rest);
            }
            base.extend_from_slice(rest);
        }
        "self" => base.extend_from_slice(rest),
        child => {
            base.push(child.to_owned());
            if !modules.contains_key(&base) {
                return None;
            }
            base.extend_from_slice(rest);
        }
    }
    Some(base)
}

/// Returns the module that declares an item: the longest module path that is a prefix of `path`, or the module from which
/// that one re-exports the item.
fn home(modules: &BTreeMap<Vec<String>, &str>, path: &[String], depth: usize) -> Vec<String> {
    let length = (0..=path.len())
        .rev()
        .find(|length| modules.contains_key(&path[..*length]))
        .unwrap_or(0);
    let (module, item) = path.split_at(length);
    if let (Some(code), Some(item)) = (modules.get(module), item.first())
        && depth < 8
    {
        for (origin, name, is_public) in imports(code) {
            if is_public
                && name == *item
                && let Some(origin) = absolute(modules, module, &origin)
            {
                return home(modules, &origin, depth + 1);
            }
        }
    }
    module.to_vec()
}

/// Returns the groups of modules in which every module reaches every other one.
fn cycles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> = graph
        .keys()
        .map(|start| {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&String> = graph[start].iter().collect();
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    open.extend(graph.get(next).into_iter().flatten());
                }
            }
            (start, seen)
        })
        .collect();
    let mut groups = BTreeSet::new();
    for (start, seen) in &reach {
        let group: BTreeSet<String> = seen
            .iter()
            .filter(|other| reach.get(**other).is_some_and(|back| back.contains(start)))
            .map(|other| (*other).clone())
            .collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}

/// A thing that exceeds a limit.
struct Over {
    package: String,
    name: String,
    size: usize,
}

fn long_functions(sources: &[Source]) -> Vec<Over> {
    sources
        .iter()
        .flat_map(|source| {
            functions(&source.code).into_iter().map(|function| Over {
                package: crate_of(&source.path).to_owned(),
                name: format!("{} {}", source.path, function.name),
                size: function.lines,
            })
        })
        .filter(|over| over.size > FUNCTION_LINES_MAX)
        .collect()
}

fn long_files(sources: &[Source]) -> Vec<Over> {
    sources
        .iter()
        .map(|source| Over {
            package: crate_of(&source.path).to_owned(),
            name: source.path.clone(),
            size: lines_of_code(&source.code),
        })
        .filter(|over| over.size > FILE_LINES_MAX)
        .collect()
}

/// Returns every cycle of every crate, named after its modules in alphabetical order.
fn cycles_of(sources: &[Source]) -> Vec<Over> {
    modules(sources)
        .iter()
        .flat_map(|(package, modules)| {
            cycles(&graph(modules)).into_iter().map(move |cycle| Over {
                package: package.clone(),
                size: cycle.len(),
                name: cycle.into_iter().collect::<Vec<_>>().join(" "),
            })
        })
        .collect()
}

/// Formats the table: a row for each crate, then the things that exceed a limit.
fn table(sources: &[Source]) -> String {
    let (functions, files, cycles) = (long_functions(sources), long_files(sources), cycles_of(sources));
    let mut rows = BTreeMap::<String, [usize; 4]>::new();
    for source in sources {
        rows.entry(crate_of(&source.path).to_owned()).or_default()[0] += lines_of_code(&source.code);
    }
    for over in &functions {
        rows.entry(over.package.clone()).or_default()[1] += 1;
    }
    for over in &files {
        rows.entry(over.package.clone()).or_default()[2] += 1;
    }
    for over in &cycles {
        rows.entry(over.package.clone()).or_default()[3] += over.size;
    }
    let mut table = format!(
        "{:<22}{:>9}{:>16}{:>13}{:>20}\n",
        "crate", "lines", "functions > 70", "files > 500", "modules in cycles"
    );
    let mut total = [0; 4];
    for (name, row) in &rows {
        push_row(&mut table, name, *row);
        for (sum, number) in total.iter_mut().zip(row) {
            *sum += number;
        }
    }
    push_row(&mut table, "all", total);
    for (title, list) in [
        ("functions over 70 lines", functions),
        ("files over 500 lines of code", files),
        ("modules that import each other in a cycle", cycles),
    ] {
        let _ = writeln!(table, "\n{title}");
        for over in list {
            let _ = writeln!(table, "{:>6}  {}: {}", over.size, over.package, over.name);
        }
    }
    table
}

fn push_row(table: &mut String, name: &str, [lines, functions, files, cycles]: [usize; 4]) {
    let _ = writeln!(
        table,
        "{name:<22}{lines:>9}{functions:>16}{files:>13}{cycles:>20}"
    );
}

/// Returns the crate of a file: the directory in `crates` or `bins`.
fn crate_of(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or(path)
}

/// Appends the faults of a list of exceptions to `wrong`.
fn compare(what: &str, found: &[Over], listed: Exceptions, wrong: &mut Vec<String>) {
    let found: BTreeSet<&str> = found.iter().map(|over| over.name.as_str()).collect();
    for name in &found {
        if !listed.iter().any(|(listed, _)| listed == name) {
            wrong.push(format!("{what}: `{name}` exceeds the limit: split it by subject"));
        }
    }
    for (name, reason) in listed {
        if !found.contains(name) {
            wrong.push(format!(
                "{what}: `{name}` is within the limit now: remove it from the list"
            ));
        }
        if reason.split_whitespace().count() < 4 {
            wrong.push(format!("{what}: `{name}` has no reason"));
        }
    }
}

#[test]
fn the_structure_is_within_its_limits() {
    let sources = production();
    println!("{}", table(&sources));
    let mut wrong = Vec::new();
    compare("functions", &long_functions(&sources), LONG_FUNCTIONS, &mut wrong);
    compare("files", &long_files(&sources), LONG_FILES, &mut wrong);
    let cycles: Vec<Over> = cycles_of(&sources)
        .into_iter()
        .map(|over| Over {
            name: format!("{}: {}", over.package, over.name),
            ..over
        })
        .collect();
    compare("cycles", &cycles, CYCLES, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
