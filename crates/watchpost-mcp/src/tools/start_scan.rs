//! `start_scan`: queues a scan.

use crate::{
    arguments::{Flag, IdLine, Word, arguments, integration_id},
    error::Failure,
    text,
    tool::{ActionTool, Answer, Context, Declaration, FollowUp, Hints, Tool},
    wire::Text,
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::ScanType,
    service::{ScanOrder, ScanRequest, ScanStarted, ScanTarget},
    value::{id::ScanId, time::Timestamp, word::Platform},
};

pub(super) struct StartScan;

arguments! {
    pub(super) struct Input {
        /// compliance: do settings meet the frameworks; exposure: can outsiders get in or data leak out.
        scan_type: Word<ScanType>,
        /// Needed only if several match.
        integration_id: Option<IdLine>,
        /// Needed only if several match.
        platform: Option<Word<Platform>>,
        /// false reuses the settings of the previous scan.
        #[schemars(extend("default" = true))]
        read_settings: Option<Flag>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    scan_id: Text<ScanId>,
    /// started, already_running or just_completed.
    outcome: &'static str,
    status: &'static str,
    scan_type: &'static str,
    platform: &'static str,
    queued_at: Text<Timestamp>,
}

/// The answer about a requested scan: when it was requested, or when it has ended.
pub(crate) fn answer(started: &ScanStarted) -> Result<Answer, Failure> {
    let scan = &started.scan;
    let output = Output {
        scan_id: Text(scan.id),
        outcome: started.request.as_str(),
        status: scan.state.as_str(),
        scan_type: scan.scan_type.as_str(),
        platform: scan.platform.as_str(),
        queued_at: Text(scan.queued_at),
    };
    let sentence = match started.request {
        ScanRequest::JustCompleted => text::scans::just_completed(scan),
        _ if !scan.is_unfinished() => text::scans::ended(scan),
        ScanRequest::Started => text::scans::started(scan),
        ScanRequest::AlreadyRunning => text::scans::already_running(scan),
    };
    Ok(Answer::new(sentence, &output)?.about(AuditTarget::new("scan", &scan.id)))
}

impl Tool for StartScan {
    const DECLARATION: Declaration = Declaration {
        name: "start_scan",
        title: "Start a scan",
        description: "Starts a read-only scan of a platform's settings and returns its scan_id; then call get_scan with that id and wait_seconds. Returns a running scan of the integration instead, or the same one if it ended under a minute ago.",
        permission: Permission::StartScan,
        hints: Hints {
            read_only: false,
            destructive: false,
            idempotent: true,
            open_world: true,
        },
    };
    type Input = Input;
    type Output = Output;
}

impl ActionTool for StartScan {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let wanted = integration_id(input.integration_id.as_ref())?;
        let platform = input.platform.map(|word| word.0);
        let order = ScanOrder {
            target: ScanTarget {
                integration: wanted,
                platform,
            },
            scan_type: input.scan_type.0,
            fresh: input.read_settings.is_none_or(|flag| flag.0),
            again: false,
        };
        let (started, receipt) = context
            .watchpost
            .start_scan(context.scope, order, context.record())
            .await?;
        let mut answer = answer(&started)?.of_change(receipt);
        answer.follow_up = Some(FollowUp::from(&started));
        Ok(answer)
    }
}
