//! The YAML METADATA comment at the head of a rule.

use crate::text;
use serde::Deserialize;
use watchpost_core::{
    integration::fact::Dataset,
    rule::{Rule, document::DocumentType},
    value::word::{Category, Platform, Severity},
};

/// Maximum size of a METADATA comment, in bytes.
const METADATA_BYTES_MAX: usize = 16 * 1024;
/// Maximum length of a title, in characters.
const TITLE_CHARS_MAX: usize = 60;
/// Maximum number of entries in a list.
const LIST_MAX: usize = 32;

/// The API names of the remediation actions that a rule may name.
pub const ACTIONS: &[&str] = &[
    "suspend_user",
    "unsuspend_user",
    "force_password_change",
    "force_mfa_enroll",
    "revoke_sessions",
    "revoke_oauth_token",
    "remove_admin_role",
    "contain_host",
    "block_app",
    "sanction_app",
    "create_ticket",
    "notify_user",
    "create_access_review",
    "trigger_sync",
];

/// The METADATA of a rule.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    pub(crate) rule: Rule,
    /// Datasets that must all be readable. The rule itself handles the others of `rule.datasets`.
    pub(crate) required: Vec<Dataset>,
    pub(crate) params: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    condition: Option<String>,
    title: String,
    description: String,
    severity: Severity,
    category: Category,
    document: DocumentType,
    #[serde(default)]
    platforms: Vec<Platform>,
    datasets: Vec<Dataset>,
    #[serde(default)]
    optional_datasets: Vec<Dataset>,
    #[serde(default)]
    depends_on_decisions: bool,
    #[serde(default)]
    informational: bool,
    action: Option<String>,
    remediation: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    frameworks: Vec<String>,
    #[serde(default)]
    params: serde_json::Map<String, serde_json::Value>,
}

/// Reads the METADATA of the rule in `file`. The error names the file and, if known, the line.
pub(crate) fn read(file: &str, source: &str) -> Result<Metadata, String> {
    let raw: Raw = parse(file, source)?;
    Common {
        file,
        source,
        id: &raw.id,
        condition: raw.condition.as_deref(),
        title: &raw.title,
        description: &raw.description,
        remediation: &raw.remediation,
        requires_steps: true,
        params: raw.params.len(),
        texts: &[
            ("references", &raw.references, 500),
            ("frameworks", &raw.frameworks, 500),
        ],
    }
    .check()?;
    if let Some(action) = &raw.action
        && !ACTIONS.contains(&action.as_str())
    {
        return Err(bad(file, source, "action", &text::unknown_action(ACTIONS)));
    }
    let required = sorted(raw.datasets);
    let optional: Vec<Dataset> = raw
        .optional_datasets
        .into_iter()
        .filter(|dataset| !required.contains(dataset))
        .collect();
    Ok(Metadata {
        rule: Rule {
            condition: raw.condition.unwrap_or_else(|| raw.id.clone()),
            id: raw.id,
            title: raw.title,
            description: raw.description,
            severity: raw.severity,
            category: raw.category,
            document: raw.document,
            platforms: sorted(raw.platforms),
            datasets: sorted(required.iter().copied().chain(optional).collect()),
            depends_on_decisions: raw.depends_on_decisions,
            informational: raw.informational,
            action: raw.action,
            remediation: raw.remediation,
            references: raw.references,
            frameworks: raw.frameworks,
        },
        required,
        params: raw.params,
    })
}

/// METADATA that rules and checks have in common.
pub(crate) struct Common<'a> {
    pub(crate) file: &'a str,
    pub(crate) source: &'a str,
    pub(crate) id: &'a str,
    pub(crate) condition: Option<&'a str>,
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) remediation: &'a [String],
    /// Whether `remediation` is required.
    pub(crate) requires_steps: bool,
    /// Number of parameters.
    pub(crate) params: usize,
    /// Further lists: key, entries, maximum size of an entry in bytes.
    pub(crate) texts: &'a [(&'static str, &'a [String], usize)],
}

