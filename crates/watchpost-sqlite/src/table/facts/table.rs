//! Writes rows of facts: a changed row is rewritten, an unchanged one only gets the number of the sync that saw it.

use crate::base::{fault::Res, writer::Tx};
use rusqlite::{params_from_iter, types::Value};
use std::sync::LazyLock;

/// A table of facts. Its key is workspace_id, integration, dataset if `by_dataset` is set, and vendor_id.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Whether `dataset` is part of the key.
    pub(super) by_dataset: bool,
    /// The column with the account or app for which the rows are read with a request of its own.
    pub(super) entity: Option<&'static str>,
    /// Columns that are set when a row is inserted and never change.
    once: &'static [&'static str],
    /// Columns that hold the vendor's data.
    facts: &'static [&'static str],
    sql: LazyLock<Sql>,
}

struct Sql {
    find: String,
    touch: String,
    update: String,
    insert: String,
}

macro_rules! table {
    ($static:ident, $name:literal, $by_dataset:literal, $entity:expr, [$($once:literal),*], [$($fact:literal),+ $(,)?]) => {
        pub(super) static $static: Table = Table {
            name: $name,
            by_dataset: $by_dataset,
            entity: $entity,
            once: &[$($once),*],
            facts: &[$($fact),+],
            sql: LazyLock::new(|| Sql::of(&$static)),
        };
    };
}

table!(
    ACCOUNTS,
    "accounts",
    false,
    None,
    ["id", "identity_id"],
    [
        "login",
        "email",
        "aliases",
        "display_name",
        "status",
        "status_changed_at",
        "kind",
        "last_active_at",
        "last_active_known",
        "created_at",
        "department",
        "title",
        "manager_email",
        "password_never_expires",
        "password_changed_at",
        "synced",
        "on_premises_id",
        "invitation_pending",
        "mailbox",
        "password_expiry_exempt",
    ]
);

table!(
    MFA,
    "account_mfa",
    true,
    Some("vendor_id"),
    [],
    [
        "mfa",
        "methods",
        "phishing_resistant",
        "phishing_resistant_known",
        "weak_only",
        "weak_only_known",
    ]
);

table!(
    ROLES,
    "roles",
    true,
    None,
    [],
    [
        "principal_vendor_id",
        "role_key",
        "role_name",
        "privileged",
        "super_admin",
        "hold",
        "via_group",
        "ends_at",
    ]
);

table!(
    APPS,
    "apps",
    false,
    None,
    ["id", "first_seen_at"],
    [
        "name",
        "name_key",
        "client_key",
        "client_id",
        "publisher",
        "publisher_verified",
        "first_party",
        "own_registration",
        "enabled",
        "created_at",
        "sign_on_mode",
        "deprovisioning",
        "credentials",
    ]
);

table!(
    OWNERS,
    "app_owners",
    true,
    None,
    [],
    ["app_vendor_id", "account_vendor_id"]
);

table!(
    GRANTS,
    "grants",
    true,
    Some("app_vendor_id"),
    [],
    [
        "app_vendor_id",
        "account_vendor_id",
        "kind",
        "name",
        "scopes",
        "risk",
        "created_at",
        "last_used_at",
        "last_used_known",
        "expires_at",
        "never_expires",
        "network",
    ]
);

table!(SETTINGS, "settings", true, None, [], ["document"]);

