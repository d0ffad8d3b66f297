//! `start_scan`.

use crate::{
    arguments::{IdLine, Word, arguments, integration_id},
    error::Failure,
    scan_wire::platform_words,
    tool::{ActionTool, Answer, Context, Declaration, FollowUp, Hints, Tool},
    wire::Text,
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::ScanType,
    service::{ScanStarted, ScanTarget},
    value::{
        id::ScanId,
        time::Timestamp,
        word::{Platform, RunState},
    },
};

pub(super) struct StartScan;

arguments! {
    pub(super) struct Input {
        /// compliance: do settings meet the frameworks; exposure: can strangers get in or data out.
        scan_type: Word<ScanType>,
        /// Only needed if several could be meant.
        integration_id: Option<IdLine>,
        platform: Option<Word<Platform>>,
        /// Default true; false judges the settings of the scan before again.
        read_settings: Option<bool>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    scan_id: Text<ScanId>,
    /// started or already_running.
    outcome: &'static str,
    status: &'static str,
    scan_type: &'static str,
    platform: &'static str,
    queued_at: Text<Timestamp>,
}

/// The answer about a scan that was asked for: at once, or when it has ended.
pub(crate) fn answer(started: &ScanStarted) -> Result<Answer, Failure> {
    let scan = &started.scan;
    let output = Output {
        scan_id: Text(scan.id),
        outcome: if started.is_new {
            "started"
        } else {
            "already_running"
        },
        status: scan.state.as_str(),
        scan_type: scan.scan_type.as_str(),
        platform: scan.platform.as_str(),
        queued_at: Text(scan.queued_at),
    };
    let sentence = if !scan.is_unfinished() {
        format!(
            "The {} scan of {} is {}{}.",
            scan.scan_type,
            platform_words(scan),
            scan.state,
            if scan.state == RunState::Completed {
                "; get_scan with this scan_id has its results"
            } else {
                " (it did not finish, so it has no results)"
            },
        )
    } else if started.is_new {
        format!(
            "Queued: {} scan of {}. Call get_scan with scan_id {} and wait_seconds 50 until its status is completed.",
            scan.scan_type,
            platform_words(scan),
            scan.id
        )
    } else {
        format!(
            "Nothing was started: a {} scan of {} is {} already, {}; one at a time per integration.",
            scan.scan_type,
            platform_words(scan),
            scan.state,
            scan.id
        )
    };
    Ok(Answer::new(sentence, &output)?.about(AuditTarget::new("scan", &scan.id)))
}

impl Tool for StartScan {
    const DECLARATION: Declaration = Declaration {
        name: "start_scan",
        title: "Start a scan",
        description: "Starts a read-only scan of a platform's settings and answers at once with its scan_id; then call get_scan with that id and wait_seconds. One scan at a time per integration: if one runs already, its id is given. Changes nothing on the platform.",
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
        let target = ScanTarget {
            integration: wanted,
            platform,
        };
        let (started, made) = context
            .watchpost
            .start_scan(
                context.scope,
                target,
                input.scan_type.0,
                input.read_settings.unwrap_or(true),
                context.record(),
            )
            .await?;
        let mut answer = answer(&started)?.of_change(made);
        answer.follow_up = Some(FollowUp::from(&started));
        Ok(answer)
    }
}
