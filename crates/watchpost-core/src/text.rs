//! Texts that users, administrators and models read: reasons of errors, reasons stored with jobs, scans and
//! results, progress messages, and warnings.
//!
//! None contains untrusted text, except where a function's documentation says so. This module depends on no other:
//! functions take displayable values. A `platform` or `title` is the name of a product.

use std::{fmt::Display, ops::RangeInclusive};

/// The reason why a name is rejected that matches several apps. `candidates` are ids with platforms.
pub(crate) fn ambiguous_app(total: u64, candidates: &[String]) -> String {
    format!(
        "{total} apps match this name; use one of these ids: {}",
        candidates.join(", ")
    )
}

/// The title of a framework.
pub(crate) const CIS_BENCHMARK: &str = "CIS Microsoft 365 Foundations Benchmark 7.0.0";

/// The reason why a text is rejected that isn't an email address.
pub(crate) const EMAIL_EXPECTED: &str = "must be one email address, such as mara.holt@example.com";

/// The reason why a name is rejected that nobody has.
pub(crate) const NAME_UNKNOWN: &str =
    "no person has this name; give an email address, such as mara.holt@example.com";

/// The reason why a name is rejected that several people have. Doesn't list them: names and addresses come from outside.
pub(crate) fn several_people(shown: usize, more: bool) -> String {
    let at_least = if more { "at least " } else { "" };
    format!("{at_least}{shown} people match this name")
}

/// The reason why a name is rejected with which several addresses begin. Doesn't list them: they come from outside.
pub(crate) fn several_addresses(shown: usize, more: bool) -> String {
    let at_least = if more { "at least " } else { "" };
    format!("{at_least}{shown} addresses begin with this name")
}

/// The reason why an API key's label is rejected.
pub(crate) const LABEL_LENGTH: &str = "must have 1 to 100 characters";

/// The reason why a note is rejected.
pub(crate) fn note_too_long(chars_max: usize) -> String {
    format!("must have at most {chars_max} characters")
}

/// The reason why a number is rejected.
pub(crate) fn out_of_range<T: Display>(range: &RangeInclusive<T>, value: &T) -> String {
    format!("must be {} to {}, not {value}", range.start(), range.end())
}

/// The reason why no further API key is created.
pub(crate) fn active_keys_limit(active_max: u32) -> String {
    format!("this workspace already has {active_max} active keys, which is the limit")
}

/// The reason why a remediation can't be rejected. `state` is not `pending_approval`.
pub(crate) fn remediation_decided(state: impl Display) -> String {
    format!("the remediation is {state} and can no longer be rejected")
}

/// Problems that the verification of an audit chain reports.
pub(crate) mod audit {
    use crate::audit::checkpoint::Contradiction;

    pub(crate) const GENESIS_MISSING: &str = "the genesis entry is missing";
    pub(crate) const ROW_MISSING: &str = "a row is missing or out of order";
    pub(crate) const ROW_UNREADABLE: &str = "a row at or after this one can't be read";
    pub(crate) const LINK_BROKEN: &str = "the link to the previous row is broken";
    pub(crate) const HASH_MISMATCH: &str = "the row's content doesn't match its hash";

    /// The way in which a database contradicts a checkpoint.
    pub(crate) fn contradiction(found: Contradiction) -> String {
        match found {
            Contradiction::WorkspaceMissing => "the workspace is missing".to_owned(),
            Contradiction::RowsMissing { expected, found } => {
                format!("the audit trail had {expected} rows and has {found}")
            }
            Contradiction::RowsChanged { seq } => {
                format!("row {seq} of the audit trail, or a row before it, was changed")
            }
            Contradiction::KeysOlder { expected, found } => {
                format!("the keys are older: they had generation {expected} and have {found}")
            }
        }
    }
}

/// Reasons of errors that a store causes.
pub(crate) mod error {
    pub(crate) const DATA_CHANGED: &str = "the data changed in the meantime: repeat the request";
    pub(crate) const IDEMPOTENCY_KEY_REUSED: &str =
        "it was used with other arguments before: use a new key for another change";
    pub(crate) const CONFIRMATION_REUSED: &str =
        "this confirmation was given for another request: call again without it";
    pub(crate) const CHANGE_NOT_STORED: &str = "the store can't take the change, and nothing was changed";
    pub(crate) const STORE_UNAVAILABLE: &str = "the store is not available";
    pub(crate) const AUDIT_UNAVAILABLE: &str = "the audit log can't be written, so no request is answered";

