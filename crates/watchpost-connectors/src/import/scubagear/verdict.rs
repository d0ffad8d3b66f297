//! The words and sentences with which ScubaGear and ScubaGoggles state a result, and the results that they stand for.
//!
//! ScubaGear marks a policy that doesn't apply to the tenant as met, and one whose setting or license it didn't find as not
//! met; only the sentence in the details tells. Sentences are matched from their beginning, because details may continue with
//! names from the tenant, which must not decide a result.

use crate::text::sentences::{MISSING, NOT_APPLICABLE, NOT_APPLICABLE_WITHIN, UNLICENSED, UNREADABLE};
use watchpost_core::check::{CheckResult, SkipReason};

/// The requirement is met.
pub(super) const PASS: &str = "Pass";
/// The requirement isn't met.
pub(super) const FAIL: &str = "Fail";
/// The policy can't be evaluated automatically, or isn't applicable.
pub(super) const NOT_AVAILABLE: &str = "N/A";
/// ScubaGoggles found no event in the logs that shows the setting's state. Whether the requirement counts as met then depends
/// on Google's default, not on the tenant.
pub(super) const NO_EVENTS: &str = "No events found";

/// Converts a result with its details. A word that no known version of the tools writes is unreadable: it is neither a pass
/// nor a failure.
pub(super) fn convert(word: &str, details: &str) -> (CheckResult, Option<SkipReason>) {
    let word = word.trim().to_ascii_lowercase();
    let details = details.trim_start().to_ascii_lowercase();
    if word.starts_with("error") {
        return (CheckResult::Error, None);
    }
    if let Some(reason) = by_sentence(&details) {
        return (CheckResult::Skipped, Some(reason));
    }
    let reason = match word.as_str() {
        "pass" => return (CheckResult::Passed, None),
        "fail" | "warning" => return (CheckResult::Failed, None),
        "n/a" if NOT_APPLICABLE_WITHIN.iter().any(|part| details.contains(part)) => SkipReason::NotApplicable,
        "n/a" => SkipReason::Manual,
        // The policy has been removed from the baseline.
        "-" => SkipReason::NotApplicable,
        _ => SkipReason::Unreadable,
    };
    (CheckResult::Skipped, Some(reason))
}

/// Returns the reason for which the tool didn't evaluate a policy, if its details begin with a sentence that states one.
fn by_sentence(details: &str) -> Option<SkipReason> {
    let begins = |sentences: &[&str]| sentences.iter().any(|sentence| details.starts_with(sentence));
    if begins(&NOT_APPLICABLE) {
        return Some(SkipReason::NotApplicable);
    }
    if begins(&UNREADABLE) || is_missing(details) {
        return Some(SkipReason::Unreadable);
    }
    details.starts_with(UNLICENSED).then_some(SkipReason::Unlicensed)
}

/// Whether the details say that settings, which they name before anything else, are missing.
fn is_missing(details: &str) -> bool {
    MISSING
        .iter()
        .filter_map(|end| details.find(end))
        .filter_map(|at| details.get(..at))
        .any(|names| {
            names
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' '))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_sentences_of_the_tools_are_converted() {
        use SkipReason::{Manual, NotApplicable, Unlicensed, Unreadable};
        let check = |word: &str, details: &str, expected: Result<CheckResult, SkipReason>| {
            let expected = match expected {
                Ok(result) => (result, None),
                Err(reason) => (CheckResult::Skipped, Some(reason)),
            };
            assert_eq!(convert(word, details), expected, "{word}: {details}");
        };
        let (passed, failed) = (Ok(CheckResult::Passed), Ok(CheckResult::Failed));
        check("Pass", "Requirement met", passed);
        check("Pass", "", passed);
        check("Fail", "Requirement not met", failed);
        check("Warning", "2 policies found: N/A: x, not applicable", failed);
        check("Fail", "1 domain(s) found: are missing from input JSON", failed);
        check(
            "Fail",
            "**NOTE: Your tenant does not have a licence for this feature**",
            failed,
        );
        check(
            "Error",
            "This test depends on a command that failed.",
            Ok(CheckResult::Error),
        );
        check("Error - Test results missing", "", Ok(CheckResult::Error));
        check("Error", "N/A: x", Ok(CheckResult::Error));

        let gcc = "N/A: Feature is unavailable in GCC environments";
        for word in ["N/A", "Pass", "Fail", "Warning"] {
            check(word, gcc, Err(NotApplicable));
            check(
                word,
                "This policy is not applicable to GCC, GCC High, or DOD environments. See policy 2.2 for more info",
                Err(NotApplicable),
            );
            check(
                word,
                "This policy is only applicable if another one fails.",
                Err(NotApplicable),
            );
            check(
                word,
                "SPO_tenant or SharingCapability are missing from input JSON",
                Err(Unreadable),
            );
            check(
                word,
                "Power BI license was not found. Unable to evaluate tenant setting.",
                Err(Unlicensed),
            );
        }
        check(
            "N/A",
            "The feature is unavailable in GCC High",
            Err(NotApplicable),
        );
        check(
            "N/A",
            "See the baseline policy for instructions on a manual check.",
            Err(Manual),
        );
        check(
            "N/A",
            "A custom product can be used to fulfill this policy requirement.",
            Err(Manual),
        );
        check(
            "N/A",
            "This configuration setting has been deprecated and is being removed.",
            Err(NotApplicable),
        );
        check("N/A", "", Err(Manual));
        check("-", "-", Err(NotApplicable));

        check(
            "No events found",
            "The default setting is compliant.",
            Err(Unreadable),
        );
        check(
            NO_EVENTS,
            "No relevant event in the current logs for the top-level OU, x.",
            Err(Unreadable),
        );
        check(
            "Fail",
            "Unable to determine privileged account SSO state. x",
            Err(Unreadable),
        );
        for unknown in ["", "Bestanden", "PASSED?", "Skipped", "true"] {
            check(unknown, "Requirement met", Err(Unreadable));
        }
    }
}
