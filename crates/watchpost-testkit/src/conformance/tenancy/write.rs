//! Methods that make a person's changes.

use super::{
    super::imports::header,
    Probe, change,
    company::{exemption, schedule_of},
};
use watchpost_core::{
    access::{CreateKey, Expiry, KeyScope, KeyStore, NewKey, RevokeKey},
    app::{AppStore, SetAppPolicy},
    check::ScanType,
    finding::{FindingAction, FindingCommand, FindingStore},
    identity::{IdentityStore, TagBreakGlass},
    import::{ImportPermit, ImportStore},
    integration::{
        AddIntegration, ChangeIntegration, ConfirmShrink, IntegrationAction, IntegrationStore, OpenedTenant,
        SetCredential, VerifyIntegration, connector::ConnectorConfig, fact::Dataset,
    },
    job::{JobStore, TriggerSync},
    remediation::{RejectRemediation, RemediationStore, RequestRemediation},
    scan::{
        AddExemption, AddSchedule, CancelScan, ChangeSchedule, RemoveExemption, ScanStore, ScheduleChange,
        StartScan,
    },
    value::{
        id::{IntegrationId, KeyId, RemediationId, ScanId},
        text::ForeignText,
        word::{AppPolicy, Platform},
    },
};

/// Calls each method with the ids of the probe.
pub(super) async fn try_all(probe: &mut Probe<'_>) {
    findings_and_apps(probe).await;
    integrations(probe).await;
    scans(probe).await;
}

async fn findings_and_apps(probe: &mut Probe<'_>) {
    let (world, scope, ids) = (probe.world, &probe.own.operator, probe.ids);
    change!(probe, KeyStore::revoke_key, scope, RevokeKey { id: ids.key });
    for action in [
        FindingAction::Resolve,
        FindingAction::Reopen,
        FindingAction::Snooze { days: 7 },
    ] {
        let command = FindingCommand {
            finding: ids.finding,
            action,
            note: None,
            now: world.now(),
        };
        change!(probe, FindingStore::change_finding, scope, command);
    }
    let command = SetAppPolicy {
        app: ids.app,
        policy: AppPolicy::Blocked,
        analysis: world.job_id(),
        now: world.now(),
    };
    change!(probe, AppStore::set_app_policy, scope, command);
    let command = TagBreakGlass {
        id: ids.identity,
        tagged: true,
        analysis: world.job_id(),
        now: world.now(),
    };
    change!(probe, IdentityStore::tag_break_glass, scope, command);
    let command = RequestRemediation {
        id: RemediationId::generate(world.clock.as_ref(), world.random.as_ref()),
        finding: ids.finding,
        action: "suspend_user".into(),
        note: None,
        now: world.now(),
    };
    change!(probe, RemediationStore::request_remediation, scope, command);
    let command = RejectRemediation {
        id: ids.remediation,
        now: world.now(),
    };
    change!(probe, RemediationStore::reject_remediation, scope, command);
}

async fn integrations(probe: &mut Probe<'_>) {
    let (world, scope, ids) = (probe.world, &probe.own.operator, probe.ids);
    for action in [
        IntegrationAction::Pause,
        IntegrationAction::Resume,
        IntegrationAction::Remove,
    ] {
        let command = ChangeIntegration {
            id: ids.integration,
            action,
            job: world.job_id(),
            now: world.now(),
        };
        change!(probe, IntegrationStore::change_integration, scope, command);
    }
    let command = VerifyIntegration { id: ids.integration };
    change!(probe, IntegrationStore::open_config_for_verify, scope, command);
    let command = SetCredential {
        id: ids.integration,
        opened: OpenedTenant {
            key: "tenant".into(),
            label: "tenant".into(),
        },
        config: ConnectorConfig::default(),
        sync: world.job_id(),
        now: world.now(),
    };
    change!(probe, IntegrationStore::set_credential, scope, command);
    let command = ConfirmShrink {
        id: ids.integration,
        dataset: Dataset::Users,
        rows: 1,
        now: world.now(),
    };
    change!(probe, IntegrationStore::confirm_shrink, scope, command);
    let command = TriggerSync {
        integration: Some(ids.integration),
        platform: None,
        jobs: vec![world.job_id()],
        now: world.now(),
    };
    change!(probe, JobStore::trigger_sync, scope, command);
}

async fn scans(probe: &mut Probe<'_>) {
    let (world, scope, ids) = (probe.world, &probe.own.operator, probe.ids);
    let command = StartScan {
        id: ScanId::generate(world.clock.as_ref(), world.random.as_ref()),
        integration: ids.integration,
        scan_type: ScanType::Exposure,
        fresh: true,
        again: false,
        job: world.job_id(),
        now: world.now(),
    };
    change!(probe, ScanStore::start_scan, scope, command);
    let command = CancelScan {
        id: ids.queued_scan,
        now: world.now(),
    };
    change!(probe, ScanStore::cancel_scan, scope, command);
    let schedule = schedule_of(world, ids.integration);
    change!(probe, ScanStore::add_schedule, scope, AddSchedule { schedule });
    for change in [ScheduleChange::Disable, ScheduleChange::Delete] {
        let command = ChangeSchedule {
            id: ids.schedule,
            change,
        };
        change!(probe, ScanStore::change_schedule, scope, command);
    }
    let command = RemoveExemption { id: ids.exemption };
    change!(probe, ScanStore::remove_exemption, scope, command);
    let permit = ImportPermit::new(scope, ids.import).unwrap();
    let mut command = world.command(&permit, 3, vec![world.batch_of(header("t3"), 1)]);
    command.named = Some(ids.imported);
    change!(probe, ImportStore::keep_import, scope, command);
}

/// Calls the methods that create something without referring to an existing id.
pub(super) async fn make_all(probe: &mut Probe<'_>) {
    let (world, scope) = (probe.world, &probe.own.operator);
    let key = NewKey::generate(world.random.as_ref());
    let command = CreateKey {
        id: KeyId::generate(world.clock.as_ref(), world.random.as_ref()),
        hash: key.hash,
        prefix: key.prefix.clone(),
        label: ForeignText::name("case"),
        scope: KeyScope::Read,
        expires_at: Expiry::Never.ends_at(world.now()),
        active_max: 10,
    };
    change!(probe, KeyStore::create_key, scope, command);
    let command = AddIntegration {
        id: IntegrationId::generate(world.clock.as_ref(), world.random.as_ref()),
        platform: Platform::M365,
        name: ForeignText::name("new"),
        // The same tenant key as in the other workspace.
        tenant_key: Some("tenant".into()),
        config: ConnectorConfig::default(),
        first_sync: world.job_id(),
        now: world.now(),
    };
    change!(probe, IntegrationStore::add_integration, scope, command);
    let exemption = exemption(world);
    change!(probe, ScanStore::add_exemption, scope, AddExemption { exemption });
    let command = TriggerSync {
        integration: None,
        platform: None,
        jobs: (0..9).map(|_| world.job_id()).collect(),
        now: world.now(),
    };
    change!(probe, JobStore::trigger_sync, scope, command);
}
