//! `what_changed_this_week`: the changes of the last seven days.

use super::{Prompt, Values};

pub(super) const PROMPT: Prompt = Prompt {
    name: "what_changed_this_week",
    title: "What changed this week",
    description: "What improved and what became worse in the last seven days: score, new findings, failed checks, integrations.",
    arguments: &[],
    text,
};

fn text(_: &Values) -> String {
    "\
Report what changed in the company's security in the last seven days.

1. Call `get_risk_score` with {} for the score now and seven days ago.
2. Call `list_findings` with {\"since\": \"7\", \"limit\": 100} for the new findings, and with {\"status\": [\"resolved\", \"dismissed\", \"snoozed\"], \"limit\": 100} for those that ended. To date an end, call `get_finding`: `status_changed_at` is when the status changed. Date the critical and high ones, at most twenty, and omit those older than seven days.
3. Call `list_scans` with {\"status\": \"completed\", \"limit\": 50}. For each integration and type with a scan in the last seven days and an earlier one, call `compare_scans` with {\"scan_id\": NEWEST, \"before_scan_id\": LAST_BEFORE_THE_WEEK}, and say which two scans were compared.
4. Call `get_integrations` with {} for integrations that failed, became stale or recovered.

Report:
- One sentence: better, worse or the same, with the score then and now (higher is worse).
- New findings that are still open, worst first; reopened findings; resolved findings; findings that someone dismissed or snoozed.
- Checks that started to fail or pass, with the old and the new value of the setting if the answer has them.
- Changes in visibility: a failing integration can look like an improvement; say where it does.
- What needs attention next week, at most three points.
If nothing changed, say so in one line instead."
        .to_owned()
}
