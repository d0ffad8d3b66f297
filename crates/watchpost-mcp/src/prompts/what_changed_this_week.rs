//! `what_changed_this_week`.

use super::{Prompt, Values};

pub(super) const PROMPT: Prompt = Prompt {
    name: "what_changed_this_week",
    title: "What changed this week",
    description: "What became better and worse in the last seven days: score, new findings, failed checks, sources.",
    arguments: &[],
    text,
};

fn text(_: &Values) -> String {
    "\
Tell what changed in the company's security in the last seven days.

1. Call `get_risk_score` with {} for the score now and seven days ago.
2. Call `list_findings` with {\"limit\": 100}, and with {\"status\": [\"resolved\", \"dismissed\", \"snoozed\"], \"limit\": 100}. To date a finding, read the resource `watchpost://findings/ID` if this client reads resources: `first_seen_at` and `status_changed_at` say when it came and when its status changed. Date the critical and high ones, at most twenty, and leave out what is older than seven days.
3. Call `list_scans` with {\"status\": \"completed\", \"limit\": 50}. For each integration and type with a scan in the last seven days and one before that, call `compare_scans` with {\"scan_id\": NEWEST, \"before_scan_id\": LAST_BEFORE_THE_WEEK}.
4. Call `get_integrations` with {} for sources that broke, went stale or came back.

Report:
- One sentence: better, worse or the same, with the score then and now (higher is worse).
- New and still open, worst first. Came back after it was resolved. Repaired. Put aside by somebody.
- Checks that began to fail or pass, with the old and the new value of the setting where the answer has them, since that shows who changed what.
- Changes in what can be seen: a source that broke can look like an improvement; say where it does.
- What deserves attention next week, at most three points.
If nothing changed, say so in one line instead."
        .to_owned()
}
