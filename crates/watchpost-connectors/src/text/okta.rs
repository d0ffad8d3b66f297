//! Messages about Okta.

/// The titles of the configuration's fields.
pub(crate) const ORG_URL_TITLE: &str =
    "Address of your Okta org, like https://company.okta.com (without -admin)";
pub(crate) const CLIENT_ID_TITLE: &str =
    "Client id of the API service app; leave empty if you use an API token";
pub(crate) const PRIVATE_KEY_TITLE: &str =
    "Private key of the service app, as PEM or JWK; leave empty if you use an API token";
pub(crate) const KEY_ID_TITLE: &str =
    "Key id (kid) that Okta shows for the key; required only if the app has several keys and yours is PEM";
pub(crate) const SCOPES_TITLE: &str = "Scopes to request, separated by spaces";
pub(crate) const API_TOKEN_TITLE: &str =
    "API token of a read-only administrator; leave empty if you use a service app";

pub(crate) const ADMIN_ADDRESS: &str = "is the address of the admin console; leave out `-admin`";
pub(crate) const NO_PRIVATE_KEY: &str = "is missing; it is required with `client_id`";
pub(crate) const NO_CLIENT_ID: &str = "is missing; it is required with `private_key`";
pub(crate) const NO_CREDENTIAL: &str = "is missing; provide it, or `client_id` and `private_key`";

pub(crate) const UNLICENSED: &str = "the org does not have this feature";
pub(crate) const NO_SUCH_POLICIES: &str = "the org's edition has no policies of this kind";

pub(crate) const API_TOKEN_REJECTED: &str =
    "Okta rejects the API token; it may be revoked or unused for 30 days, or its owner may be deactivated";
/// Okta rejected an access token that had just been issued.
pub(crate) const NEW_TOKEN_REJECTED: &str =
    "Okta rejects even a new token; check that the service app is active";

/// The errors of the token endpoint.
pub(crate) const CLIENT_REJECTED: &str = "Okta rejects the client; check `client_id`, that the public key of `private_key` is registered with the service app \
     and active, and that this machine's clock is correct";
pub(crate) const DPOP_REQUIRED: &str = "the service app requires DPoP; turn off \"Require Demonstrating Proof of Possession\" in \
                                        its settings";
pub(crate) const NO_SCOPE_OR_ROLE: &str = "the service app has been granted none of the scopes, or has no administrator role; see Okta API Scopes and Admin roles";
pub(crate) const NO_SCOPE: &str =
    "the service app has been granted none of the scopes; grant them under Okta API Scopes";

pub(crate) fn token_denied(status: u16) -> String {
    format!("Okta did not issue a token (status {status}); check `org_url` and `client_id`")
}

/// The advice on a missing permission, for an API token.
pub(crate) fn grant_to_token_owner(scope: &str) -> String {
    format!(
        "the API token's owner may not read this ({scope}): give the owner the Read-only Administrator role (for \
         administrators' roles: a custom role that may view roles), or use a service app"
    )
}

/// The advice on a missing permission, for a service app.
pub(crate) fn grant_scope(scope: &str) -> String {
    format!(
        "Okta admin console > Applications > your service app > Okta API Scopes > grant {scope}; under Admin roles, the app \
         also needs a role that may read this, such as Read-only Administrator"
    )
}

/// The name that Okta shows for the permission of a custom role.
pub(crate) const VIEW_ROLES_PERMISSION: &str = "View roles, resources, and admin assignments";

/// The advice on missing roles.
pub(crate) const GRANT_ANY_ROLE: &str = "Okta admin console > Applications > your service app > Admin roles > Edit assignments > Add assignment > \
     Read-only Administrator; the scopes alone let the app see nothing";
pub(crate) const GRANT_VIEW_ROLES: &str = "Okta admin console > Security > Administrators > Roles > Create new role, with the permission \"View roles, resources, \
     and admin assignments\"; assign it to the service app or the API token's owner, with a resource set of all Identity \
     and Access Management resources";
pub(crate) const GRANT_SUPER: &str = "Okta lets only a Super Administrator read the access of its support; without that role, the check on it is skipped, and \
     nothing else is missing";

/// The accounts and apps for each of which a request is sent.
pub(crate) const ACCOUNTS: &str = "accounts";
pub(crate) const APPS: &str = "apps";

/// A part of a dataset could not be read.
pub(crate) const ACCOUNTS_NOT_READ: &str = "not all accounts could be read";
pub(crate) const ACCOUNTS_INCOMPLETE: &str = "not all accounts could be understood";
pub(crate) const APPS_NOT_READ: &str = "not all apps could be read";

pub(crate) fn unreadable_rules(policies: u64) -> String {
    let noun = if policies == 1 { "policy" } else { "policies" };
    format!("the rules of {policies} {noun} could not be read")
}

/// A dataset exceeds a limit.
pub(crate) const TOO_MANY_APPS: &str = "there are more apps than Watchpost can read";
pub(crate) const LIST_TOO_LARGE: &str = "a list of settings is larger than 4 MiB";
pub(crate) const ENDLESS_ACCOUNT_LIST: &str = "paging: a list that belongs to one account did not end";
