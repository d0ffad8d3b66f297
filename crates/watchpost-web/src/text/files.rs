//! The summaries of lists as files, as CSV and as JSON.

/// Makes both summaries.
macro_rules! both {
    ($summary:literal) => {
        (concat!($summary, ", as CSV"), concat!($summary, ", as JSON"))
    };
}

pub(crate) const FINDINGS: (&str, &str) = both!("Returns all findings that the filters select");
pub(crate) const APPS: (&str, &str) = both!("Returns all apps that the filters select");
pub(crate) const SCANS: (&str, &str) = both!("Returns all scans that the filters select");
pub(crate) const RESULTS: (&str, &str) =
    both!("Returns all results of a scan that the filters select, by default of the latest scan");
pub(crate) const RULES: (&str, &str) = both!("Returns all active rules that the filters select");
pub(crate) const CHECKS: (&str, &str) = both!("Returns all checks that the filters select");
pub(crate) const INTEGRATIONS: (&str, &str) = both!("Returns all connected platforms");
