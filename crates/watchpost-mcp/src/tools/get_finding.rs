//! `get_finding`: one finding with its evidence, dates, steps and what fixing it saves.

use crate::{
    arguments::{FindingArg, arguments},
    error::Failure,
    finding_change::target,
    finding_details::FindingDetails,
    text,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
};
use watchpost_core::access::Permission;

pub(super) struct GetFinding;

arguments! {
    pub(super) struct Input {
        /// id from list_findings.
        finding_id: FindingArg,
    }
}

impl Tool for GetFinding {
    const DECLARATION: Declaration = Declaration {
        name: "get_finding",
        title: "Finding",
        description: "Returns one finding in full: the evidence that decided it and when it was read, first and last seen, changes of status, the steps that fix it, framework ids, and how much fixing it lowers the risk score. Use for \"why\", \"since when\" and \"how do I fix this\".",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = FindingDetails<'static>;
}

impl QueryTool for GetFinding {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let id = input.finding_id.0;
        let answer = context
            .open(context.watchpost.explain_finding(context.scope, id).await)
            .map_err(|error| Failure::from(error).about(target(id)))?;
        let details = FindingDetails::new(&answer, context.now);
        let sentence = details.dated(&text::findings::explained(&answer));
        Ok(Answer::new(sentence, &details)?
            .about(target(id))
            .until(&answer.freshness, context.now))
    }
}
