//! Generates, writes and reads the files of `fixtures/mcp/malformed`.

use super::{bytes, headers, messages, params};
use std::{collections::BTreeMap, path::PathBuf};

/// One file: the input from a broken or hostile client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// The file name without its extension. The part before the first `--` is the kind.
    pub(super) name: String,
    /// The header lines of a `.http` file: `Name: value` replaces a header that every client sends (or adds
    /// another one), and `-Name` removes it. The bytes may be invalid text.
    pub(super) headers: Option<Vec<Vec<u8>>>,
    pub(super) body: Vec<u8>,
}

impl Case {
    pub(super) fn kind(&self) -> &str {
        self.name.split("--").next().unwrap()
    }

    fn file(&self) -> String {
        let extension = if self.headers.is_some() { "http" } else { "json" };
        format!("{}.{extension}", self.name)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(headers) = &self.headers {
            for line in headers {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            out.push(b'\n');
        }
        out.extend_from_slice(&self.body);
        out
    }

    fn read(file: &str, bytes: &[u8]) -> Self {
        let (name, ending) = file.rsplit_once('.').unwrap();
        let name = name.to_owned();
        if ending == "json" {
            return Self {
                name,
                headers: None,
                body: bytes.to_vec(),
            };
        }
        assert_eq!(ending, "http", "{file}");
        let mut rest = bytes;
        let mut headers = Vec::new();
        loop {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
            let (line, after) = rest.split_at(end);
            rest = &after[1..];
            if line.is_empty() {
                break;
            }
            headers.push(line.to_vec());
        }
        Self {
            name,
            headers: Some(headers),
            body: rest.to_vec(),
        }
    }
}

/// A collection of cases.
#[derive(Default)]
pub(super) struct Corpus(Vec<Case>);

impl Corpus {
    /// Adds a case that is invalid on every transport.
    pub(super) fn body(&mut self, kind: &str, name: &str, body: impl AsRef<[u8]>) {
        self.0.push(Case {
            name: format!("{kind}--{name}"),
            headers: None,
            body: body.as_ref().to_vec(),
        });
    }

    /// Adds a case with headers.
    pub(super) fn http<L: AsRef<[u8]>>(
        &mut self,
        kind: &str,
        name: &str,
        headers: &[L],
        body: impl AsRef<[u8]>,
    ) {
        self.0.push(Case {
            name: format!("{kind}--{name}"),
            headers: Some(headers.iter().map(|line| line.as_ref().to_vec()).collect()),
            body: body.as_ref().to_vec(),
        });
    }
}

/// Returns all cases by file name.
fn generated() -> BTreeMap<String, Case> {
    let mut corpus = Corpus::default();
    bytes::add(&mut corpus);
    messages::add(&mut corpus);
    params::add(&mut corpus);
    headers::add(&mut corpus);
    let mut files = BTreeMap::new();
    for case in corpus.0 {
        let file = case.file();
        let plain = file
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        assert!(plain, "{file} has a plain name");
        assert_eq!(
            Case::read(&file, &case.bytes()),
            case,
            "{file} reads back as the same case"
        );
        assert!(
            files.insert(file.clone(), case).is_none(),
            "{file} is generated only once"
        );
    }
    files
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mcp/malformed")
}

/// Returns the checked-in files by name, without the notes beside them.
pub(super) fn checked_in() -> BTreeMap<String, Case> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if file == "README.md" || file.starts_with('.') {
            continue;
        }
        let case = Case::read(&file, &std::fs::read(&path).unwrap());
        found.insert(file, case);
    }
    found
}

/// With `UPDATE_CORPUS=1`, rewrites the files.
#[test]
fn the_files_match_the_generator() {
    let made = generated();
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        std::fs::create_dir_all(directory()).unwrap();
        for file in checked_in().into_keys().filter(|file| !made.contains_key(file)) {
            std::fs::remove_file(directory().join(file)).unwrap();
        }
        for (file, case) in &made {
            std::fs::write(directory().join(file), case.bytes()).unwrap();
        }
    }
    let found = checked_in();
    let differing: Vec<&String> = made
        .keys()
        .chain(found.keys())
        .filter(|file| made.get(*file) != found.get(*file))
        .collect();
    assert!(
        differing.is_empty(),
        "different from the generator's output (UPDATE_CORPUS=1 rewrites them): {differing:?}"
    );
}

#[test]
fn there_are_at_least_500_files_besides_the_truncations() {
    let found = checked_in();
    let truncated = found.values().filter(|case| case.kind() == "truncated").count();
    assert!(truncated >= 200, "{truncated} truncations");
    assert!(
        found.len() - truncated >= 500,
        "{} other files",
        found.len() - truncated
    );
    let mut bodies = std::collections::BTreeSet::new();
    for (file, case) in &found {
        let content = (case.kind().to_owned(), case.headers.clone(), case.body.clone());
        assert!(
            bodies.insert(content),
            "{file} has the same content as another file"
        );
        assert!(case.body.len() <= 8_192, "{file} is small");
    }
}
