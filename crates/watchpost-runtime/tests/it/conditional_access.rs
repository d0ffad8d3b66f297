//! The checks' own cases of Conditional Access, as ScubaGear exports the same policies. A check must have the same verdict on
//! both forms.

use serde_json::{Map, Value, json};
use watchpost_core::check::Profile;
use watchpost_policy::check::cases::builtin_cases;
use watchpost_runtime::offline::Offline;

const POLICIES: &str = "identity/conditionalAccess/policies";
const DEFAULTS: &str = "policies/identitySecurityDefaultsEnforcementPolicy";

#[test]
fn exported_policies_have_the_same_verdicts_as_those_of_graph() {
    let mut input = String::new();
    let mut expected = Vec::new();
    for (file, text) in builtin_cases() {
        let document: Value = serde_json::from_str(text).expect("JSON");
        let base = &document["rows"][POLICIES];
        if base.is_null() {
            continue;
        }
        let check = file.trim_end_matches(".cases.json");
        for case in document["cases"].as_array().into_iter().flatten() {
            let Some(export) = exported(case, base) else {
                continue;
            };
            let line = json!({"id": expected.len(), "policy_id": check, "input": export});
            input.push_str(&line.to_string());
            input.push('\n');
            expected.push((format!("{check}: {}", case["name"]), case["expect"].clone()));
        }
    }
    let mut output = Vec::new();
    Offline::load(None)
        .expect("the built-in checks")
        .evaluate_cases(input.as_bytes(), &mut output, Profile::Default, 0)
        .expect("an evaluation");
    let answers: Vec<Value> = output
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("an answer in JSON"))
        .collect();
    assert_eq!(answers.len(), expected.len());
    let wrong: Vec<String> = answers
        .iter()
        .zip(&expected)
        .filter(|(answer, (_, expect))| {
            answer["result"] != expect["result"]
                || !expect["reason"].is_null() && answer["reason"] != expect["reason"]
        })
        .map(|(answer, (name, _))| format!("{name}: {}: {}", answer["result"], answer["details"]))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} cases have the same verdict in both forms", expected.len());
    assert!(expected.len() > 500, "only {} cases", expected.len());
}

/// The export with a case's settings. Returns `None` for a case that no export can state: other profiles, declared
/// exemptions, and settings that ScubaGear doesn't export.
fn exported(case: &Value, base: &Value) -> Option<Value> {
    let other = ["profile", "exempt", "params", "unreadable"];
    if other.iter().any(|field| !case[*field].is_null()) {
        return None;
    }
    let settings = case["settings"].as_object()?;
    let policies = settings.get(POLICIES)?["value"].as_array()?;
    let mut export = Map::new();
    for (path, setting) in settings {
        match path.as_str() {
            POLICIES => {
                let rows = policies.iter().map(|row| {
                    let mut whole = if case["whole"] == true {
                        Value::Null
                    } else {
                        base.clone()
                    };
                    merge(&mut whole, row.clone());
                    pascal("", whole)
                });
                export.insert("conditional_access_policies".to_owned(), rows.collect());
            }
            // A tenant with policies has no security defaults.
            DEFAULTS if setting["isEnabled"] == false && !policies.is_empty() => {}
            "subscribedSkus" => {
                let plans = setting["value"][0]["servicePlans"].clone();
                export.insert("service_plans".to_owned(), pascal("", plans));
            }
            "exchange/TransportConfig" => {
                export.insert("transport_config".to_owned(), setting["value"].clone());
            }
            "policies/authenticationMethodsPolicy" => {
                let methods = setting["authenticationMethodConfigurations"].clone();
                let row = json!({
                    "authentication_method_policy": {},
                    "authentication_method_feature_settings": pascal("", methods),
                });
                export.insert("authentication_method".to_owned(), json!([row]));
            }
            _ => return None,
        }
    }
    Some(Value::Object(export))
}

fn merge(base: &mut Value, partial: Value) {
    match (base, partial) {
        (Value::Object(base), Value::Object(partial)) => {
            for (key, value) in partial {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, partial) => *base = partial,
    }
}

/// The value as the PowerShell module writes it: keys begin with a capital, and an object that isn't set has all its fields,
/// each null.
fn pascal(name: &str, value: Value) -> Value {
    match value {
        Value::Null => match name {
            "Platforms" => json!({"IncludePlatforms": null, "ExcludePlatforms": null}),
            "Locations" => json!({"IncludeLocations": null, "ExcludeLocations": null}),
            "Devices" => json!({"DeviceFilter": {"Mode": null, "Rule": null}}),
            "ApplicationFilter" | "DeviceFilter" => json!({"Mode": null, "Rule": null}),
            "AuthenticationFlows" => json!({"TransferMethods": null}),
            "ClientApplications" => {
                json!({"IncludeServicePrincipals": null, "ExcludeServicePrincipals": null})
            }
            "AuthenticationStrength" => json!({"Id": null, "AllowedCombinations": null}),
            "GrantControls" => json!({
                "AuthenticationStrength": {"Id": null, "AllowedCombinations": null}, "BuiltInControls": null,
                "CustomAuthenticationFactors": null, "Operator": null, "TermsOfUse": null,
            }),
            "SessionControls" => json!({
                "SignInFrequency": {"IsEnabled": null, "Type": null, "Value": null},
                "PersistentBrowser": {"IsEnabled": null, "Mode": null},
            }),
            "IncludeGuestsOrExternalUsers" | "ExcludeGuestsOrExternalUsers" => json!({
                "ExternalTenants": {"MembershipKind": null}, "GuestOrExternalUserTypes": null,
            }),
            _ => Value::Null,
        },
        Value::Array(items) => items.into_iter().map(|item| pascal("", item)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| {
                let mut letters = key.chars();
                let key: String = letters
                    .next()
                    .into_iter()
                    .flat_map(char::to_uppercase)
                    .chain(letters)
                    .collect();
                let value = pascal(&key, value);
                (key, value)
            })
            .collect(),
        other => other,
    }
}
