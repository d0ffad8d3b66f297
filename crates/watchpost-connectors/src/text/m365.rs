//! Messages about Microsoft 365.

/// The titles of the configuration's fields.
pub(crate) const TENANT_ID_TITLE: &str =
    "Directory (tenant) id, from the application's overview in the Entra admin center";
pub(crate) const CLIENT_ID_TITLE: &str = "Application (client) id, from the same page";
pub(crate) const CLIENT_SECRET_TITLE: &str =
    "Client secret (its value, not its id); leave empty if you use a certificate";
pub(crate) const CLIENT_CERTIFICATE_TITLE: &str =
    "Certificate followed by its private key, both as PEM; leave empty if you use a secret";
pub(crate) const LOGIN_URL_TITLE: &str = "Sign-in address; change it only for a national cloud";
pub(crate) const GRAPH_URL_TITLE: &str = "Address of Microsoft Graph; change it only for a national cloud";
pub(crate) const EXCHANGE_ADMIN_BETA_TITLE: &str =
    "Also read Exchange and Purview settings through Exchange's undocumented proxy (true or false)";
pub(crate) const SHAREPOINT_ADMIN_URL_TITLE: &str =
    "Address of SharePoint's admin API; `auto` for the tenant's usual one";
pub(crate) const EXCHANGE_URL_TITLE: &str =
    "Address of Exchange's admin API; `auto` for the cloud's usual one";
pub(crate) const COMPLIANCE_URL_TITLE: &str =
    "Address of Purview's admin API; `auto` for the cloud's usual one";
pub(crate) const POWER_PLATFORM_URL_TITLE: &str =
    "Address of Power Platform's admin API; `auto` for the cloud's usual one";
pub(crate) const FABRIC_URL_TITLE: &str = "Address of Fabric's admin API; `auto` for the cloud's usual one";

pub(crate) const INVALID_TENANT_ID: &str = "must be the directory (tenant) id or a domain of the tenant";
pub(crate) const INVALID_CLIENT_ID: &str = "must be the application (client) id";
pub(crate) const NO_CREDENTIAL: &str = "is missing; provide it or `client_certificate`";

pub(crate) const UNLICENSED: &str = "the tenant has no Microsoft Entra ID license for this (P1 or P2)";
/// Graph rejected a token that had just been issued.
pub(crate) const NEW_TOKEN_REJECTED: &str = "Microsoft Graph rejects even a new token; check that `login_url` and `graph_url` belong \
                                             to the same cloud and that the application is enabled";

/// The errors of the token endpoint.
pub(crate) const WRONG_SECRET: &str =
    "the client secret is wrong; copy the secret's value, not its id, from Certificates & secrets";
pub(crate) const EXPIRED_SECRET: &str =
    "the client secret has expired; create a new one under Certificates & secrets";
pub(crate) const NO_SUCH_APPLICATION: &str =
    "the tenant has no application with this client id; check `client_id` and `tenant_id`";
pub(crate) const NO_SUCH_TENANT: &str = "there is no such tenant; check `tenant_id`";
pub(crate) const WRONG_CERTIFICATE: &str =
    "the certificate isn't the one that was uploaded to the application, or it has expired";
pub(crate) const NO_CONSENT: &str = "the application is disabled or lacks an administrator's consent; grant consent under \
                                     API permissions";
pub(crate) const NO_SUCH_SERVICE: &str = "the tenant doesn't have the requested service; a license for it may be missing, or an \
                                          address belongs to another cloud";
pub(crate) const CREDENTIAL_REQUIRED: &str = "Entra requires a client secret or a certificate";

pub(crate) fn token_denied(status: u16) -> String {
    format!("Entra did not issue a token (status {status}); check `tenant_id`, `client_id` and the secret")
}

/// The advice on a missing permission of Microsoft Graph.
pub(crate) fn grant_permission(permission: &str) -> String {
    format!(
        "Entra admin center > App registrations > your application > API permissions > Add a permission > \
         Microsoft Graph > Application permissions > {permission}, then Grant admin consent"
    )
}

/// A part of a dataset could not be read.
pub(crate) const REPORT_EMPTY: &str =
    "the report of registered methods is empty; Microsoft may still be computing it";
pub(crate) const APPS_INCOMPLETE: &str = "not all apps could be read";
pub(crate) const ACCOUNTS_INCOMPLETE: &str = "not all accounts could be understood";
pub(crate) const SCHEDULES_UNREADABLE: &str = "some role schedules could not be understood";
pub(crate) const GROUP_MEMBERS_UNREADABLE: &str = "some members of a group could not be understood";
/// A dataset exceeds a limit.
pub(crate) const TOO_MANY_APPS: &str =
    "there are more app registrations or app roles than Watchpost can read";
pub(crate) const TOO_MANY_ASSIGNED_APPS: &str =
    "there are more apps than those whose assignments Watchpost can read";
pub(crate) const TOO_MANY_ASSIGNMENTS: &str = "an app has more assignments than Watchpost can read";
pub(crate) const TOO_MANY_ASSIGNED_GROUPS: &str =
    "the groups that are assigned to apps are too many or have too many members";
pub(crate) const TOO_MANY_SCHEDULES: &str = "there are more role schedules than Watchpost can read";
pub(crate) const TOO_MANY_GROUP_MEMBERS: &str = "a group that holds a role has too many members";
pub(crate) const ENDLESS_OWNERS: &str = "an app's list of owners did not end";
