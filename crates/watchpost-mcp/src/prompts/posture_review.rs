//! `posture_review`.

use super::{Argument, Kind, Prompt, Values};
use watchpost_core::service::Completable;

pub(super) const PROMPT: Prompt = Prompt {
    name: "posture_review",
    title: "Posture review for a board",
    description: "One page on where the company's security stands, where it is going and what to decide, in plain words.",
    arguments: &[Argument {
        name: "framework",
        title: "Framework",
        description: "The framework that the board goes by, if any: scuba, cis, nist_800_53, nist_csf, eidsca or other.",
        required: false,
        completes: Completable::Framework,
        kind: Kind::Framework,
    }],
    text,
};

fn text(filled: &Values) -> String {
    let (confined, by) = match filled.given("framework") {
        Some(framework) => (
            format!("{{\"framework\": [{framework}]}}"),
            format!(" The board goes by the framework {framework}."),
        ),
        None => ("{}".to_owned(), String::new()),
    };
    format!(
        "\
Write a review of the company's security posture for its board: people who decide, and who are no specialists.{by}

1. Call `get_posture_summary` with {{}}. If it answers a `state` instead of metrics, report that with its `next_step` and stop.
2. Call `get_risk_score` with {{}} for the score, its change and the five worst findings.
3. Call `get_integrations` with {{}} for what the picture rests on.
4. For each row under `compliance` in the first answer: call `compare_scans` with {{\"scan_id\": SCAN_ID}}, where SCAN_ID is the row's `scan_id`; and `get_score_trend` with {{\"integration_id\": ID, \"days\": 90}}, where ID is what step 3 gave for this platform and name. Leave out what answers that there is nothing to compare.
5. Call `generate_report` with {confined} and keep its `report_uri` for the end.

Write at most one page:
- The state in two sentences, with the risk score (0 to 100, higher is worse) and the compliance scores (higher is better). Say which way each number goes.
- The direction: what became better and worse since the last month, with numbers.
- The three risks that matter most, each in one sentence about what could happen to the company, not about settings.
- What was repaired.
- What the board is asked to decide or to pay for, if anything.
- What cannot be seen at present: platforms that are not connected, stale or partly unreadable, and rules that are blind because of it.
- The link to the full report."
    )
}