    /// The reason why an actor's calls with an idempotency key or a confirmation are rejected.
    pub(crate) fn too_many_tokens(kept_max: u32) -> String {
        format!(
            "this caller has used {kept_max} idempotency keys and confirmations within 24 hours: wait, or call \
             without a key"
        )
    }
}

/// Reasons why an exemption isn't created.
pub(crate) mod exemption {
    pub(crate) const UNKNOWN_CHECK: &str = "no check has this id";
    pub(crate) fn several(one: &str, two: &str) -> String {
        format!("several controls have this number: use the whole id, such as {one} or {two}")
    }

    pub(crate) const END_IN_PAST: &str = "must be in the future";
    pub(crate) const REASON_AND_OWNER_REQUIRED: &str =
        "must not be empty: an exemption has a reason and a person responsible for it";

    pub(crate) fn limit_reached(exemptions_max: u64) -> String {
        format!("this workspace already has {exemptions_max} exemptions, which is the limit")
    }
}

/// Warnings about the age and completeness of the data behind an answer.
pub(crate) mod freshness {
    use super::Display;

    pub(crate) fn failing(title: &str, since: impl Display, reason: &str) -> String {
        format!("{title} has not been read since {since}: {reason}")
    }

    pub(crate) fn paused(title: &str) -> String {
        format!("{title} is paused; its data does not change")
    }

    pub(crate) fn stale(title: &str, last_completed_at: impl Display, hours: i64) -> String {
        format!("{title} was last read at {last_completed_at}, more than {hours} hours ago")
    }

    pub(crate) fn never_read(title: &str) -> String {
        format!("{title} has never been read completely")
    }

    /// `detail` is the missing permission, or another reason.
    pub(crate) fn people_unknown(title: &str, state: impl Display, detail: Option<&str>) -> String {
        format!(
            "{title}: its people could not be read ({}), so scores, numbers and findings say nothing about them",
            why(state, detail)
        )
    }

    /// `detail` is the missing permission, or another reason.
    pub(crate) fn people_outdated(title: &str, state: impl Display, detail: Option<&str>) -> String {
        format!(
            "{title}: its people could not be read at the last sync ({}), so answers show those of earlier syncs",
            why(state, detail)
        )
    }

    fn why(state: impl Display, detail: Option<&str>) -> String {
        detail.map_or_else(|| state.to_string(), |detail| format!("{state}: {detail}"))
    }

    /// A list shrank, and `others` more of the same platform.
    pub(crate) fn shrank(
        title: &str,
        dataset: impl Display,
        (from, to): (u64, u64),
        others: usize,
    ) -> String {
        let more = match others {
            0 => String::new(),
            1 => ", and 1 more list shrank".to_owned(),
            more => format!(", and {more} more lists shrank"),
        };
        format!(
            "{title}: `{dataset}` shrank from {from} rows to {to}{more}; this may be a missing permission, so \
             nothing counts as gone until a person confirms it"
        )
    }

    pub(crate) fn unreadable_datasets(title: &str, unreadable: u32, readable: u32) -> String {
        let total = unreadable.saturating_add(readable);
        format!("{title}: {unreadable} of {total} datasets can't be read")
    }
}

/// Reasons of errors about imported files.
pub(crate) mod import {
    /// The reason why a file is rejected. `found` is the tenant in the file, cleaned by its reader.
    pub(crate) fn other_tenant(found: &str, expected: &str) -> String {
        format!(
            "the file is about another tenant ({found}) than the integration ({expected}): import it without naming \
             an integration, or allow a file about another tenant"
        )
    }

    /// The reason stored with a setting that is too large.
    pub(crate) fn setting_too_large(bytes_max: usize) -> String {
        format!("the file has more than {} MiB at this path", bytes_max >> 20)
    }
}

/// Reasons of errors about integrations, and the progress of a sync.
pub(crate) mod integration {
    use super::Display;

    /// The reason why a scan isn't started.
    pub(crate) const INACTIVE: &str = "this integration is paused or disconnected";

    /// The detail of a dataset that is read for each row of another one, which isn't complete.
    pub(crate) fn followed_incomplete(dataset: impl Display) -> String {
        format!("it is read for each row of `{dataset}`, which were not all read")
    }

    /// The detail of a list that shrank.
    pub(crate) fn shrank(rows: u64, before: u64) -> String {
        format!("it shrank to {rows} rows from {before} at the last complete read, so nothing counts as gone")
    }