impl Common<'_> {
    /// Checks the form and size of the METADATA. The error names the file and line.
    pub(crate) fn check(&self) -> Result<(), String> {
        let bad = |key: &str, what: &str| Err(bad(self.file, self.source, key, what));
        if !is_rule_id(self.id) {
            return bad("id", text::ID_FORM);
        }
        if self.condition.is_some_and(|id| !is_rule_id(id)) {
            return bad("condition", text::CONDITION_FORM);
        }
        if self.title.is_empty() || self.title.chars().count() > TITLE_CHARS_MAX {
            return bad("title", text::TITLE_LENGTH);
        }
        if self.description.is_empty() || self.description.chars().count() > 2_000 {
            return bad("description", text::DESCRIPTION_LENGTH);
        }
        if self.remediation.is_empty() && self.requires_steps {
            return bad("remediation", text::NO_STEPS);
        }
        let steps = [("remediation", self.remediation, 500)];
        for (key, list, max_bytes) in steps.iter().chain(self.texts) {
            if list.len() > LIST_MAX {
                return bad(key, &text::too_many_entries(key, LIST_MAX));
            }
            if list
                .iter()
                .any(|entry| entry.is_empty() || entry.len() > *max_bytes)
            {
                return bad(key, &text::entry_length(key, *max_bytes));
            }
        }
        if self.params > LIST_MAX {
            return bad("params", &text::too_many_entries("params", LIST_MAX));
        }
        Ok(())
    }
}

/// Builds an error about a key of the METADATA, with the file and line.
pub(crate) fn bad(file: &str, source: &str, key: &str, what: &str) -> String {
    text::metadata_error(file, line_of(source, key), what)
}

/// Reads the METADATA of `file` as `T`. The error names the file and line.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(file: &str, source: &str) -> Result<T, String> {
    let (yaml, first_line) = block(source).ok_or_else(|| text::no_metadata(file))?;
    if yaml.len() > METADATA_BYTES_MAX {
        return Err(text::metadata_too_long(file, first_line, METADATA_BYTES_MAX));
    }
    serde_saphyr::from_str(&yaml).map_err(|error| {
        let line = error.location().map_or(first_line, |at| {
            first_line.saturating_add(usize::try_from(at.line()).unwrap_or(0))
        });
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default();
        // The parser's own line number counts from the second line of the comment.
        let message = message
            .rsplit_once(" at line ")
            .map_or(message, |(message, _)| message);
        text::metadata_error(file, line, message)
    })
}

/// Returns the package of a rule: `watchpost.rules.id_admin_no_mfa` for `id.admin_no_mfa`.
pub(crate) fn package_of(id: &str) -> String {
    format!("watchpost.rules.{}", id.replace('.', "_"))
}

pub(crate) fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

fn is_rule_id(id: &str) -> bool {
    let part = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    id.len() <= 64
        && id
            .split_once('.')
            .is_some_and(|(area, rest)| part(area) && !area.contains('_') && part(rest))
}

/// Returns the line of a key of the METADATA, or 1.
pub(crate) fn line_of(source: &str, key: &str) -> usize {
    source
        .lines()
        .take_while(|line| line.starts_with('#'))
        .position(|line| {
            line.strip_prefix("# ")
                .and_then(|line| line.strip_prefix(key))
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        })
        .map_or(1, |line| line.saturating_add(1))
}

/// Returns the YAML of the METADATA comment and the number of the line before it.
pub(crate) fn block(source: &str) -> Option<(String, usize)> {
    let mut lines = source.lines();
    if lines.next()?.trim_end() != "# METADATA" {
        return None;
    }
    let mut yaml = String::new();
    for line in lines {
        let Some(text) = line.strip_prefix('#') else { break };
        yaml.push_str(text.strip_prefix(' ').unwrap_or(text));
        yaml.push('\n');
    }
    Some((yaml, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# METADATA\n# id: id.example\n# title: An example\n# description: Says why.\n# severity: low\n\
        # category: access_hygiene\n# document: identity\n# datasets: [users]\n# optional_datasets: [grants, users]\n\
        # remediation:\n#   - Do this.\n# params: {days: 30}\npackage x\n";

    #[test]
    fn metadata_is_read() {
        let metadata = read("x.rego", GOOD).unwrap();
        assert_eq!(metadata.rule.id, "id.example");
        assert_eq!(metadata.rule.datasets, [Dataset::Users, Dataset::Grants]);
        assert_eq!(metadata.required, [Dataset::Users]);
        assert_eq!(metadata.params["days"], 30);
        assert_eq!(package_of("id.example"), "watchpost.rules.id_example");
    }

    #[test]
    fn errors_name_file_and_line() {
        let check = |from: &str, to: &str, expected: &str| {
            let error = read("x.rego", &GOOD.replace(from, to)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("# METADATA", "# Metadata", "x.rego:1:");
        check("severity: low", "severity: dreadful", "x.rego:5:");
        check("# datasets: [users]", "# datasets: [user]", "x.rego:8:");
        check("# title: An example", "# titel: An example", "x.rego:3:");
        check("id: id.example", "id: Example", "`id` must have the form");
        check(
            "# params",
            "# action: delete_everything\n# params",
            "`action` must be one of",
        );
        check("#   - Do this.\n", "#   []\n", "at least one step");
        check("# title: An example", "# title: [", "x.rego:");
    }
}
