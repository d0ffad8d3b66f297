//! Sentences of other tools, by which importers recognize why a tool has no result. All are in lower case.

/// The beginnings of the sentences about policies that don't apply.
pub(crate) const NOT_APPLICABLE: [&str; 6] = [
    "n/a:",
    "n/a -",
    "this policy is only applicable",
    "this policy is not applicable",
    "not applicable",
    "this configuration setting has been deprecated",
];
/// Parts that mark a policy as not applicable if its result is `N/A` already.
pub(crate) const NOT_APPLICABLE_WITHIN: [&str; 3] =
    ["only applicable", "not applicable", "is unavailable in"];
/// The beginnings of the sentences about settings that the tool couldn't read.
pub(crate) const UNREADABLE: [&str; 2] = ["no relevant event in the current logs", "unable to determine"];
/// The beginning of the sentence about a missing license without which the tool can't read the settings.
pub(crate) const UNLICENSED: &str = "power bi license was not found";
/// The sentence about settings that the tool's own export lacks, after the names of these settings.
pub(crate) const MISSING: [&str; 2] = [" are missing from input json", " is missing from input json"];

/// Parts of Maester's reason for a skipped test that mean that the test couldn't read what it is about.
pub(crate) const MAESTER_UNREADABLE: [&str; 18] = [
    "not connected",
    "permission",
    "not authorized",
    "unauthorized",
    "forbidden",
    "denied",
    "missing scope",
    "insufficient",
    "unable to",
    "failed to",
    "could not",
    "cannot",
    "an error",
    "not available",
    "not currently available",
    "unavailable",
    "requires availability",
    "did not include",
];
