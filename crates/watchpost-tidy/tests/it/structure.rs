//! How the code is divided: long functions, long files, modules that import each other in a circle.
//!
//! `cargo test -p watchpost-tidy structure -- --nocapture` prints the table.

use crate::code::{Source, crate_paths, functions, imports, lines_of_code, modules, production};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// Lines of code that a function may have.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of code that a file may have.
const FILE_LINES_MAX: usize = 500;
/// How many may be over these bounds, and how many modules may stand in circles. These may only become less.
const FUNCTIONS_OVER_MAX: usize = 51;
const FILES_OVER_MAX: usize = 9;
const IN_CIRCLES_MAX: usize = 71;

/// A crate's top modules (a folder is one), each with those that it imports from: the ones in which the imported items
/// stand, not those that pass them on. The crate's root is none.
fn graph(modules: &BTreeMap<Vec<String>, &str>) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph = BTreeMap::<String, BTreeSet<String>>::new();
    for (module, code) in modules {
        let Some(top) = module.first() else { continue };
        let targets = imports(code)
            .into_iter()
            .filter_map(|(path, ..)| absolute(modules, module, &path))
            .chain(crate_paths(code))
            .filter_map(|path| home(modules, &path, 0).first().cloned())
            .filter(|home| home != top);
        graph.entry(top.clone()).or_default().extend(targets);
    }
    graph
}

/// A path from the crate's root, if it is one of this crate.
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

/// The module in which an item stands: the longest one that its path names, and on from there where that one only
/// passes the item on.
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

/// The groups of modules of which each reaches each other one.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
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

/// What is over a bound.
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

/// Every circle of every crate, named by its modules in order.
fn circles_of(sources: &[Source]) -> Vec<Over> {
    modules(sources)
        .iter()
        .flat_map(|(package, modules)| {
            circles(&graph(modules)).into_iter().map(move |circle| Over {
                package: package.clone(),
                size: circle.len(),
                name: circle.into_iter().collect::<Vec<_>>().join(" "),
            })
        })
        .collect()
}

/// The table: a row for each crate, then what is over a bound.
fn table(sources: &[Source]) -> String {
    let (functions, files, circles) = (long_functions(sources), long_files(sources), circles_of(sources));
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
    for over in &circles {
        rows.entry(over.package.clone()).or_default()[3] += over.size;
    }
    let mut table = format!(
        "{:<22}{:>9}{:>16}{:>13}{:>20}\n",
        "crate", "lines", "functions > 70", "files > 500", "modules in circles"
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
        ("modules that import each other in a circle", circles),
    ] {
        let _ = writeln!(table, "\n{title}");
        for over in list {
            let _ = writeln!(table, "{:>6}  {}: {}", over.size, over.package, over.name);
        }
    }
    table
}

fn push_row(table: &mut String, name: &str, [lines, functions, files, circles]: [usize; 4]) {
    let _ = writeln!(
        table,
        "{name:<22}{lines:>9}{functions:>16}{files:>13}{circles:>20}"
    );
}

/// The crate of a file: the folder below `crates` or `bins`.
fn crate_of(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or(path)
}

#[test]
fn structure_is_within_its_bounds() {
    let sources = production();
    println!("{}", table(&sources));
    let functions = long_functions(&sources).len();
    let files = long_files(&sources).len();
    let in_circles: usize = circles_of(&sources).iter().map(|over| over.size).sum();
    assert!(
        functions <= FUNCTIONS_OVER_MAX,
        "{functions} functions are over {FUNCTION_LINES_MAX} lines"
    );
    assert!(
        files <= FILES_OVER_MAX,
        "{files} files are over {FILE_LINES_MAX} lines of code"
    );
    assert!(
        in_circles <= IN_CIRCLES_MAX,
        "{in_circles} modules import each other in circles"
    );
}
