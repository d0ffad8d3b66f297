//! What is decided without evaluating a check, and how a profile reads what it answered.

use watchpost_core::{
    check::{Check, CheckDocument, CheckResult, Outcome, Profile, SkipReason},
    value::word::CollectionState,
};

/// The outcome where Rego isn't asked.
pub(crate) fn decided(check: &Check, document: &CheckDocument, profile: Profile) -> Option<Outcome> {
    let skipped = |why, details: &str| Some(Outcome::plain(CheckResult::Skipped, Some(why), details));
    if !check.platforms.is_empty() && !check.platforms.contains(&document.platform) {
        return skipped(
            SkipReason::NotApplicable,
            "The integration's platform doesn't have this.",
        );
    }
    if check.manual {
        return skipped(SkipReason::Manual, &check.description);
    }
    match profile {
        Profile::Scuba => None,
        Profile::Default => missing(check, document)
            .map(|(why, details)| Outcome::plain(CheckResult::Skipped, Some(why), &details)),
    }
}

/// Why a check's required settings don't let it judge.
pub(crate) fn missing(check: &Check, document: &CheckDocument) -> Option<(SkipReason, String)> {
    let mut first = None;
    for path in &check.inputs {
        let (why, details) = match document.unreadable.get(path) {
            Some(unread) => {
                let why = match unread.state {
                    CollectionState::Unlicensed => SkipReason::Unlicensed,
                    _ => SkipReason::Unreadable,
                };
                let what = match unread.state {
                    CollectionState::Unlicensed => "isn't part of the tenant's licences",
                    CollectionState::Denied => "couldn't be read: a permission is missing",
                    CollectionState::Partial => "couldn't be read wholly",
                    CollectionState::Failed | CollectionState::Complete => "couldn't be read",
                };
                let details = match &unread.detail {
                    Some(detail) => format!("The setting `{path}` {what} ({detail})."),
                    None => format!("The setting `{path}` {what}."),
                };
                (why, details)
            }
            None if document.settings.contains_key(path) => continue,
            None => (
                SkipReason::Unreadable,
                format!("The setting `{path}` was not collected."),
            ),
        };
        if why == SkipReason::Unlicensed {
            return Some((why, details));
        }
        first.get_or_insert((why, details));
    }
    first
}

/// The answer of an evaluated check as a profile reads it.
pub(crate) fn read_as(
    profile: Profile,
    check: &Check,
    document: &CheckDocument,
    judged: Result<Outcome, String>,
) -> Outcome {
    let outcome = match judged {
        Ok(outcome) => outcome,
        Err(error) => match missing(check, document) {
            // Evaluated without what it needs: that it has no answer is no fault of the check.
            Some((why, details)) if profile == Profile::Scuba => {
                Outcome::plain(CheckResult::Skipped, Some(why), &details)
            }
            _ => return Outcome::plain(CheckResult::Error, None, &error),
        },
    };
    let result = match (profile, outcome.skip) {
        (Profile::Scuba, Some(SkipReason::Unreadable | SkipReason::Unlicensed)) => CheckResult::Failed,
        (Profile::Scuba, Some(SkipReason::NotApplicable)) => CheckResult::Passed,
        _ => return outcome,
    };
    Outcome {
        result,
        skip: None,
        ..outcome
    }
}
