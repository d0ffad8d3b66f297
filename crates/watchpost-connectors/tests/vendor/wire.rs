//! The fields that the connectors read from answers, found in the text of their wire structs: each is in the description of
//! the type that the struct stands for.

use crate::{graph, log::Log, okta, openapi};
use std::path::PathBuf;

/// The structs for objects of Graph, each with a version and a type.
const GRAPH: &[(&str, &str, &str)] = &[
    ("AppRole", "v1.0", "appRole"),
    ("AppRoleAssignment", "v1.0", "appRoleAssignment"),
    ("Application", "v1.0", "application"),
    ("AssignedLicense", "v1.0", "assignedLicense"),
    ("ClaimsExpression", "beta", "federatedIdentityExpression"),
    ("Credential", "v1.0", "passwordCredential"),
    ("Credential", "v1.0", "keyCredential"),
    ("DirectoryObject", "v1.0", "user"),
    ("DirectoryObject", "v1.0", "group"),
    ("DirectoryObject", "v1.0", "servicePrincipal"),
    ("Domain", "v1.0", "domain"),
    ("FederatedCredential", "beta", "federatedIdentityCredential"),
    ("Organization", "v1.0", "organization"),
    ("PermissionGrant", "v1.0", "oAuth2PermissionGrant"),
    ("Registration", "v1.0", "userRegistrationDetails"),
    ("RoleAssignment", "v1.0", "unifiedRoleAssignment"),
    ("RoleDefinition", "v1.0", "unifiedRoleDefinition"),
    (
        "ScheduleInstance",
        "v1.0",
        "unifiedRoleAssignmentScheduleInstance",
    ),
    (
        "ScheduleInstance",
        "v1.0",
        "unifiedRoleEligibilityScheduleInstance",
    ),
    ("ServicePlan", "v1.0", "servicePlanInfo"),
    ("ServicePrincipal", "v1.0", "servicePrincipal"),
    ("SignInActivity", "v1.0", "signInActivity"),
    ("SubscribedSku", "v1.0", "subscribedSku"),
    ("User", "v1.0", "user"),
    ("VerifiedPublisher", "v1.0", "verifiedPublisher"),
];

/// The structs for objects of Okta, each with a component of the description.
const OKTA: &[(&str, &str)] = &[
    ("ApiToken", "ApiToken"),
    ("App", "OpenIdConnectApplication"),
    ("AppCredentials", "OAuthApplicationCredentials"),
    ("AppUser", "AppUser"),
    ("Assignee", "RoleAssignedUser"),
    (
        "EnrollmentConditions",
        "AuthenticatorEnrollmentPolicyRuleConditions",
    ),
    ("EnrollmentPolicy", "AuthenticatorEnrollmentPolicy"),
    ("EnrollmentRule", "AuthenticatorEnrollmentPolicyRule"),
    ("ErrorBody", "Error"),
    ("Factor", "UserFactor"),
    ("NetworkCondition", "PolicyNetworkCondition"),
    ("OauthClient", "ApplicationCredentialsOAuthClient"),
    ("Org", "OrgSetting"),
    ("Policy", "Policy"),
    ("Profile", "UserProfile"),
    ("Provider", "AuthenticationProvider"),
    ("Role", "CustomRole"),
    ("User", "User"),
    ("UserCredentials", "UserCredentials"),
];

/// The structs that stand for no type of their own: envelopes of lists and errors, which every exchange is compared with.
const ENVELOPES: &[&str] = &[
    "ErrorBody",
    "ErrorDetail",
    "Link",
    "Links",
    "ListPage",
    "WrappedPage",
];

/// Returns the structs of a file with the names of their fields in JSON.
fn structs(text: &str) -> Vec<(String, Vec<String>)> {
    let (mut found, mut renamed, mut camel) = (Vec::new(), None, false);
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[serde(rename_all = \"camelCase\")]") {
            camel = true;
        } else if let Some(rest) = line.strip_prefix("#[serde(rename = \"") {
            renamed = rest.split('"').next().map(str::to_owned);
        } else if let Some(rest) = line.strip_prefix("pub(super) struct ") {
            let name = rest.split([' ', '<', '(']).next().unwrap_or_default();
            open = Some((name.to_owned(), Vec::new()));
        } else if line == "}" {
            found.extend(open.take());
            camel = false;
        } else if let (Some((_, fields)), Some(rest)) = (&mut open, line.strip_prefix("pub(super) ")) {
            let name = rest.split(':').next().unwrap_or_default();
            let name = renamed.take().unwrap_or_else(|| {
                if camel {
                    in_camel_case(name)
                } else {
                    name.to_owned()
                }
            });
            fields.push(name);
        }
    }
    found
}

fn in_camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let mut letters = word.chars();
        all.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        all.push_str(letters.as_str());
        all
    })
}

fn source(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn connectors_read_only_fields_that_are_described() {
    let (Some(graph), Some(okta)) = (graph::graph(), okta::okta()) else {
        return;
    };
    let mut log = Log::default();
    for (name, fields) in structs(&source("m365/wire.rs")) {
        log.at(format!("m365 {name}"));
        let types: Vec<_> = GRAPH.iter().filter(|(known, ..)| *known == name).collect();
        if types.is_empty() && !ENVELOPES.contains(&name.as_str()) {
            log.differs("struct", "without a type");
        }
        for (_, version, of) in types {
            let model = graph.model(version).unwrap();
            for field in fields.iter().filter(|field| !field.starts_with('@')) {
                log.value();
                if model.property(&format!("microsoft.graph.{of}"), field).is_none() {
                    log.differs(field, &format!("{of} has no such property"));
                }
            }
        }
    }
    for (name, fields) in structs(&source("okta/wire.rs")) {
        log.at(format!("okta {name}"));
        let component = OKTA.iter().find(|(known, _)| *known == name);
        if component.is_none() && !ENVELOPES.contains(&name.as_str()) {
            log.differs("struct", "without a component");
        }
        for field in component.map(|_| fields).into_iter().flatten() {
            log.value();
            if !described(okta, component.unwrap().1, &field) {
                log.differs(&field, "no such property");
            }
        }
    }
    println!(
        "connectors: {} fields that they read, {} exceptions",
        log.counts.values,
        crate::exceptions::WIRE.len()
    );
    let wrong = crate::log::wrong(&log.differences, crate::exceptions::WIRE);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a component of Okta has a property.
fn described(okta: &openapi::Document, component: &str, field: &str) -> bool {
    let mut trial = Log::default();
    let fields = serde_json::Map::from_iter([(field.to_owned(), serde_json::Value::Null)]);
    let schema = serde_json::json!({ "$ref": format!("#/components/schemas/{component}") });
    okta.compare_fields(&mut trial, "", &fields, &schema);
    !trial
        .differences
        .keys()
        .any(|line| line.contains("no such property"))
}

#[test]
fn the_fields_of_structs_are_found_in_their_text() {
    let text = "#[serde(rename_all = \"camelCase\")]\npub(super) struct A {\n    /// One.\n    pub(super) first_name: u8,\n    \
                #[serde(rename = \"type\")]\n    pub(super) kind: u8,\n}\npub(super) struct B {\n    pub(super) x_y: u8,\n}\n";
    let found = structs(text);
    let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            ("A".to_owned(), names(&["firstName", "type"])),
            ("B".to_owned(), names(&["x_y"]))
        ]
    );
}