    /// The reason why nothing can be confirmed.
    pub(crate) fn never_read(dataset: impl Display) -> String {
        format!("this integration has never read `{dataset}`")
    }

    /// The reason why nothing can be confirmed.
    pub(crate) fn nothing_to_confirm(dataset: impl Display) -> String {
        format!("the last read of `{dataset}` did not shrink, so there is nothing to confirm")
    }

    /// The reason why nothing was confirmed.
    pub(crate) fn read_again(dataset: impl Display, rows: u64) -> String {
        format!("`{dataset}` has been read again in the meantime and now has {rows} rows: look at it again")
    }

    pub(crate) fn already_connected(platform: &str, existing: impl Display) -> String {
        format!("this {platform} tenant is already connected as {existing}")
    }

    /// The reason why the credentials of an integration aren't replaced.
    pub(crate) const NO_NEW_CREDENTIAL: &str = "no new credential was given";

    /// The reason why the credentials of an integration aren't replaced.
    pub(crate) fn credential_kept(error: impl Display) -> String {
        format!("{error}; nothing was changed, and the current credential is kept")
    }

    /// The reason why the credentials of an integration aren't replaced.
    pub(crate) fn other_tenant(platform: &str) -> String {
        format!(
            "the new credential opens another {platform} tenant than this integration reads, whose people and findings \
             would be mixed with those of this one; nothing was changed. Use a credential of the same tenant, or connect \
             the other tenant as an integration of its own"
        )
    }

    /// The reason why the credentials of an integration aren't replaced.
    pub(crate) fn tenant_unknown(platform: &str) -> String {
        format!(
            "the new credential may not read which {platform} tenant it opens, so it can't be shown that it is the one \
             that this integration reads; nothing was changed. Grant the permission to read the organization, or change \
             only the credential"
        )
    }

    pub(crate) fn platform_without_settings(platform: &str) -> String {
        format!("{platform} has no settings that this version can scan")
    }

    /// The progress of a sync.
    pub(crate) fn reading(platform: &str, dataset: impl Display, facts: u64) -> String {
        format!("{platform}: reading {dataset}, {facts} facts so far")
    }

    /// The reason why a request without an integration is rejected. `candidates` are ids, each with its platform
    /// and its name, which is untrusted.
    pub(crate) fn several(candidates: &[String]) -> String {
        format!(
            "several integrations match; use one of: {}",
            candidates.join(", ")
        )
    }

    pub(crate) fn unconnectable_platform(platform: &str) -> String {
        format!("this version can't connect {platform}")
    }

    /// The reason why a sync or a scan failed.
    pub(crate) const CREDENTIAL_DAMAGED: &str =
        "its stored credential can't be opened, because it was moved or changed";

    /// The reason why a sync or a scan failed.
    pub(crate) fn unreadable_platform(platform: &str) -> String {
        format!("this version can't read {platform}")
    }
}

/// Reasons stored with jobs that failed or were cancelled.
pub(crate) mod job {
    pub(crate) const VALUE_DAMAGED: &str = "a stored value is damaged";
    pub(crate) const INTERRUPTED: &str = "its worker processes stopped before it was done";
    pub(crate) const KEY_NOT_ACTIVE: &str = "the key that requested it was revoked or has expired";
    pub(crate) const NO_INTEGRATION: &str = "the job has no integration";
    pub(crate) const NO_SCAN: &str = "the job has no scan";
}

/// Parts of sentences about the risk score.
pub(crate) mod posture {
    use super::Display;
    use std::fmt;

    /// The end of a sentence with a label and grade that the worst finding decided.
    pub(crate) fn because_of_worst_finding(f: &mut fmt::Formatter<'_>, worst: impl Display) -> fmt::Result {
        write!(f, " because of an open {worst} finding")
    }
}

/// The progress of an analysis.
pub(crate) mod rule {
    pub(crate) fn evaluated(documents: u64) -> String {
        format!("analysis: {documents} people, apps and platforms evaluated")
    }
}

/// Reasons and progress of scans, and reasons of errors about them.
pub(crate) mod scan {
    use super::Display;

