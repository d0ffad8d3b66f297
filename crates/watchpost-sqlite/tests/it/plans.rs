//! Query plans: hot queries read an index in the order of the list, without scanning a table or sorting.

use crate::conformance::open;
use rusqlite::Connection;
use std::sync::Arc;
use watchpost_testkit::SteppingClock;

/// Returns the query plan of a statement, one entry for each step.
fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let parameters = statement.parameter_count();
    statement
        .query_map(rusqlite::params_from_iter(vec![1; parameters]), |row| row.get(3))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap()
}

#[test]
fn hot_queries_neither_scan_nor_sort() {
    let file = open(Arc::new(SteppingClock::from(
        "2026-03-01T08:00:00Z".parse().unwrap(),
    )));
    let conn = Connection::open(file.path()).unwrap();
    let check = |sql: &str| {
        let plan = plan(&conn, sql);
        assert!(!plan.is_empty());
        for step in &plan {
            assert!(
                !step.contains("SCAN") && !step.contains("TEMP B-TREE"),
                "{sql}\n{plan:#?}"
            );
        }
    };
    let stream = "FROM findings f INDEXED BY findings_order WHERE f.workspace_id = ?1 AND f.status = ?2 \
                  AND f.severity = ?3 AND f.scored = ?4";
    let category = "FROM findings f INDEXED BY findings_category WHERE f.workspace_id = ?1 AND f.status = ?2 \
                    AND f.severity = ?3 AND f.scored = ?4 AND f.category = ?6";
    let after = "AND f.first_seen_at <= ?7 AND (f.first_seen_at < ?7 OR f.id > ?8)";
    let order = "ORDER BY f.first_seen_at DESC, f.id LIMIT ?5";
    check(&format!("SELECT f.title {stream} {order}"));
    check(&format!("SELECT f.title {stream} {after} {order}"));
    check(&format!(
        "SELECT f.rowid {stream} ORDER BY f.first_seen_at, f.id DESC LIMIT ?5"
    ));
    check(&format!("SELECT f.rowid {category} {order}"));
    check(&format!("SELECT f.rowid {category} {after} {order}"));
    check("SELECT * FROM finding_counts WHERE workspace_id = ?1 AND status <= 1");
    check("SELECT identity_id FROM identity_addresses WHERE workspace_id = ?1 AND address = ?2");
    check("SELECT * FROM accounts a WHERE a.workspace_id = ?1 AND a.identity_id = ?2");
    check(
        "SELECT * FROM roles WHERE workspace_id = ?1 AND integration = ?2 AND principal_vendor_id = ?3 LIMIT 400",
    );
    check(
        "SELECT * FROM grants WHERE workspace_id = ?1 AND integration = ?2 AND account_vendor_id = ?3 \
         ORDER BY risk LIMIT ?4",
    );
    check(
        "SELECT * FROM snapshots WHERE workspace_id = ?1 AND at <= ?2 ORDER BY at DESC, analysis_id DESC LIMIT ?3",
    );
    for (table, index) in [("findings", ""), ("scans", ""), ("apps", "INDEXED BY apps_id")] {
        check(&format!(
            "SELECT id FROM {table} {index} WHERE workspace_id = ?1 AND id >= ?2 AND id <= ?3 ORDER BY id DESC LIMIT ?4"
        ));
    }
    check(
        "SELECT a.name FROM apps a INDEXED BY apps_name \
         JOIN integrations i ON i.workspace_id = a.workspace_id AND i.integration = a.integration \
         WHERE a.workspace_id = ?1 AND a.name_key >= ?2 AND a.name_key < ?3 ORDER BY a.name_key, a.id LIMIT ?4",
    );
    check(
        "SELECT d.address FROM identity_addresses d \
         JOIN identities n ON n.workspace_id = d.workspace_id AND n.id = d.identity_id \
         WHERE d.workspace_id = ?1 AND d.address >= ?2 AND d.address < ?3 ORDER BY d.address LIMIT ?4",
    );
    for (index, name, order) in [
        ("identities_name", "name_key = ?2", "id"),
        ("identities_words", "name_words = ?2", "id"),
        (
            "identities_name",
            "name_key >= ?2 AND name_key < ?3",
            "name_key, id",
        ),
    ] {
        check(&format!(
            "SELECT id FROM identities INDEXED BY {index} \
             WHERE workspace_id = ?1 AND {name} AND accounts > 0 ORDER BY {order} LIMIT ?4"
        ));
    }
    check("SELECT id FROM api_keys WHERE hash = ?1");
    check("SELECT seq FROM audit_entries WHERE workspace_id = ?1 ORDER BY seq DESC LIMIT 1");
}

#[test]
fn every_tenant_tables_key_begins_with_the_workspace() {
    let file = open(Arc::new(SteppingClock::from(
        "2026-03-01T08:00:00Z".parse().unwrap(),
    )));
    let conn = Connection::open(file.path()).unwrap();
    let mut statement = conn
        .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let tables: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    assert!(tables.len() > 20);
    // These tables belong to the file as a whole.
    let of_file = |name: &&String| matches!(name.as_str(), "instance" | "condition_moves");
    for table in tables.iter().filter(|name| !of_file(name)) {
        let first: String = conn
            .query_row(
                "SELECT name FROM pragma_table_info(?1) WHERE pk = 1",
                [table],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(first, "workspace_id", "{table}");
        let strict: bool = conn
            .query_row(
                "SELECT strict FROM pragma_table_list WHERE name = ?1",
                [table],
                |row| row.get(0),
            )
            .unwrap();
        assert!(strict, "{table}");
    }
}
