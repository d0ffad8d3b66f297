//! Rules and checks that share a condition.

use std::{fmt::Write as _, fs, path::Path};
use watchpost_core::value::word::EntityType;
use watchpost_policy::Pack;

/// Marks the beginning and the end of the generated part of the page.
const BEGIN: &str = "<!-- conditions: generated from METADATA, a test keeps them up to date -->\n";
const END: &str = "<!-- end of conditions -->\n";

/// Compares the list in `docs/checks/README.md`. `UPDATE_DOCS=1 cargo test -p watchpost-policy` writes it.
#[test]
fn the_list_of_shared_conditions_is_current() {
    let mut list = String::from("\n| condition | judged by | the finding is about |\n| --- | --- | --- |\n");
    for condition in Pack::builtin().shared_conditions().unwrap() {
        let ids: Vec<String> = condition.judged_by.iter().map(|id| format!("`{id}`")).collect();
        let _ = writeln!(
            list,
            "| `{}` | {} | an {} |",
            condition.id,
            ids.join(", "),
            condition.entity
        );
    }
    list.push('\n');
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks/README.md");
    let page = fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, format!("{before}{BEGIN}{list}{END}{after}")).unwrap();
        return;
    }
    assert!(
        found == list,
        "docs/checks/README.md is out of date: UPDATE_DOCS=1 cargo test -p watchpost-policy"
    );
}

fn rule(id: &str, condition: &str, document: &str) -> (String, String) {
    let text = format!(
        "# METADATA\n# id: {id}\n# title: Ours {id}\n# description: A rule of our own.\n{condition}# severity: low\n\
         # category: access_hygiene\n# document: {document}\n# datasets: [users]\n# remediation:\n#   - Ask around.\n\
         package watchpost.rules.{}\n\nimport rego.v1\n\nresult := {{\"result\": \"passed\"}}\n",
        id.replace('.', "_")
    );
    (format!("{id}.rego"), text)
}

fn load(files: &[(String, String)]) -> Result<Pack, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Pack::with_dir(folder.path()).map_err(|error| error.to_string())
}

#[test]
fn a_customers_rule_may_share_the_condition_of_another() {
    let pack = load(&[
        rule("our.no_mfa", "# condition: id.user_no_mfa\n", "identity"),
        rule("our.one", "# condition: our.thing\n", "app"),
        rule("our.two", "# condition: our.thing\n", "app"),
    ])
    .unwrap();
    let shared = pack.shared_conditions().unwrap();
    let find = |id: &str| shared.iter().find(|condition| condition.id == id).unwrap();
    assert_eq!(find("id.user_no_mfa").judged_by, ["id.user_no_mfa", "our.no_mfa"]);
    assert_eq!(find("our.thing").judged_by, ["our.one", "our.two"]);
    assert_eq!(find("our.thing").entity, EntityType::App);
}

#[test]
fn invalid_conditions_are_rejected_with_file_and_line() {
    let check = |files: &[(String, String)], expected: &[&str]| {
        let error = load(files).err().unwrap();
        for part in expected {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(error.lines().count(), 1, "{error}");
    };
    check(
        &[rule("our.no_mfa", "# condition: id.user_no_mfa\n", "app")],
        &["our.no_mfa.rego:5", "`id.user_no_mfa`", "identity, not app"],
    );
    check(
        &[rule(
            "our.legacy",
            "# condition: entra.legacy_auth_blocked\n",
            "identity",
        )],
        &["our.legacy.rego:5", "integration, not identity"],
    );
    check(
        &[rule("our.one", "# condition: id.user_no_mfaa\n", "identity")],
        &[
            "our.one.rego:5",
            "no other rule or check has the condition `id.user_no_mfaa`",
        ],
    );
    check(
        &[rule("our.one", "# condition: Legacy\n", "identity")],
        &["our.one.rego", "`condition` must be the id"],
    );
    check(
        &[rule("exo.spf", "", "integration")],
        &["exo.spf.rego:2", "a check `exo.spf` already exists"],
    );
}
