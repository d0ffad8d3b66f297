//! Outcomes that need no evaluation, and the interpretation of outcomes by a profile.

use crate::text;
use watchpost_core::{
    check::{Check, CheckDocument, CheckResult, Outcome, Profile, SkipReason},
    value::word::CollectionState,
};

/// Returns the outcome if it needs no Rego.
pub(crate) fn decided(check: &Check, document: &CheckDocument, profile: Profile) -> Option<Outcome> {
    let skipped = |why, details: &str| Some(Outcome::plain(CheckResult::Skipped, Some(why), details));
    if !check.platforms.is_empty() && !check.platforms.contains(&document.platform) {
        return skipped(SkipReason::NotApplicable, text::OTHER_PLATFORM);
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

/// Returns why a check's required settings don't allow a verdict.
pub(crate) fn missing(check: &Check, document: &CheckDocument) -> Option<(SkipReason, String)> {
    let mut first = None;
    for path in &check.inputs {
        let (why, details) = match document.unreadable.get(path) {
            Some(unread) => {
                let why = match unread.state {
                    CollectionState::Unlicensed => SkipReason::Unlicensed,
                    _ => SkipReason::Unreadable,
                };
                let details = text::setting_unreadable(path, unread.state, unread.detail.as_deref());
                (why, details)
            }
            None if document.settings.contains_key(path) => continue,
            None => (SkipReason::Unreadable, text::setting_not_collected(path)),
        };
        if why == SkipReason::Unlicensed {
            return Some((why, details));
        }
        first.get_or_insert((why, details));
    }
    first
}

/// Returns the outcome of an evaluated check as the profile interprets it.
pub(crate) fn read_as(
    profile: Profile,
    check: &Check,
    document: &CheckDocument,
    judged: Result<Outcome, String>,
) -> Outcome {
    let outcome = match judged {
        Ok(outcome) => outcome,
        Err(error) => match missing(check, document) {
            // The check was evaluated without required settings, so the missing result is not an error of the check.
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
