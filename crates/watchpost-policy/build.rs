//! Lists the built-in checks, so that adding one means adding its files and nothing else.
//!
//! Writes `checks.rs` with four tables of file names and texts, sorted by name: `LIBRARIES` (`checks/lib*.rego`),
//! `CHECKS` (the other `checks/*.rego`), `VARIANTS` (`checks/variants/*.rego`) and `CASES` (the `*.cases.json` of both).

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let directory = manifest.join("checks");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=checks");
    let top = files(&directory)?;
    let variants = files(&directory.join("variants"))?;
    let is_library = |name: &str| name.starts_with("lib") && name.ends_with(".rego");
    let mut out = String::new();
    let tables: [(&str, Vec<&(String, PathBuf)>); 4] = [
        (
            "LIBRARIES",
            top.iter().filter(|(name, _)| is_library(name)).collect(),
        ),
        (
            "CHECKS",
            top.iter()
                .filter(|(name, _)| name.ends_with(".rego") && !is_library(name))
                .collect(),
        ),
        (
            "VARIANTS",
            variants
                .iter()
                .filter(|(name, _)| name.ends_with(".rego"))
                .collect(),
        ),
        (
            "CASES",
            top.iter()
                .chain(&variants)
                .filter(|(name, _)| name.ends_with(".cases.json"))
                .collect(),
        ),
    ];
    for (table, rows) in tables {
        writeln!(out, "pub(crate) const {table}: &[(&str, &str)] = &[")?;
        for (name, path) in rows {
            // The compiler inserts the directory of the crate, so that a moved checkout needs no clean build.
            let path = path.strip_prefix(&manifest)?;
            let path = path.to_str().ok_or("a path that isn't UTF-8")?;
            writeln!(
                out,
                "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {path:?}))),"
            )?;
        }
        writeln!(out, "];")?;
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("checks.rs"), out)?;
    Ok(())
}

/// Returns the names and paths of a directory's files, sorted by name. A missing directory has none.
fn files(directory: &Path) -> Result<Vec<(String, PathBuf)>, Box<dyn Error>> {
    let mut found = Vec::new();
    if !directory.is_dir() {
        return Ok(found);
    }
    for item in fs::read_dir(directory)? {
        let path = item?.path();
        if path.is_file() {
            let name = path.file_name().and_then(|name| name.to_str());
            found.push((name.ok_or("a file name that isn't UTF-8")?.to_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}
