//! Cases from public reports of people who run posture tools, each with its right answer. They aren't part of the
//! repository: they are in the folder `data/field` of `SHARED_DIR`, by default `../shared`.
//!
//! A folder holds `expected.json` and one of two things, or both. `cases.jsonl` is evaluated as `watchpost policy eval
//! --format scubagear --batch` does in the profile `default`; `expected` has the right result of each line. Any other
//! file is imported, and the folder has a function in [`imports::HANDLERS`] that holds the result against `right`.

mod imports;

use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use watchpost_core::check::Profile;
use watchpost_runtime::offline::Offline;

/// Compares what an import of a folder's files does with the right answer. Returns the differences.
type Handler = fn(&Path) -> Vec<String>;

/// Folders that are known to differ from the right answer, with the reason. A folder that no longer differs fails the
/// test until it is removed here.
const NOT_YET: &[(&str, &str)] = &[];

#[test]
fn field_cases_have_the_right_answer() {
    let Some(top) = field_folder() else { return };
    let mut folders: Vec<PathBuf> = fs::read_dir(&top)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "{} has no folder", top.display());
    let mut wrong = Vec::new();
    for folder in &folders {
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name in UTF-8");
        let differences = differences(name, folder);
        let excuse = NOT_YET.iter().find(|(listed, _)| *listed == name);
        match (differences.is_empty(), excuse) {
            (true, None) => println!("right      {name}"),
            (true, Some(_)) => wrong.push(format!("{name}: is right now, remove it from NOT_YET")),
            (false, Some((_, reason))) => println!("not yet    {name}: {reason}\n{}", lines(&differences)),
            (false, None) => wrong.push(format!("{name}:\n{}", lines(&differences))),
        }
    }
    let known: BTreeSet<&str> = folders
        .iter()
        .filter_map(|folder| folder.file_name()?.to_str())
        .collect();
    let lists = NOT_YET
        .iter()
        .map(|(name, _)| *name)
        .chain(imports::HANDLERS.iter().map(|(name, _)| *name));
    wrong.extend(
        lists
            .filter(|name| !known.contains(name))
            .map(|name| format!("{name}: there is no such folder")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folder of the cases. If it doesn't exist, prints a line and returns `None`, or fails in continuous integration.
fn field_folder() -> Option<PathBuf> {
    let shared = std::env::var_os("SHARED_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("data/field");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no field cases: {}",
        folder.display()
    );
    eprintln!("skipped: no field cases: {}", folder.display());
    None
}

fn lines(differences: &[String]) -> String {
    let indented: Vec<String> = differences.iter().map(|line| format!("  {line}")).collect();
    indented.join("\n")
}

/// The differences of a folder from its right answer. A file that nothing judges is a difference too.
fn differences(name: &str, folder: &Path) -> Vec<String> {
    let expected: Value = serde_json::from_slice(&fs::read(folder.join("expected.json")).expect("a file"))
        .expect("expected.json is JSON");
    let others = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|file| file != "expected.json" && file != "cases.jsonl")
        .count();
    let mut differences = Vec::new();
    let cases = folder.join("cases.jsonl");
    if cases.is_file() {
        let input = fs::read_to_string(&cases).expect("a file in UTF-8");
        differences.extend(batch_differences(&input, &expected));
    } else if others == 0 {
        differences.push("the folder has no case".to_owned());
    }
    if others > 0 {
        match imports::HANDLERS.iter().find(|(listed, _)| *listed == name) {
            Some((_, handler)) => differences.extend(handler(folder)),
            None => differences.push("the folder has files to import and no handler".to_owned()),
        }
    }
    differences
}

/// Compares the verdict on each line of `cases.jsonl` with the right one.
fn batch_differences(input: &str, expected: &Value) -> Vec<String> {
    let mut output = Vec::new();
    Offline::load(None)
        .expect("the built-in checks")
        .evaluate_cases(input.as_bytes(), &mut output, Profile::Default, 0)
        .expect("an evaluation");
    let answers: Vec<Value> = String::from_utf8(output)
        .expect("answers in UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("an answer in JSON"))
        .collect();
    let right: Vec<&str> = expected["expected"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if right.is_empty() || answers.len() != right.len() {
        return vec![format!("{} answers, {} expected", answers.len(), right.len())];
    }
    let different = answers.iter().zip(right).filter_map(|(answer, right)| {
        let verdict = match answer["reason"].as_str() {
            Some(reason) => format!("{}:{reason}", answer["result"].as_str().unwrap_or_default()),
            None => answer["result"].as_str().unwrap_or_default().to_owned(),
        };
        (!is_right(&verdict, right)).then(|| {
            format!(
                "case {} of {}: {verdict}, right is {right}: {}",
                answer["id"], answer["check"], answer["details"]
            )
        })
    });
    different.collect()
}

/// Whether a verdict, such as `failed` or `skipped:unreadable`, is the right one. `not-passed` is any verdict that a check
/// reached except `passed`.
fn is_right(verdict: &str, right: &str) -> bool {
    match right {
        "not-passed" => verdict == "failed" || verdict.starts_with("skipped:"),
        exact => verdict == exact,
    }
}

#[test]
fn a_missing_check_or_an_error_is_never_the_right_answer() {
    let check = |verdict: &str, right: &str, expected: bool| {
        assert_eq!(is_right(verdict, right), expected, "{verdict} for {right}");
    };
    check("passed", "passed", true);
    check("failed", "passed", false);
    check("skipped:unreadable", "passed", false);
    check("skipped:unreadable", "skipped:not_applicable", false);
    check("failed", "not-passed", true);
    check("skipped:unreadable", "not-passed", true);
    check("passed", "not-passed", false);
    check("error", "not-passed", false);
    check("unsupported", "not-passed", false);
}