impl Sql {
    fn of(table: &Table) -> Self {
        let name = table.name;
        let dataset = if table.by_dataset { " AND dataset = ?3" } else { "" };
        let key = format!("workspace_id = ?1 AND integration = ?2{dataset}");
        let retired = if table.by_dataset { "" } else { ", retired = 0" };
        let retired_column = if table.by_dataset { "0" } else { "retired" };
        // ?1 rowid, ?2 seen, ?3 content, then the facts.
        let sets: Vec<String> = table
            .facts
            .iter()
            .enumerate()
            .map(|(i, column)| format!("{column} = ?{}", i + 4))
            .collect();
        let mut columns = vec!["workspace_id", "integration"];
        if table.by_dataset {
            columns.push("dataset");
        }
        columns.extend(["vendor_id", "seen", "content"]);
        columns.extend(table.once);
        columns.extend(table.facts);
        let marks: Vec<String> = (1..=columns.len()).map(|i| format!("?{i}")).collect();
        let vendor = if table.by_dataset { "?4" } else { "?3" };
        Self {
            find: format!(
                "SELECT rowid, content, {retired_column} FROM {name} WHERE {key} AND vendor_id = {vendor}"
            ),
            touch: format!("UPDATE {name} SET seen = ?2{retired} WHERE rowid = ?1"),
            update: format!(
                "UPDATE {name} SET seen = ?2, content = ?3{retired}, {} WHERE rowid = ?1",
                sets.join(", ")
            ),
            insert: format!(
                "INSERT INTO {name} ({}) VALUES ({})",
                columns.join(", "),
                marks.join(", ")
            ),
        }
    }
}

/// The parts of the key that a page of facts shares, and the number of the sync that writes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct FactContext {
    pub(super) workspace: i64,
    pub(super) integration: i64,
    pub(super) dataset: u8,
    pub(super) sync: i64,
}

/// The result of writing a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// The row was inserted.
    New,
    /// The content has changed, or the row was retired and is back.
    Changed {
        /// The rowid of the row.
        rowid: i64,
        /// Whether the row was retired before.
        was_retired: bool,
    },
    /// The content is the same as before.
    Same,
}

impl Table {
    /// Writes a row. `once` returns the values of the columns that are set only in a new row.
    pub(super) fn write(
        &self,
        tx: &Tx<'_>,
        context: FactContext,
        vendor_id: &str,
        facts: Vec<Value>,
        once: impl FnOnce() -> Res<Vec<Value>>,
    ) -> Res<Written> {
        debug_assert_eq!(facts.len(), self.facts.len());
        let content = content_of(&facts);
        let mut key: Vec<Value> = vec![context.workspace.into(), context.integration.into()];
        if self.by_dataset {
            key.push(i64::from(context.dataset).into());
        }
        key.push(vendor_id.to_owned().into());
        let found = {
            let mut find = tx.conn.prepare_cached(&self.sql.find)?;
            let mut rows = find.query(params_from_iter(key.iter()))?;
            match rows.next()? {
                Some(row) => Some((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, bool>(2)?,
                )),
                None => None,
            }
        };
        match found {
            Some((rowid, before, false)) if before == content => {
                tx.conn
                    .prepare_cached(&self.sql.touch)?
                    .execute([rowid, context.sync])?;
                Ok(Written::Same)
            }
            Some((rowid, _, was_retired)) => {
                let mut values: Vec<Value> = vec![rowid.into(), context.sync.into(), content.into()];
                values.extend(facts);
                tx.conn
                    .prepare_cached(&self.sql.update)?
                    .execute(params_from_iter(values))?;
                Ok(Written::Changed { rowid, was_retired })
            }
            None => {
                key.extend([context.sync.into(), content.into()]);
                key.extend(once()?);
                key.extend(facts);
                tx.conn
                    .prepare_cached(&self.sql.insert)?
                    .execute(params_from_iter(key))?;
                Ok(Written::New)
            }
        }
    }
}

/// Hashes the content of a row: FNV-1a over the values, each with its type and length. The hash only detects unchanged
/// rows; it is not a protection against deliberate collisions.
fn content_of(values: &[Value]) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for value in values {
        match value {
            Value::Null => add(&[0]),
            Value::Integer(number) => {
                add(&[1]);
                add(&number.to_le_bytes());
            }
            Value::Real(number) => {
                add(&[2]);
                add(&number.to_le_bytes());
            }
            Value::Text(text) => {
                add(&[3]);
                add(&(text.len() as u64).to_le_bytes());
                add(text.as_bytes());
            }
            Value::Blob(bytes) => {
                add(&[4]);
                add(&(bytes.len() as u64).to_le_bytes());
                add(bytes);
            }
        }
    }
    i64::from_le_bytes(hash.to_le_bytes())
}
