//! Messages about the settings of Microsoft 365: why one could not be read, and how to grant a permission.

/// The permissions that are named together with what else is missing.
pub(crate) const MANAGEMENT_APP: &str = "registration as a Power Platform management application";
pub(crate) const CMDLET_ROLE: &str =
    "a role that may run this cmdlet, such as Global Reader on the service principal";

/// SharePoint's permission, for an application that authenticates with a client secret.
pub(crate) fn with_certificate(permission: &str) -> String {
    format!("{permission}, and a certificate instead of a client secret")
}

pub(crate) const NO_DEFENDER: &str = "the tenant has no Defender for Office 365";

/// A list has rows that could not be parsed.
pub(crate) fn unreadable_rows(unreadable: u64) -> String {
    let noun = if unreadable == 1 { "row" } else { "rows" };
    format!("{unreadable} {noun} could not be understood")
}

pub(crate) fn list_truncated(listed: usize, total: u64) -> String {
    format!("only the first {listed} of {total} are listed")
}

/// The report on authentication methods lacks enabled members.
pub(crate) fn members_not_in_report(members: u64) -> String {
    let noun = if members == 1 { "member is" } else { "members are" };
    format!("{members} enabled {noun} missing from the report")
}

pub(crate) const TOO_MANY_ACCOUNTS: &str = "there are more accounts than Watchpost can compare";
pub(crate) const TOO_MANY_ASSIGNMENTS: &str = "there are more role assignments than Watchpost can evaluate";
pub(crate) const TOO_MANY_HOLDERS: &str = "more accounts hold privileged roles than Watchpost can evaluate";
pub(crate) const TOO_MANY_GROUP_MEMBERS: &str =
    "a group that holds a privileged role has more members than Watchpost can evaluate";
pub(crate) const LIST_TOO_LARGE: &str = "the list is larger than 32 MiB";

pub(crate) const GRAPH_NOT_LISTED: &str = "the tenant's list of applications doesn't contain Microsoft Graph";
pub(crate) const NO_DOMAIN: &str = "Microsoft Graph lists no domain of the tenant";
pub(crate) const ROLE_POLICIES_UNREADABLE: &str = "the list of role policies could not be understood";
pub(crate) const ROLE_RULES_UNREADABLE: &str = "a role's rules could not be understood";

pub(crate) fn role_rules_unknown(permission: &str) -> String {
    format!("{permission} is missing, so the requirements for activating a role are unknown")
}

/// The system's name servers are unknown.
pub(crate) fn no_name_server(error: &str) -> String {
    format!("{error}; set `dns_server` to the address of a name server")
}

/// The reasons for shared mailboxes without the state of their accounts.
pub(crate) const MAILBOX_ACCOUNTS_MISSING: &str = "the accounts of some shared mailboxes were not found";
pub(crate) const MAILBOX_ACCOUNTS_UNREADABLE: &str = "the mailboxes' accounts could not be read";

pub(crate) fn mailbox_accounts_denied(permission: &str) -> String {
    format!("{permission} is missing, so whether the mailboxes' accounts can sign in is unknown")
}

/// The value of `exchange_admin_beta` isn't a bool.
pub(crate) const NOT_A_BOOL: &str = "must be `true` or `false`";

pub(crate) fn unknown_address(field: &str) -> String {
    format!("`{field}` isn't set, and the address can't be derived from `graph_url`")
}

pub(crate) fn unreachable(service: &str, reason: &str) -> String {
    format!("{service} can't be reached: {reason}")
}

/// The reasons why no configuration snapshot contains a setting.
pub(crate) const SNAPSHOTS_DISABLED: &str = "configuration snapshots are off for this scan";
pub(crate) const NOT_IN_SNAPSHOTS: &str =
    "configuration snapshots are not used for settings with a row for each mailbox";
pub(crate) const NO_SNAPSHOT_TYPE: &str = "Microsoft's configuration snapshots don't contain this setting";
pub(crate) const MAILBOX_KINDS_MISSING: &str = "the answer doesn't say which mailboxes are shared";
pub(crate) const SNAPSHOT_REQUIRED: &str = "only a configuration snapshot can read it";
pub(crate) const SNAPSHOT_LIMIT_REACHED: &str =
    "Microsoft's limit on configuration snapshots of this tenant is reached";
pub(crate) const SNAPSHOT_TYPES_REJECTED: &str =
    "Microsoft rejected too many of the setting types in configuration snapshots";
pub(crate) const SNAPSHOT_TYPE_UNKNOWN: &str =
    "Microsoft's configuration snapshots don't support this setting type";
pub(crate) const SNAPSHOT_TIMEOUT: &str = "Microsoft's configuration snapshot took too long";
pub(crate) const SNAPSHOT_UNREADABLE: &str = "Microsoft's configuration snapshot could not be understood";
pub(crate) const SNAPSHOT_INCOMPLETE: &str = "Microsoft's configuration snapshot could not read all of it";
pub(crate) const SNAPSHOT_FAILED: &str = "Microsoft's configuration snapshot failed; the service principal \"Tenant Configuration Management\" may be missing \
     in the tenant or may lack permission to read this workload";
pub(crate) const NOT_IN_SNAPSHOT: &str = "Microsoft's configuration snapshot doesn't contain it; the service principal \"Tenant Configuration Management\" may \
     lack permission to read it";

pub(crate) fn unreadable_snapshot_rows(unreadable: u64) -> String {
    let noun = if unreadable == 1 { "row" } else { "rows" };
    format!("{unreadable} {noun} of the configuration snapshot could not be understood")
}

/// The request that checks a permission failed for another reason than the permission.
pub(crate) fn permission_not_checked(reason: &str) -> String {
    format!("the permission could not be checked: {reason}")
}

pub(crate) fn grant_graph_permission(permission: &str) -> String {
    format!(
        "API permissions > Microsoft Graph > Application permissions > {permission}, then Grant admin consent"
    )
}

pub(crate) fn grant_snapshots(permission: &str) -> String {
    format!(
        "{}; also add the service principal \"Tenant Configuration Management\" to the tenant with the role Global Reader",
        grant_graph_permission(permission)
    )
}

pub(crate) const GRANT_EXCHANGE_V2: &str = "API permissions > Office 365 Exchange Online > Exchange.ManageAsAppV2, and an Exchange role that may view the \
     configuration; required only without configuration snapshots";
pub(crate) const GRANT_EXCHANGE: &str = "API permissions > Office 365 Exchange Online > Exchange.ManageAsApp, and the role \
                                         Global Reader for the application";
pub(crate) const GRANT_SHAREPOINT: &str = "API permissions > SharePoint > Sites.FullControl.All (SharePoint has no read-only permission), with a certificate: \
     SharePoint doesn't accept client secrets";
pub(crate) const REGISTER_MANAGEMENT_APP: &str =
    "a Power Platform administrator must register the application with New-PowerAppManagementApp";
pub(crate) const GRANT_FABRIC: &str = "Fabric admin portal > Tenant settings > Admin API settings: allow service principals to use read-only admin APIs \
     (Fabric's name for this is Tenant.Read.All), for a group that contains the application";
