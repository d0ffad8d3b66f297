//! Checks that read Conditional Access: each has a table of ways around it in its cases.

use serde_json::Value;
use std::collections::BTreeSet;
use watchpost_policy::{Pack, check::cases};

const POLICIES: &str = "identity/conditionalAccess/policies";

/// Conditions, exclusions and grants that each narrow a policy, as fields of Microsoft Graph.
const NARROWING: &[&str] = &[
    "state",
    "signInRiskLevels",
    "userRiskLevels",
    "clientAppTypes",
    "devices",
    "authenticationFlows",
    "platforms",
    "locations",
    "insiderRiskLevels",
    "servicePrincipalRiskLevels",
];

#[test]
fn every_check_that_reads_conditional_access_has_a_table_of_ways_around_it() {
    let pack = Pack::builtin();
    let mut lacking = Vec::new();
    for check in pack.checks().checks() {
        if !check
            .inputs
            .iter()
            .chain(&check.optional_inputs)
            .any(|path| path == POLICIES)
        {
            continue;
        }
        let file = format!("{}.cases.json", check.id);
        let Some((_, text)) = cases::builtin_cases().find(|(name, _)| *name == file) else {
            lacking.push(format!("{}: no cases", check.id));
            continue;
        };
        let document: Value = serde_json::from_str(text).unwrap();
        let mut narrowed = BTreeSet::new();
        for case in document["cases"].as_array().into_iter().flatten() {
            let name = case["name"].as_str().unwrap_or_default();
            if name.starts_with("round it") && case["expect"]["result"] == "failed" {
                for row in case["settings"][POLICIES]["value"]
                    .as_array()
                    .into_iter()
                    .flatten()
                {
                    narrowed.extend(row.as_object().into_iter().flatten().map(|(key, _)| key.clone()));
                    let conditions = row["conditions"].as_object();
                    narrowed.extend(conditions.into_iter().flatten().map(|(key, _)| key.clone()));
                }
            }
        }
        lacking.extend(
            NARROWING
                .iter()
                .filter(|field| !narrowed.contains(**field))
                .map(|field| format!("{}: no way around it by `{field}`", check.id)),
        );
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}
