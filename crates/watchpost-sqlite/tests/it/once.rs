//! Spent tokens in the file: their limit and their expiry.

use crate::conformance::open;
use rusqlite::Connection;
use std::sync::Arc;
use watchpost_core::{
    access::{Access, KeyScope, ONCE_KEPT_MAX, ONCE_KEPT_MS, OnceToken, OnceTokenKind, WorkspaceScope},
    audit::{AuditKey, CallRecord},
    error::StoreError,
    finding::{FindingAction, FindingCommand, FindingOutcome, FindingStore as _},
    job::{InstanceStore as _, WorkspaceRow},
    port::Clock as _,
    value::id::{FindingId, WorkspaceId},
};
use watchpost_testkit::{SteppingClock, conformance::run};

fn call(token: &str) -> CallRecord {
    let key = AuditKey::new([9; 32]);
    CallRecord::new("mcp", "case", "{}").once(OnceToken::new(
        &key,
        OnceTokenKind::IdempotencyKey,
        token.as_bytes(),
        "case",
        "{}",
    ))
}

fn rows(conn: &Connection) -> i64 {
    conn.query_row("SELECT count(*) FROM spent_tokens", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn an_actors_tokens_are_limited_and_deleted_after_a_day() {
    let clock = Arc::new(SteppingClock::from("2026-03-01T08:00:00Z".parse().unwrap()));
    let file = open(Arc::clone(&clock));
    let access = Access::open(Arc::new(file.store.clone()), Arc::clone(&clock) as _);
    let conn = Connection::open(file.path()).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    run(async {
        let id = WorkspaceId::from_bytes([1; 16]);
        let row = WorkspaceRow {
            id,
            name: "one".into(),
            created_at: clock.now(),
        };
        file.store.create_workspace(&row).await.unwrap();
        let writer = access.operator.enter(id, KeyScope::Write, false);
        let spend = async |scope: &WorkspaceScope, token: &str| {
            let command = FindingCommand {
                finding: FindingId::from_bytes([1; 16]),
                action: FindingAction::Snooze { days: 7 },
                note: None,
                now: clock.now(),
            };
            let write = scope.authorize(command, call(token)).unwrap();
            let done = file.store.change_finding(write).await?;
            let earlier = done.receipt().earlier;
            assert_eq!(done.into_value(), FindingOutcome::NotFound);
            Ok::<_, StoreError>(earlier)
        };
        assert_eq!(spend(&writer, "first").await.unwrap(), None);
        // Fills the table up to the limit without making that many calls.
        conn.execute(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
             INSERT INTO spent_tokens SELECT workspace_id, actor_kind, actor_id, operation, kind, \
             CAST(i AS BLOB), request, at, outcome FROM spent_tokens, n",
            [ONCE_KEPT_MAX],
        )
        .unwrap();
        assert_eq!(rows(&conn), i64::from(ONCE_KEPT_MAX));
        let refused = spend(&writer, "one more").await;
        assert!(matches!(refused, Err(StoreError::TooManyTokens)), "{refused:?}");
        assert!(spend(&writer, "first").await.unwrap().is_some());
        clock.advance_ms(ONCE_KEPT_MS + 60_000);
        assert_eq!(spend(&writer, "first").await.unwrap(), None, "it has expired");
        assert!(rows(&conn) < i64::from(ONCE_KEPT_MAX), "some are deleted");
    });
}
