//! Texts of `watchpost integrations`.

use crate::text::counted;
use std::{fmt::Display, path::Path};
use watchpost_core::{
    integration::{IntegrationAction, Shrink, fact::Dataset},
    value::{
        id::IntegrationId,
        word::{CollectionState, Platform},
    },
};

pub(crate) const NOTHING_CONNECTED: &str = "No platform is connected. Connect one with `watchpost integrations add okta` \
                                            or `watchpost integrations add m365`.";
pub(crate) const NOT_FOUND: &str = "integration not found: `watchpost integrations list` shows the ids";
pub(crate) const INVALID_SECRET_FILE: &str = "`--secret-file`: write NAME=FILE";
pub(crate) const SECRET_NOT_TEXT: &str = "the credential is not text";
pub(crate) const SECRET_TOO_LONG: &str = "the credential is longer than 64 KiB";
pub(crate) const SECRET_EMPTY: &str = "the credential is empty";
pub(crate) const CONFIRM_REMOVAL_BY_FLAG: &str = "this deletes the integration with its people, apps, scans and \
     schedules, and ends its findings; your decisions about them do not come back if the platform is connected again. To \
     replace only the credential, use `watchpost integrations set-credential`; otherwise confirm with `--yes`";
pub(crate) const CONFIRM_REMOVAL: &str = "This deletes the integration with its people, apps, scans and schedules, and ends its \
     findings; your decisions about them do not come back if the platform is connected again. To replace only the \
     credential, use `watchpost integrations set-credential`. Type `remove` to continue: ";
pub(crate) const NOT_REMOVED: &str = "nothing was removed";
pub(crate) const NOT_CONFIRMED: &str = "nothing was confirmed";
pub(crate) const NOT_EVERYTHING_READABLE: &str = "not everything can be read: see above";

pub(crate) fn unsupported(platform: Platform) -> String {
    format!(
        "this version can't connect {}; it connects okta and m365",
        platform.title()
    )
}

/// Shown while the vendor checks the credentials.
pub(crate) fn checking_credentials(platform: Platform) -> String {
    format!("checking the credentials with {}", platform.title())
}

pub(crate) fn connected(platform: Platform) -> String {
    format!(
        "{} is connected. The first sync is queued: a running server performs it, or `watchpost sync` does.",
        platform.title()
    )
}

/// Shown after the vendor has accepted new credentials.
pub(crate) fn credential_set(platform: Platform) -> String {
    format!(
        "{} uses the new credential; ids, findings and decisions are unchanged. The next sync is queued: a running server \
         performs it, or `watchpost sync` does.",
        platform.title()
    )
}

pub(crate) fn credential_set_while_paused(platform: Platform, id: IntegrationId) -> String {
    format!(
        "{} uses the new credential; ids, findings and decisions are unchanged. The integration is still paused: \
         `watchpost integrations resume {id}` resumes its syncs.",
        platform.title()
    )
}

/// `names`: the fields that hold credentials.
pub(crate) fn no_new_credential(names: &[&str]) -> String {
    format!(
        "no new credential was given: pass it with `--secret-stdin` or `--secret-file`; the fields are: {}",
        names.join(", ")
    )
}

pub(crate) fn missing_secret(name: &str, title: &str) -> String {
    format!("`{name}` is missing ({title}): set it with --secret-stdin {name} or --secret-file {name}=FILE")
}

pub(crate) fn missing_value(name: &str, title: &str) -> String {
    format!("`{name}` is missing ({title}): set it with --set {name}=VALUE")
}

pub(crate) fn invalid_value(argument: &str) -> String {
    format!("`--set {argument}`: write NAME=VALUE")
}

pub(crate) fn not_a_secret(name: &str) -> String {
    format!("`{name}` is not a credential: set it with `--set {name}=VALUE`")
}

pub(crate) fn secret_on_the_command_line(name: &str) -> String {
    format!(
        "`{name}` is a credential, and other users of this machine can read command lines: use the prompt, \
         `--secret-stdin {name}` or `--secret-file {name}=FILE`"
    )
}

pub(crate) fn unknown_field(name: &str, known: &[&str]) -> String {
    format!("there is no field `{name}`; the fields are: {}", known.join(", "))
}

/// Asks a person for a field's value.
pub(crate) fn question(title: &str, required: bool) -> String {
    let optional = if required { "" } else { " (optional)" };
    format!("{title}{optional}: ")
}

