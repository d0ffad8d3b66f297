//! Rules about the code itself.

mod code;
mod documents;
mod layers;
mod permissions;
mod ports;
mod requirements;
mod source;
mod statements;
mod structure;
mod surfaces;
mod texts;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Returns the workspace's root directory.
fn root() -> PathBuf {
    // Cargo sets the variable for a test run, too; a binary that was built in another checkout then reads this one.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest)
        .join("../..")
        .canonicalize()
        .expect("the workspace root exists")
}

/// Returns the files of the repository, relative to its root: tracked files and new files that git does not ignore.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git is installed: the rules read the files that git lists");
    assert!(
        output.status.success(),
        "git ls-files failed: the tests must run in a git checkout"
    );
    let text = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let files: Vec<String> = text
        .split('\0')
        .filter(|path| !path.is_empty() && root().join(path).is_file())
        .map(str::to_owned)
        .collect();
    assert!(files.len() > 50, "only {} files: the list is wrong", files.len());
    files
}

/// Returns the content of a file, or `None` if the file does not exist or is not UTF-8.
fn text(path: &str) -> Option<String> {
    std::fs::read(root().join(path))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}
