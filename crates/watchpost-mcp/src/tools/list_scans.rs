//! `list_scans`: past and running scans.

use crate::{
    arguments::{IdLine, Whole, Word, arguments, integration_id, scan_id},
    error::Failure,
    scan_wire::{OpenList, ScanOut},
    text,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::Text,
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    check::ScanType,
    scan::ScanQuery,
    value::{id::ScanId, word::RunState},
};

pub(super) struct ListScans;

arguments! {
    pub(super) struct Input {
        /// Default: both.
        scan_type: Option<Word<ScanType>>,
        /// Default: all.
        status: Option<Word<RunState>>,
        /// Default: all.
        integration_id: Option<IdLine>,
        /// Rows of a page.
        #[schemars(extend("default" = 10))]
        limit: Option<Whole<1, 50>>,
        /// next_before of the previous page.
        before: Option<IdLine>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    scans: OpenList<ScanOut<'a>>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_before: Option<Text<ScanId>>,
}

impl Tool for ListScans {
    const DECLARATION: Declaration = Declaration {
        name: "list_scans",
        title: "Scans",
        description: "Lists past and running scans, newest first, with status, score, exposure label and counts. Use to find a scan_id, e.g. for compare_scans.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl QueryTool for ListScans {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let query = ScanQuery {
            integration: integration_id(input.integration_id.as_ref())?,
            scan_type: input.scan_type.map(|word| word.0),
            state: input.status.map(|word| word.0),
            before: scan_id("before", input.before.as_ref())?,
            limit: input
                .limit
                .and_then(|limit| usize::try_from(limit.0).ok())
                .unwrap_or(10),
        };
        let page = context.open(context.watchpost.scans(context.scope, &query).await)?;
        let output = Output {
            scans: OpenList(page.scans.iter().map(ScanOut::from).collect()),
            total: page.total,
            next_before: page
                .more
                .then(|| page.scans.last().map(|scan| Text(scan.id)))
                .flatten(),
        };
        let mut done = Answer::new(text::scans::listed(page.total), &output)?;
        if page.scans.iter().any(|scan| scan.is_unfinished()) {
            done.good_until = Some(context.now);
        }
        Ok(done)
    }
}
