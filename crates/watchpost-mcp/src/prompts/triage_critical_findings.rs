//! `triage_critical_findings`: the order in which to fix the critical findings.

use super::{Argument, Kind, Prompt, Values};
use watchpost_core::service::Completable;

pub(super) const PROMPT: Prompt = Prompt {
    name: "triage_critical_findings",
    title: "Triage the critical findings",
    description: "What to do today: the critical findings in the order in which to fix them, each with a next step and who should take it.",
    arguments: &[Argument {
        name: "category",
        title: "Category",
        description: "Only findings of this category, such as identity_security.",
        required: false,
        completes: Completable::Category,
        kind: Kind::Category,
    }],
    text,
};

fn text(filled: &Values) -> String {
    let category_filter = filled
        .optional("category")
        .map(|category| format!(", \"category\": [{category}]"))
        .unwrap_or_default();
    format!(
        "\
Sort the company's critical findings in the order in which they should be fixed.

1. Call `list_findings` with {{\"severity\": [\"critical\"]{category_filter}, \"limit\": 100}}. If there are none, call it with {{\"severity\": [\"high\"]{category_filter}, \"limit\": 25}} and say that no critical finding is open.
2. If the answer has `next_cursor`, say how many findings there are in total and work on this first page.
3. For each of the ten worst, read the resource `watchpost://findings/ID`, if this client can read resources, for its evidence and remediation steps; ID is the finding's `id`.
4. For each person among their subjects, at most five, call `lookup_identity` with {{\"email\": EMAIL}}: a finding about an administrator comes before the same finding about anyone else.
5. Call `get_risk_score` with {{}} for the points that fixing each of the worst would save.

Report a table in the order of fixing: finding, subject, reason for its place (what an attacker gains, how exposed it is, how easy it is to fix), next step, and who should take it. Put findings that one action fixes into one row.
After the table: findings that look wrong or accepted, with what to check before anyone dismisses them. `snooze_finding`, `dismiss_finding` and `remediate_finding` change things: mention them where they fit, and ask before you call any of them."
    )
}
