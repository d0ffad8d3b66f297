//! Every method of the storage ports takes a proof of the caller's access, and the conformance suite calls it from
//! another workspace.

use crate::code::{production, traits};
use std::collections::BTreeSet;
use watchpost_testkit::conformance::tenancy::METHODS;

/// The types that prove that the caller may access a workspace. Only the domain crate can create their values.
const PROOFS: &[&str] = &[
    "&WorkspaceScope",
    "AuthorizedWrite<",
    "PendingEntry",
    "&JobPermit",
    "&ScanPermit",
    "&ImportPermit",
];

/// Returns the methods of the supertraits of `Store`, each with its parameters.
fn methods() -> Vec<(String, String)> {
    let sources = production();
    let domain = || {
        sources
            .iter()
            .filter(|source| source.path.starts_with("crates/watchpost-core/src/"))
    };
    let gathered = domain()
        .flat_map(|source| traits(&source.code))
        .find(|found| found.name == "Store")
        .expect("the trait `Store` exists");
    let parts: BTreeSet<&str> = gathered.supertraits.split('+').map(str::trim).collect();
    assert!(
        parts.len() > 8,
        "the storage ports are not parsed correctly: {parts:?}"
    );
    let mut methods = Vec::new();
    let mut seen = BTreeSet::new();
    for found in domain().flat_map(|source| traits(&source.code)) {
        if parts.contains(found.name.as_str()) {
            methods.extend(
                found
                    .methods
                    .into_iter()
                    .map(|(method, parameters)| (format!("{}::{method}", found.name), parameters)),
            );
            seen.insert(found.name);
        }
    }
    assert_eq!(
        seen.len(),
        parts.len(),
        "not all storage ports were found: {seen:?}"
    );
    methods
}

#[test]
fn every_storage_method_takes_a_proof_of_access() {
    let wrong: Vec<String> = methods()
        .into_iter()
        .filter(|(_, parameters)| !PROOFS.iter().any(|proof| parameters.contains(proof)))
        .map(|(method, parameters)| format!("{method}({parameters})"))
        .collect();
    assert!(
        wrong.is_empty(),
        "these methods take none of {PROOFS:?}:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_storage_method_is_called_from_another_workspace_by_the_conformance_suite() {
    let methods: BTreeSet<String> = methods().into_iter().map(|(method, _)| method).collect();
    let called: BTreeSet<String> = METHODS.iter().map(|method| (*method).to_owned()).collect();
    let missing: Vec<_> = methods.difference(&called).collect();
    assert!(
        missing.is_empty(),
        "add a call and a line to crates/watchpost-testkit/src/conformance/tenancy for {missing:?}"
    );
    let gone: Vec<_> = called.difference(&methods).collect();
    assert!(gone.is_empty(), "no port declares {gone:?}");
}
