//! `posture_review`: a page on the company's security for its board.

use super::{Argument, Kind, Prompt, Values};
use watchpost_core::service::Completable;

pub(super) const PROMPT: Prompt = Prompt {
    name: "posture_review",
    title: "Posture review for a board",
    description: "One page in plain words on the state of the company's security, its trend and the decisions to make.",
    arguments: &[Argument {
        name: "framework",
        title: "Framework",
        description: "The framework that the board uses, if any: scuba, cis, nist_800_53, nist_csf, eidsca or other.",
        required: false,
        completes: Completable::Framework,
        kind: Kind::Framework,
    }],
    text,
};

fn text(filled: &Values) -> String {
    let (filter, audience) = match filled.optional("framework") {
        Some(framework) => (
            format!("{{\"framework\": [{framework}]}}"),
            format!(" The board uses the framework {framework}."),
        ),
        None => ("{}".to_owned(), String::new()),
    };
    format!(
        "\
Write a review of the company's security posture for its board, whose members make decisions but are not security specialists.{audience}

1. Call `get_posture_summary` with {{}}. If it returns a `state` instead of metrics, report that with its `next_step` and stop.
2. Call `get_risk_score` with {{}} for the score, its change and the five worst findings.
3. Call `get_integrations` with {{}} for the sources of the data.
4. For each row under `compliance` in the first answer: call `compare_scans` with {{\"scan_id\": SCAN_ID}}, where SCAN_ID is the row's `scan_id`; and `get_score_trend` with {{\"integration_id\": ID, \"days\": 90}}, where ID is the id in step 3 for the same platform and name. If there is nothing to compare, leave the comparison out.
5. Call `generate_report` with {filter} and keep its `report_uri` for the end.

Write at most one page:
- The state in two sentences, with the risk score (0 to 100, higher is worse) and the compliance scores (higher is better). Say for each number whether higher is better or worse.
- The trend: what has improved and what has become worse over the last month, with numbers.
- The three most important risks, each in one sentence about what could happen to the company, not about settings.
- What was fixed.
- What the board needs to decide or fund, if anything.
- What is not visible at present: platforms that are not connected, stale or partly unreadable, and rules that are blind as a result.
- The link to the full report."
    )
}
