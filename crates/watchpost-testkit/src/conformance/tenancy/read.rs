//! Methods that read something by its id, by its address, or by the id of its parent.

use super::{super::live, Probe, ask};
use watchpost_core::{
    app::{AppLookup, AppStore},
    check::ScanType,
    finding::{EntityFilter, FindingQuery, FindingStore},
    identity::IdentityStore,
    import::{BatchQuery, ImportStore, ImportedQuery},
    integration::IntegrationStore,
    job::JobStore,
    port::completion::{CompletionStore, IdPrefix, StoredCompletion},
    remediation::RemediationStore,
    scan::{ScanQuery, ScanStore},
    value::time::Timestamp,
};

/// Calls each method.
pub(super) async fn call_all(probe: &mut Probe<'_>) {
    people_and_findings(probe).await;
    scans(probe).await;
    imports(probe).await;
}

async fn people_and_findings(probe: &mut Probe<'_>) {
    let (scope, ids) = (&probe.own.operator, probe.ids);
    ask!(probe, IntegrationStore::integration, scope, ids.integration);
    ask!(probe, IdentityStore::identity, scope, ids.identity);
    ask!(probe, IdentityStore::identity_by_email, scope, &ids.email);
    ask!(probe, IdentityStore::identities_named, scope, &ids.person, 9);
    ask!(probe, AppStore::find_app, scope, &AppLookup::Id(ids.app));
    ask!(probe, FindingStore::finding, scope, ids.finding);
    ask!(probe, JobStore::job, scope, ids.job);
    ask!(probe, RemediationStore::remediation, scope, ids.remediation);
    for entity in [
        EntityFilter::Identity(ids.identity),
        EntityFilter::App(ids.app),
        EntityFilter::Integration(ids.integration),
    ] {
        let query = FindingQuery {
            entity: Some(entity),
            ..live()
        };
        ask!(probe, FindingStore::list_findings, scope, &query);
    }
    let prefix = |id: &dyn ToString| IdPrefix::parse(&id.to_string()).unwrap();
    for what in [
        StoredCompletion::Findings(prefix(&ids.finding)),
        StoredCompletion::Scans(prefix(&ids.scan)),
        StoredCompletion::Apps(prefix(&ids.app)),
        StoredCompletion::Addresses(ids.email.clone()),
    ] {
        ask!(probe, CompletionStore::complete, scope, &what);
    }
}

async fn scans(probe: &mut Probe<'_>) {
    let (scope, ids) = (&probe.own.operator, probe.ids);
    let long_ago = Timestamp::from_millis(0);
    ask!(probe, ScanStore::scan, scope, ids.scan);
    for integration in [ids.integration, ids.imported] {
        let query = ScanQuery {
            integration: Some(integration),
            limit: 9,
            ..ScanQuery::default()
        };
        let of = ScanType::Compliance;
        ask!(probe, ScanStore::list_scans, scope, &query);
        ask!(probe, ScanStore::latest_scan, scope, integration, of, None, None);
        ask!(probe, ScanStore::scan_points, scope, integration, of, long_ago);
    }
    ask!(probe, ScanStore::scan_results, scope, ids.scan);
    ask!(probe, ScanStore::scan_result, scope, ids.scan, "entra.consent");
    ask!(probe, ScanStore::scan_details, scope, ids.scan);
    ask!(probe, ScanStore::scan_settings, scope, ids.scan);
    ask!(
        probe,
        ScanStore::setting_values,
        scope,
        ids.scan,
        &["settings".to_owned()]
    );
    ask!(probe, ScanStore::exemption, scope, ids.exemption);
}

async fn imports(probe: &mut Probe<'_>) {
    let (scope, ids) = (&probe.own.operator, probe.ids);
    ask!(probe, ImportStore::batch, scope, ids.batch);
    for (integration, import) in [(Some(ids.imported), None), (None, Some(ids.import))] {
        let query = BatchQuery {
            integration,
            import,
            limit: 9,
            ..BatchQuery::default()
        };
        ask!(probe, ImportStore::list_batches, scope, &query);
    }
    let query = ImportedQuery {
        limit: 9,
        ..ImportedQuery::default()
    };
    ask!(probe, ImportStore::imported_results, scope, ids.batch, &query);
    ask!(probe, ImportStore::imported_verdicts, scope, ids.imported);
}
