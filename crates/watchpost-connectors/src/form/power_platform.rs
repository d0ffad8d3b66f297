//! Data policies of Power Platform.

use serde_json::{Value, json};

/// Converts a data policy as the API's version `2016-11-01` returns it, in which a filter on environments is nested in the
/// policy's definition. A policy without a filter applies to all environments. A policy that is already in the internal
/// form, or whose definition is missing, remains unchanged.
pub(crate) fn policy(row: Value) -> Value {
    let Some(definition) = row.pointer("/properties/definition").filter(|it| it.is_object()) else {
        return row;
    };
    if row.get("environmentType").is_some() {
        return row;
    }
    let mut policy = json!({});
    for (name, value) in [
        ("name", row.get("name")),
        ("displayName", row.pointer("/properties/displayName")),
    ] {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            policy[name] = value.clone();
        }
    }
    let filter = definition
        .pointer("/constraints/environmentFilter1")
        .filter(|filter| !filter.is_null());
    let Some(filter) = filter else {
        policy["environmentType"] = "AllEnvironments".into();
        policy["environments"] = json!([]);
        return policy;
    };
    let kind = filter.pointer("/parameters/filterType").and_then(Value::as_str);
    let kind = kind.map(str::to_ascii_lowercase);
    // With another type of filter, it is unknown which environments the policy applies to.
    match kind.as_deref() {
        Some("none") => {
            policy["environmentType"] = "AllEnvironments".into();
            policy["environments"] = json!([]);
            return policy;
        }
        Some("include") => policy["environmentType"] = "OnlyEnvironments".into(),
        Some("exclude") => policy["environmentType"] = "ExceptEnvironments".into(),
        _ => return policy,
    }
    match filter.pointer("/parameters/environments") {
        Some(Value::Array(rows)) => policy["environments"] = rows.clone().into(),
        Some(row @ Value::Object(_)) => policy["environments"] = json!([row]),
        _ => {}
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_filter_becomes_the_policys_environments() {
        let check = |constraints: Value, expected: Value| {
            let row = json!({"name": "p", "type": "Microsoft.BusinessAppPlatform/scopes/apiPolicies",
                "properties": {"displayName": "Policy", "definition": {"constraints": constraints}}});
            let mut whole = json!({"name": "p", "displayName": "Policy"});
            for (name, value) in expected.as_object().unwrap() {
                whole[name] = value.clone();
            }
            assert_eq!(policy(row), whole, "{constraints}");
        };
        let filter = |kind: &str, environments: Value| {
            json!({"environmentFilter1": {"type": "environmentFilter",
                "parameters": {"filterType": kind, "environments": environments}}})
        };
        let all = json!({"environmentType": "AllEnvironments", "environments": []});
        check(json!({}), all.clone());
        check(json!({"environmentFilter1": null}), all);
        let one = json!([{"name": "e"}]);
        check(
            filter("include", one.clone()),
            json!({"environmentType": "OnlyEnvironments", "environments": one}),
        );
        check(
            filter("Exclude", json!({"name": "e"})),
            json!({"environmentType": "ExceptEnvironments", "environments": [{"name": "e"}]}),
        );
        check(
            filter("include", Value::Null),
            json!({"environmentType": "OnlyEnvironments"}),
        );
        check(
            filter("none", json!([])),
            json!({"environmentType": "AllEnvironments", "environments": []}),
        );
        check(filter("other", one), json!({}));
        check(json!({"environmentFilter1": {}}), json!({}));
    }

    #[test]
    fn a_policy_in_another_form_is_kept() {
        for row in [
            json!({"name": "p", "displayName": "P", "environmentType": "AllEnvironments", "environments": []}),
            json!({"name": "p", "properties": {"displayName": "P"}}),
            json!({"name": "p", "environmentType": "AllEnvironments", "properties": {"definition": {}}}),
        ] {
            assert_eq!(policy(row.clone()), row);
        }
    }
}
