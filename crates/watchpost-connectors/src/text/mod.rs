//! The messages that users read in the results of verifications, syncs, collections and imports.
//!
//! The constants and functions here serve all connectors; each vendor and each reader has a file of its own.

pub(crate) mod dns;
pub(crate) mod import;
pub(crate) mod m365;
pub(crate) mod m365_settings;
pub(crate) mod okta;
pub(crate) mod sentences;

/// The reason for a configuration value that is required and not given.
pub(crate) const MISSING: &str = "is missing";
/// The reason for a base address that can't be parsed.
pub(crate) const NOT_AN_ADDRESS: &str = "is not an address; an address looks like https://host";
/// The reason for a base address with a query or a fragment.
pub(crate) const ADDRESS_WITH_QUERY: &str =
    "must be the address of the host; leave out everything from `?` or `#` on";

/// A credential that can't be sent in a header.
pub(crate) const INVALID_CREDENTIAL: &str =
    "the credential contains characters that are not allowed in a credential";
/// A token endpoint responded with success, but without a token.
pub(crate) const NOT_A_TOKEN_RESPONSE: &str =
    "the response of the token endpoint contains no access token; check the address";

pub(crate) const NEXT_LINK_INVALID: &str = "paging: the vendor's link to the next page is not an address";
pub(crate) const NEXT_LINK_REPEATED: &str =
    "paging: the vendor's link to the next page leads back to an earlier page";
pub(crate) const ENDLESS_LIST: &str = "paging: the list did not end";

/// The doubts after the smallest requests of a verification.
pub(crate) const ONE_ACCOUNT_SEEN: &str = "only one account was seen; an organization usually has more";
pub(crate) const NO_APP_SEEN: &str = "no app was seen";
/// The list of apps contains nothing but the client through which Watchpost reads.
pub(crate) const ONLY_OWN_CLIENT_SEEN: &str = "only the own client was seen";
pub(crate) const NOT_PROBED: &str = "not checked";

/// A path of a setting that no connector of this version reads.
pub(crate) const UNSUPPORTED_SETTING: &str =
    "this version can't read this setting from the vendor; an imported export may contain it";
pub(crate) const SETTING_TOO_LARGE: &str = "the document is larger than 4 MiB";

pub(crate) fn setting_too_large(path: &str) -> String {
    format!("`{path}` is larger than 4 MiB")
}

/// The next attempt of a request would have to wait beyond the end of the sync.
pub(crate) fn wait_exceeds_sync(seconds: u64) -> String {
    format!("the next attempt would have to wait {seconds} s, longer than this sync may still take")
}

pub(crate) fn unreadable_rows(unreadable: u64, total: u64) -> String {
    format!("{unreadable} of {total} rows could not be understood")
}

/// A dataset that needs a request for each account or app hasn't been read for all of them.
pub(crate) fn continues(read: u64, total: u64, noun: &str, oldest_hours: Option<i64>) -> String {
    let age = oldest_hours
        .map(|hours| format!(", the oldest {hours} h ago"))
        .unwrap_or_default();
    format!("{read} of {total} {noun} read{age}; the next sync continues")
}

/// A complete dataset contains parts from earlier syncs.
pub(crate) fn kept_from_earlier(kept: u64, total: u64, noun: &str, oldest_hours: i64) -> String {
    format!("{kept} of {total} {noun} were read by earlier syncs, the oldest {oldest_hours} h ago")
}

pub(crate) fn no_such_resource(api: &str) -> String {
    format!("{api} has no such resource (status 404)")
}

pub(crate) fn request_rejected(api: &str, status: u16) -> String {
    format!("{api} rejected the request (status {status})")
}

/// A response with a success status whose body isn't in the vendor's format.
pub(crate) fn unexpected_response(api: &str) -> String {
    format!("the response from {api} could not be understood")
}

/// The configured address belongs to something other than the vendor.
pub(crate) fn unexpected_vendor(api: &str, url_field: &str) -> String {
    format!("the address does not respond like {api}; check `{url_field}`")
}
