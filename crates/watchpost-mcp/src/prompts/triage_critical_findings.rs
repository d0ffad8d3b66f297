//! `triage_critical_findings`.

use super::{Argument, Kind, Prompt, Values};
use watchpost_core::service::Completable;

pub(super) const PROMPT: Prompt = Prompt {
    name: "triage_critical_findings",
    title: "Triage the critical findings",
    description: "What must be done today: the critical findings, sorted by what to repair first, with an owner's next step for each.",
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
    let also = filled
        .given("category")
        .map(|category| format!(", \"category\": [{category}]"))
        .unwrap_or_default();
    format!(
        "\
Sort the company's critical findings by what has to be done first.

1. Call `list_findings` with {{\"severity\": [\"critical\"]{also}, \"limit\": 100}}. If there are none, call it with {{\"severity\": [\"high\"]{also}, \"limit\": 25}} and say that nothing critical is open.
2. If the answer has `next_cursor`, say how many there are in all and work on this first page.
3. For the ten worst, read the resource `watchpost://findings/ID` of each, if this client reads resources, for its evidence and what to do about it; ID is the finding's `id`.
4. For each person among their subjects, at most five, call `lookup_identity` with {{\"email\": EMAIL}}: a finding on an administrator comes before the same one on anybody else.
5. Call `get_risk_score` with {{}} for what repairing each of the worst would save.

Report a table, first to repair first: finding, whom or what it is about, why it comes at this place (what an attacker gains, how exposed, how easy to repair), the next step, and who should do it. Put findings that one action repairs into one row.
After the table: findings that look wrong or accepted, with what to check before anybody dismisses them. `snooze_finding`, `dismiss_finding` and `remediate_finding` change things: name them where they fit, and ask before any of them is called."
    )
}
