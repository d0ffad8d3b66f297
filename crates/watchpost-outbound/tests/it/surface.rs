//! The crate exposes nothing with which a request could bypass its rules.

use std::{fs, path::Path};

/// The libraries whose types must not be public.
const HIDDEN: [&str; 2] = ["reqwest", "hickory_resolver"];

/// Returns the public items of a source file whose declaration names a hidden library or something imported from one.
fn leaks(source: &str) -> Vec<String> {
    let mut names: Vec<String> = HIDDEN.iter().map(|name| (*name).to_owned()).collect();
    for statement in source.split(';') {
        let Some((_, tree)) = statement.rsplit_once("\nuse ") else {
            continue;
        };
        if HIDDEN.iter().any(|name| tree.starts_with(name)) {
            names.extend(words(tree).map(str::to_owned));
        }
    }
    // Keywords in paths don't belong to the libraries.
    names.retain(|name| !matches!(name.as_str(), "self" | "super" | "crate"));
    let mut found = Vec::new();
    for (at, _) in source.match_indices("pub ") {
        let rest = &source[at..];
        let end = rest.find(['{', ';', '=']).unwrap_or(rest.len());
        // A field has none of these: it ends with its line.
        let head = rest[..end].split(",\n").next().unwrap_or_default();
        if words(head).any(|word| names.iter().any(|name| name == word)) {
            found.push(head.trim().to_owned());
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

#[test]
fn no_type_of_the_http_library_or_the_resolver_is_public() {
    for (source, leaked) in [
        ("\npub use reqwest::Client;\n", true),
        (
            "\nuse reqwest::{Client, header};\npub fn client(&self) -> &Client {\n",
            true,
        ),
        ("\npub struct A {\n    pub client: reqwest::Client,\n}\n", true),
        (
            "\nuse hickory_resolver::{Resolver, TokioResolver};\npub fn a(\n    b: TokioResolver,\n) {\n",
            true,
        ),
        (
            "\nuse reqwest::Client;\nstruct A {\n    client: Client,\n}\npub fn b() {\n",
            false,
        ),
        (
            "\nuse reqwest::Client;\npub(crate) fn client() -> Client {\n",
            false,
        ),
    ] {
        assert_eq!(!leaks(source).is_empty(), leaked, "{source}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        assert_eq!(
            leaks(&format!("\n{source}")),
            Vec::<String>::new(),
            "{}",
            path.display()
        );
        files += 1;
    }
    assert!(files > 5, "{files}");
}