pub(crate) fn unreadable_secret_file(file: &Path) -> String {
    format!("can't open `{}`", file.display())
}

pub(crate) fn neither_id_nor_platform(text: &str) -> String {
    format!("`{text}` is neither an id nor a platform: `watchpost integrations list` shows both")
}

pub(crate) fn not_connected(platform: Platform) -> String {
    format!(
        "{} is not connected: `watchpost integrations list` shows the connected platforms",
        platform.title()
    )
}

pub(crate) fn connected_several_times(platform: Platform, ids: &[String]) -> String {
    format!(
        "{} is connected {} times; name one by its id: {}",
        platform.title(),
        ids.len(),
        ids.join(", ")
    )
}

/// An explanation of what shrank, and of the effect of a confirmation.
pub(crate) fn shrink(platform: Platform, dataset: Dataset, shrink: Shrink) -> String {
    format!(
        "{}: `{dataset}` shrank from {} rows to {}. If this is confirmed, what the next sync does not find counts as gone, \
         and findings about it end. Check first with `watchpost integrations verify` that no permission or role is missing.",
        platform.title(),
        shrink.from,
        shrink.to
    )
}

pub(crate) fn confirm_shrink(explanation: &str) -> String {
    format!("{explanation} Type `confirm` to continue: ")
}

pub(crate) fn confirm_shrink_by_flag(explanation: &str) -> String {
    format!("{explanation} Confirm it with `--yes`")
}

pub(crate) fn shrink_confirmed(dataset: Dataset, shrink: Shrink) -> String {
    format!(
        "Confirmed: `{dataset}` has {} rows instead of {}. The next sync applies it, if it finds at least half as many: \
         `watchpost sync` starts one.",
        shrink.to, shrink.from
    )
}

pub(crate) fn shrink_confirmed_before(dataset: Dataset, shrink: Shrink) -> String {
    format!(
        "Nothing changed: that `{dataset}` has {} rows instead of {} was confirmed before. The next sync applies it.",
        shrink.to, shrink.from
    )
}

pub(crate) const fn changed(action: IntegrationAction) -> &'static str {
    match action {
        IntegrationAction::Pause => "The integration is paused.",
        IntegrationAction::Resume => "The integration is resumed.",
        IntegrationAction::Remove => "The integration is removed.",
    }
}

pub(crate) const fn unchanged(action: IntegrationAction) -> &'static str {
    match action {
        IntegrationAction::Pause => "Nothing changed: the integration is already paused.",
        IntegrationAction::Resume => "Nothing changed: the integration is not paused.",
        IntegrationAction::Remove => "Nothing changed: the integration is already removed.",
    }
}

pub(crate) fn asking(platform: Platform) -> String {
    format!("asking {}", platform.title())
}

pub(crate) fn verified(platform: Platform, name: &str, granted: usize, permissions: usize) -> String {
    format!(
        "{} ({name}): the credentials are valid; permissions granted: {granted} of {permissions}",
        platform.title()
    )
}

pub(crate) fn verification_failed(platform: Platform, name: &str, error: &dyn Display) -> String {
    format!("{} ({name}): {error}", platform.title())
}

/// A dataset, and what a sync could read of it.
pub(crate) fn dataset(dataset: Dataset, state: CollectionState, detail: Option<&str>) -> String {
    let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("  {dataset} {state}{detail}")
}

/// A missing permission: the datasets that syncs read with it, the rules that need these datasets, and the vendor's hint.
pub(crate) fn missing_for_syncs(permission: &str, datasets: &str, rules: &str, hint: Option<&str>) -> String {
    let cost = if rules.is_empty() {
        "no rule needs it".to_owned()
    } else {
        format!("without it these rules can't judge: {rules}")
    };
    missing(permission, datasets, &cost, hint)
}

/// A missing permission that only scans need, and how many settings they read with it.
pub(crate) fn missing_for_scans(permission: &str, settings: usize, hint: Option<&str>) -> String {
    let cost = format!(
        "without it scans can't read {}",
        counted(settings as u64, "setting", "settings")
    );
    missing(permission, "scans", &cost, hint)
}

fn missing(permission: &str, needed_for: &str, cost: &str, hint: Option<&str>) -> String {
    let hint = hint.map(|hint| format!(" {hint}")).unwrap_or_default();
    format!("  missing {permission} ({needed_for}): {cost}.{hint}")
}