    /// The thing that isn't found: a check of a scan.
    pub(crate) const CHECK_OF_SCAN: &str = "check in this scan";
    /// The thing that isn't found: a check of this version of Watchpost.
    pub(crate) const CHECK_OF_VERSION: &str = "check in this version";
    /// The reason stored with a scan whose job ended before it did.
    pub(crate) const ENDED_WITH_JOB: &str = "its job ended before it was done";
    /// The reason why a scan has no new failures.
    pub(crate) const FIRST_OF_TYPE: &str = "this is the first completed scan of its type on this integration";
    /// The reason stored with a failed scan.
    pub(crate) const INTEGRATION_REMOVED: &str = "the integration was removed";
    /// The reason stored with a failed scan.
    pub(crate) const INTEGRATION_UNAVAILABLE: &str = "the integration was removed or disconnected";
    /// The reason of a check of apps that was skipped, because no sync has read apps.
    pub(crate) const APPS_AWAITED: &str = "The apps were not read yet: sync the integration first.";
    /// The reason of a check of apps that was skipped.
    pub(crate) const NO_APPS: &str = "The integration has no apps.";
    /// The reason of a check of apps that was skipped. `detail` is the reason stored with the collection.
    pub(crate) fn apps_unread(state: impl Display, detail: Option<&str>) -> String {
        let reason = detail.map_or(String::new(), |detail| format!(", {detail}"));
        format!("The last sync did not read all apps ({state}{reason}).")
    }
    /// The reason stored with a failed scan that doesn't read settings.
    pub(crate) const NO_EARLIER_SETTINGS: &str =
        "there is no earlier scan with settings to evaluate again: start a scan that reads them";
    /// The reason of the result of a replay.
    pub(crate) const NO_VERDICT: &str = "The check returned no verdict.";
    /// The reason why two scans aren't compared.
    pub(crate) const NOT_COMPARABLE: &str = "both scans must be of the same integration and type";
    /// The reason why two scans aren't compared.
    pub(crate) const NOT_COMPLETED: &str = "only completed scans can be compared";
    /// The detail of a setting that can't be parsed.
    pub(crate) const NOT_JSON: &str = "the vendor's response is not JSON";
    /// The reason why there is no report on the differences from an earlier scan.
    pub(crate) const NOTHING_TO_COMPARE: &str = "there is no earlier completed scan of this type to compare with; the next scan can be compared with this one";

    /// The reason why a scan isn't cancelled.
    pub(crate) fn already_ended(state: impl Display) -> String {
        format!("the scan is {state} and can no longer be cancelled")
    }

    /// The progress of a scan.
    pub(crate) fn evaluating(checks: usize) -> String {
        let noun = if checks == 1 { "check" } else { "checks" };
        format!("evaluating {checks} {noun}")
    }

    /// The reason of a check that is exempted as a whole. `owner` and `reason` are a person's words: untrusted.
    pub(crate) fn exempted(owner: &str, until: Option<impl Display>, reason: &str) -> String {
        match until {
            Some(until) => format!("Exempted by {owner} until {until}: {reason}"),
            None => format!("Exempted by {owner} until the exemption is removed: {reason}"),
        }
    }

    /// The reason why a scan failed or isn't started.
    pub(crate) fn no_checks(scan_type: impl Display, platform: &str) -> String {
        format!("there are no {scan_type} checks for {platform}")
    }

    /// The reason why a scan has no report. `state` is not `completed`.
    pub(crate) fn no_report(state: impl Display) -> String {
        format!("the scan is {state}: only completed scans have reports")
    }

    /// The reason why a scan isn't started.
    pub(crate) fn nothing_to_scan(platform: &str) -> String {
        format!("this version has no checks for {platform}")
    }

    /// The progress of a scan.
    pub(crate) fn reading_settings(read: usize, total: usize) -> String {
        format!("reading settings, {read} of {total}")
    }

    /// The reason stored with a failed scan.
    pub(crate) fn time_limit(limit_ms: i64) -> String {
        format!("the scan took longer than {} minutes", limit_ms / 60_000)
    }
}

/// Reasons why a schedule is rejected.
pub(crate) mod schedule {
    pub(crate) const DAY_OF_MONTH_RANGE: &str = "`day_of_month` must be 1 to 31";
    pub(crate) const DAY_OF_WEEK_RANGE: &str = "`day_of_week` must be 0 (Monday) to 6 (Sunday)";
    pub(crate) const TIME_OF_DAY_RANGE: &str = "`hour` must be 0 to 23 and `minute` 0 to 59";
    pub(crate) const TIME_OUT_OF_RANGE: &str = "the time is out of range";

    pub(crate) fn no_scan_types(types: &[&str]) -> String {
        format!("must contain at least one of: {}", types.join(", "))
    }

    pub(crate) fn not_added(schedules_max: u64) -> String {
        format!("a workspace has at most {schedules_max} schedules, each for an existing integration")
    }
}
