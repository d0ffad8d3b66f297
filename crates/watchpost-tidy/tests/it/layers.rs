//! The allowed dependencies between crates. A change of a table here is a decision: record it in `docs/decisions`.

use crate::root;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

/// The crates of the workspace, each with the crates of the workspace that it may depend on. Dev-dependencies are exempt.
const EDGES: &[(&str, &[&str])] = &[
    ("watchpost-core", &[]),
    ("watchpost-protocol", &[]),
    ("watchpost-transport", &["watchpost-protocol"]),
    ("watchpost-mcp", &["watchpost-core", "watchpost-protocol"]),
    ("watchpost-web", &["watchpost-core", "watchpost-transport"]),
    ("watchpost-policy", &["watchpost-core"]),
    ("watchpost-bridge", &["watchpost-protocol"]),
    ("watchpost-outbound", &["watchpost-core"]),
    ("watchpost-connectors", &["watchpost-core", "watchpost-outbound"]),
    ("watchpost-report", &["watchpost-core"]),
    ("watchpost-simulator", &[]),
    ("watchpost-sqlite", &["watchpost-core"]),
    (
        "watchpost-runtime",
        &[
            "watchpost-core",
            "watchpost-protocol",
            "watchpost-transport",
            "watchpost-mcp",
            "watchpost-web",
            "watchpost-policy",
            "watchpost-bridge",
            "watchpost-outbound",
            "watchpost-connectors",
            "watchpost-report",
            "watchpost-simulator",
            "watchpost-sqlite",
        ],
    ),
    // Only a dev-dependency of other crates. It depends on the crates that it replaces or fills with data.
    (
        "watchpost-testkit",
        &[
            "watchpost-core",
            "watchpost-runtime",
            "watchpost-sqlite",
            "watchpost-policy",
        ],
    ),
    ("watchpost-tidy", &[]),
    // Nothing depends on it: it aligns features over the workspace.
    ("watchpost-features", &[]),
    (
        "watchpost",
        &["watchpost-bridge", "watchpost-core", "watchpost-runtime"],
    ),
    ("watchpost-http", &["watchpost-runtime"]),
    ("watchpost-sse", &["watchpost-runtime"]),
    ("watchpost-stdio", &["watchpost-runtime"]),
];

/// External crates that only some crates of the workspace may depend on.
const PINNED: &[(&str, &[&str])] = &[
    ("rusqlite", &["watchpost-sqlite"]),
    // Other crates connect through the guarded client. The bridge connects to the user's own server, at an address that
    // the user entered.
    ("reqwest", &["watchpost-outbound", "watchpost-bridge"]),
    ("hickory-resolver", &["watchpost-outbound"]),
    ("askama", &["watchpost-report"]),
    ("regorus", &["watchpost-policy"]),
    (
        "axum",
        &["watchpost-web", "watchpost-runtime", "watchpost-simulator"],
    ),
    ("utoipa", &["watchpost-web"]),
    (
        "hyper",
        &["watchpost-transport", "watchpost-runtime", "watchpost-simulator"],
    ),
    (
        "clap",
        &[
            "watchpost",
            "watchpost-bridge",
            "watchpost-runtime",
            "watchpost-http",
            "watchpost-sse",
            "watchpost-stdio",
            "watchpost-testkit",
        ],
    ),
];

/// External crates that the domain must not depend on.
const NOT_IN_CORE: &[&str] = &[
    "tokio",
    "http",
    "hyper",
    "reqwest",
    "rusqlite",
    "axum",
    "tracing-subscriber",
    "getrandom",
    "rand",
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().expect("a name").to_owned();
            let names = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(|dependency| dependency["name"].as_str().expect("a name").to_owned())
                .collect();
            (name, names)
        })
        .collect()
}

#[test]
fn crates_depend_only_on_lower_layers() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = EDGES
        .iter()
        .map(|(name, edges)| (*name, edges.iter().copied().collect()))
        .collect();
    let found = dependencies();
    let mut wrong = Vec::new();
    for (name, names) in &found {
        let Some(edges) = allowed.get(name.as_str()) else {
            wrong.push(format!("`{name}` is missing in EDGES"));
            continue;
        };
        for other in names.iter().filter(|other| found.contains_key(*other)) {
            if !edges.contains(other.as_str()) {
                wrong.push(format!("`{name}` must not depend on `{other}`"));
            }
        }
    }
    for name in allowed.keys() {
        if !found.contains_key(*name) {
            wrong.push(format!("EDGES names `{name}`, which doesn't exist"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn restricted_external_crates_are_used_only_where_allowed() {
    let mut wrong = Vec::new();
    for (name, names) in dependencies() {
        for (pinned, homes) in PINNED {
            if names.contains(*pinned) && !homes.contains(&name.as_str()) {
                wrong.push(format!("`{name}` must not use `{pinned}`: only {homes:?} may"));
            }
        }
        if name == "watchpost-core" {
            wrong.extend(
                NOT_IN_CORE
                    .iter()
                    .filter(|other| names.contains(**other))
                    .map(|other| format!("the domain must not use `{other}`")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn directories_have_the_names_of_their_packages() {
    let root = root();
    for parent in ["crates", "bins"] {
        for entry in std::fs::read_dir(root.join(parent)).expect("the folder exists") {
            let path = entry.expect("an entry").path();
            if !path.join("Cargo.toml").is_file() {
                continue;
            }
            let manifest = std::fs::read_to_string(path.join("Cargo.toml")).expect("a manifest");
            let folder = path.file_name().and_then(|name| name.to_str()).expect("a name");
            assert!(
                manifest.contains(&format!("name = \"{folder}\"")),
                "{folder}: the package has another name"
            );
            assert!(
                manifest.contains("[lints]\nworkspace = true"),
                "{folder}: doesn't use the workspace's lints"
            );
        }
    }
}

/// The features of each package in a workspace-wide build with these kinds of dependencies.
fn features(edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--offline", "--prefix", "none"])
        .args(["--edges", edges, "--format", "{p}|{f}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo tree failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line = line.trim_end_matches(" (*)");
        if let Some((package, list)) = line.split_once('|') {
            features
                .entry(package.to_owned())
                .or_default()
                .insert(list.to_owned());
        }
    }
    features
}

#[test]
fn tests_and_programs_share_one_build_of_each_dependency() {
    let programs = features("normal,build");
    let tests = features("normal,build,dev");
    assert!(programs.len() > 100, "{programs:?}");
    let wrong: Vec<String> = tests
        .iter()
        .filter_map(|(package, with_tests)| {
            let without = programs.get(package)?;
            (!without.is_subset(with_tests))
                .then(|| format!("{package}: tests build it with {with_tests:?}, programs with {without:?}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "add these features to crates/watchpost-features/Cargo.toml:\n{}",
        wrong.join("\n")
    );
}
