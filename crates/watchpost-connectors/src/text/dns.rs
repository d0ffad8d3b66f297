//! Messages about looking up a company's domains.

/// The titles of the configuration's fields.
pub(crate) const SERVER_TITLE: &str =
    "IP address of the name server to query about the company's domains; `auto` for the system's";
pub(crate) const SELECTORS_TITLE: &str = "DKIM selectors of other services that send the company's mail, separated by \
                                          commas; `none` for the usual ones only";
pub(crate) const HOSTS_TITLE: &str = "Hosts whose aliases are checked for targets that no longer exist, separated by \
                                      commas; `none` for no hosts";

pub(crate) const INVALID_SERVER: &str = "must be an IP address, followed by `:` and a port if it isn't 53";
pub(crate) const INVALID_NAMES: &str = "must be DNS names separated by commas";

pub(crate) fn too_many_names(max: usize) -> String {
    format!("may contain at most {max} names")
}

pub(crate) fn too_many_domains(max: usize, total: usize) -> String {
    format!("only {max} of {total} domains were looked up")
}

pub(crate) fn too_many_hosts(max: usize, total: usize) -> String {
    format!("only {max} of {total} hosts were looked up")
}

pub(crate) fn out_of_time(domains: usize) -> String {
    let noun = if domains == 1 {
        "domain was"
    } else {
        "domains were"
    };
    format!("time ran out before {domains} {noun} looked up")
}
