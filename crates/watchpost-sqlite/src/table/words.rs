//! Words in all tables that this version doesn't know. Lists skip their rows; this finds them.

use crate::{
    base::{
        fault::Res,
        row::{Word, foreign, id_text},
    },
    text,
};
use rusqlite::{Connection, params_from_iter, types::ValueRef};
use watchpost_core::{
    access::{KeyScope, OnceTokenKind},
    audit::{ActorKind, AuditOutcome},
    check::{CheckResult, ScanType, Service, SkipReason},
    import::{ExceptionKind, ImportFormat, ImportTool},
    integration::{Doubt, fact::Dataset},
    job::JobKind,
    scan::ScanTrigger,
    value::word::{
        AccountKind, AccountStatus, AppPolicy, Category, CollectionState, DismissReason, EntityType,
        FindingStatus, GrantKind, GrantRisk, IntegrationStatus, Mfa, Platform, RemediationState, RoleHold,
        RunState, Severity, TokenNetwork,
    },
};

/// The most unknown words that are returned.
const FOUND_MAX: usize = 20;

/// Whether a code is that of a known word.
type IsKnown = fn(i64) -> bool;

/// A column of words.
pub(crate) type WordColumn = (&'static str, IsKnown);

fn is<T: Word>(code: i64) -> bool {
    u8::try_from(code).ok().and_then(T::at).is_some()
}

/// The columns of words of each table.
pub(crate) const COLUMNS: &[(&str, &[WordColumn])] = &[
    ("api_keys", &[("scope", is::<KeyScope>)]),
    (
        "audit_entries",
        &[("actor_kind", is::<ActorKind>), ("outcome", is::<AuditOutcome>)],
    ),
    (
        "integrations",
        &[("platform", is::<Platform>), ("status", is::<IntegrationStatus>)],
    ),
    (
        "collections",
        &[
            ("dataset", is::<Dataset>),
            ("state", is::<CollectionState>),
            ("doubt", is::<Doubt>),
        ],
    ),
    ("syncs", &[("state", is::<RunState>)]),
    ("jobs", &[("kind", is::<JobKind>), ("state", is::<RunState>)]),
    ("identities", &[("kind", is::<AccountKind>)]),
    (
        "accounts",
        &[("status", is::<AccountStatus>), ("kind", is::<AccountKind>)],
    ),
    ("account_mfa", &[("dataset", is::<Dataset>), ("mfa", is::<Mfa>)]),
    ("roles", &[("dataset", is::<Dataset>), ("hold", is::<RoleHold>)]),
    ("apps", &[("policy", is::<AppPolicy>), ("risk", is::<GrantRisk>)]),
    ("app_owners", &[("dataset", is::<Dataset>)]),
    (
        "grants",
        &[
            ("dataset", is::<Dataset>),
            ("kind", is::<GrantKind>),
            ("risk", is::<GrantRisk>),
            ("network", is::<TokenNetwork>),
        ],
    ),
    ("settings", &[("dataset", is::<Dataset>)]),
    ("entity_readings", &[("dataset", is::<Dataset>)]),
    (
        "findings",
        &[
            ("status", is::<FindingStatus>),
            ("severity", is::<Severity>),
            ("category", is::<Category>),
            ("entity_type", is::<EntityType>),
            ("dismiss_reason", is::<DismissReason>),
            ("service", is::<Service>),
        ],
    ),
    (
        "finding_counts",
        &[
            ("status", is::<FindingStatus>),
            ("severity", is::<Severity>),
            ("category", is::<Category>),
        ],
    ),
    (
        "finding_sightings",
        &[
            ("service", is::<Service>),
            ("severity", is::<Severity>),
            ("category", is::<Category>),
        ],
    ),
    ("remediations", &[("state", is::<RemediationState>)]),
    (
        "scans",
        &[
            ("scan_type", is::<ScanType>),
            ("state", is::<RunState>),
            ("trigger", is::<ScanTrigger>),
        ],
    ),
    (
        "scan_results",
        &[
            ("severity", is::<Severity>),
            ("service", is::<Service>),
            ("result", is::<CheckResult>),
            ("skip", is::<SkipReason>),
        ],
    ),
    ("scan_settings", &[("state", is::<CollectionState>)]),
    (
        "import_batches",
        &[("format", is::<ImportFormat>), ("tool", is::<ImportTool>)],
    ),
    (
        "import_results",
        &[
            ("result", is::<CheckResult>),
            ("skip", is::<SkipReason>),
            ("severity", is::<Severity>),
            ("service", is::<Service>),
            ("exception", is::<ExceptionKind>),
        ],
    ),
    (
        "import_verdicts",
        &[
            ("result", is::<CheckResult>),
            ("skip", is::<SkipReason>),
            ("exception", is::<ExceptionKind>),
        ],
    ),
    (
        "spent_tokens",
        &[("actor_kind", is::<ActorKind>), ("kind", is::<OnceTokenKind>)],
    ),
];

/// Returns the stored words that this version doesn't know, each with its table, its column and its first row; at most
/// [`FOUND_MAX`]. Reads each table once.
pub(crate) fn unknown(conn: &Connection) -> Res<Vec<String>> {
    let mut found = Vec::new();
    for (table, columns) in COLUMNS {
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let mut statement = conn.prepare(&format!("SELECT DISTINCT {} FROM {table}", names.join(", ")))?;
        let mut rows = statement.query([])?;
        let mut codes: Vec<(&str, i64)> = Vec::new();
        while let Some(row) = rows.next()? {
            for (i, (column, is_known)) in columns.iter().enumerate() {
                let code: Option<i64> = row.get(i)?;
                codes.extend(code.filter(|code| !is_known(*code)).map(|code| (*column, code)));
            }
        }
        codes.sort_unstable();
        codes.dedup();
        for (column, code) in codes {
            if found.len() == FOUND_MAX {
                return Ok(found);
            }
            let row = first_row(conn, table, column, code)?;
            found.push(text::unknown_word(table, column, code, &row));
        }
    }
    Ok(found)
}

/// Returns the primary key of the first row with a code.
fn first_row(conn: &Connection, table: &str, column: &str, code: i64) -> Res<String> {
    let keys: Vec<String> = conn
        .prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?
        .query_map([table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let sql = format!(
        "SELECT {} FROM {table} WHERE {column} = ?1 LIMIT 1",
        keys.join(", ")
    );
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter([code]))?;
    let mut values = Vec::new();
    if let Some(row) = rows.next()? {
        for (i, key) in keys.iter().enumerate() {
            let value = match row.get_ref(i)? {
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(text) => foreign(&String::from_utf8_lossy(text)).untrusted().to_owned(),
                ValueRef::Blob(bytes) => id_text(bytes).unwrap_or_default(),
                ValueRef::Null | ValueRef::Real(_) => continue,
            };
            values.push(format!("{key} {value}"));
        }
    }
    Ok(values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::open::{Access, MIGRATIONS, connect, create_file};
    use std::collections::BTreeSet;

    /// A column with the name of a word that isn't one.
    const OTHER: (&str, &str) = ("imports", "state");

    /// The names of the columns of integers that aren't words, without those of times (`_at`). A new column is a word, or is
    /// added here.
    const NUMBERS: &str = "accounts admin_mfa_off admin_mfa_on admin_mfa_unknown admins apps as_of at attempts auto_resolved \
        batch break_glass bytes checks complete_rows completions confirmed_rows content count deprovisioning \
        enabled entities exception_until failure_credential failure_since first_party frameworks fresh \
        generation grants holds identities import integration invitation_pending key_generation key_version \
        lapsed last_active_known last_integration last_sync last_used_known lease_until listed_in \
        live_critical live_high live_info live_low live_medium mailbox mfa_off mfa_on mfa_unknown misses \
        never_expires not_before on_premises_id one own_registration partial password_expiry_exempt \
        password_never_expires pending phishing_resistant phishing_resistant_known platforms position \
        privileged publisher_verified read_in removed reopen_count retired row_count row_errors rows_not_run \
        rows_ok rows_skipped scan_types score scored seen seq services settings settings_read \
        settings_unread sightings snoozed_until sso_off sso_on sso_unknown stale_accounts super_admin sync \
        synced tenant_wide unreviewed_apps until weak_only weak_only_known workspace_id";

    #[test]
    fn no_column_of_words_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        create_file(&path).unwrap();
        let conn = connect(&path, Access::Write).unwrap();
        for migration in MIGRATIONS {
            conn.execute_batch(migration).unwrap();
        }
        let listed: BTreeSet<(String, String)> = COLUMNS
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(move |(column, _)| (*table, *column)))
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .collect();
        let numbers: BTreeSet<&str> = NUMBERS.split(' ').collect();
        let mut statement = conn
            .prepare(
                "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
                 WHERE t.type = 'table' AND c.type = 'INTEGER'",
            )
            .unwrap();
        let stored: BTreeSet<(String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .filter(|(table, column): &(String, String)| {
                let is_number = numbers.contains(column.as_str()) || column.ends_with("_at");
                // Not those of the full-text index either.
                !is_number
                    && (table.as_str(), column.as_str()) != OTHER
                    && !table.starts_with("findings_text")
            })
            .collect();
        assert_eq!(stored, listed);
        assert_eq!(unknown(&conn).unwrap(), Vec::<String>::new());
    }
}
