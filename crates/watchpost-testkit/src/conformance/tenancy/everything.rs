//! Methods that list everything in a workspace.

use super::{super::live, Probe, ask};
use watchpost_core::{
    access::KeyStore,
    app::{AppQuery, AppStore},
    audit::{AuditQuery, AuditStore},
    finding::FindingStore,
    identity::IdentityStore,
    import::{BatchQuery, ImportStore},
    integration::IntegrationStore,
    job::JobStore,
    port::completion::{CompletionStore, IdPrefix, StoredCompletion},
    posture::PostureStore,
    remediation::RemediationStore,
    scan::{ScanQuery, ScanStore},
    value::time::Timestamp,
};

/// Calls each method. The workspace of the caller has one of everything, so an empty answer is an error.
pub(super) async fn call_all(probe: &mut Probe<'_>) {
    let scope = &probe.own.operator;
    let long_ago = Timestamp::from_millis(0);
    // A fixed time, so that answers can be compared.
    let now = "2026-03-01T09:00:00Z".parse().unwrap();
    ask!(probe, KeyStore::list_keys, scope);
    let query = AppQuery {
        limit: 9,
        ..AppQuery::default()
    };
    ask!(probe, AppStore::list_apps, scope, &query);
    ask!(probe, AppStore::app_documents, scope, None, 9);
    let query = AuditQuery {
        limit: 1_000,
        ..AuditQuery::default()
    };
    ask!(probe, AuditStore::list_entries, scope, &query);
    ask!(probe, AuditStore::audit_page, scope, 0, 1_000);
    ask!(probe, FindingStore::list_findings, scope, &live());
    ask!(probe, FindingStore::finding_counts, scope);
    ask!(probe, IdentityStore::count_identities, scope);
    ask!(probe, IdentityStore::identity_documents, scope, None, 9);
    let query = BatchQuery {
        limit: 9,
        ..BatchQuery::default()
    };
    ask!(probe, ImportStore::list_batches, scope, &query);
    ask!(probe, IntegrationStore::list_integrations, scope);
    ask!(probe, IntegrationStore::integration_documents, scope);
    ask!(probe, JobStore::unfinished_jobs, scope);
    for what in [
        StoredCompletion::Findings(IdPrefix::ALL),
        StoredCompletion::Scans(IdPrefix::ALL),
        StoredCompletion::Apps(IdPrefix::ALL),
        StoredCompletion::AppNames(String::new()),
        StoredCompletion::Addresses(String::new()),
    ] {
        ask!(probe, CompletionStore::complete, scope, &what);
    }
    ask!(probe, PostureStore::risk_facts, scope);
    ask!(probe, PostureStore::freshness, scope);
    ask!(probe, PostureStore::measure_coverage, scope, now);
    ask!(probe, PostureStore::snapshots, scope, long_ago);
    ask!(probe, PostureStore::generation, scope);
    ask!(probe, RemediationStore::list_remediations, scope, None, 9);
    let query = ScanQuery {
        limit: 9,
        ..ScanQuery::default()
    };
    ask!(probe, ScanStore::list_scans, scope, &query);
    ask!(probe, ScanStore::schedules, scope);
    ask!(probe, ScanStore::exemptions, scope);
    for (method, answers) in &probe.answers {
        let empty = answers
            .iter()
            .all(|answer| answer == "Ok([])" || answer == "Ok(0)");
        // No analysis is recorded, so there is no snapshot.
        assert!(
            !empty || *method == "PostureStore::snapshots",
            "{method}: {answers:?}"
        );
    }
}
