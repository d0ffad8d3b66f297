//! The other administration hosts of Microsoft 365, one file for each, and what they have in common.
//!
//! Each host is a path of the simulator's origin:
//!
//! | path | replaces | token scope of the real host |
//! |---|---|---|
//! | `/login` | `https://login.microsoftonline.com` | – |
//! | `/graph` | `https://graph.microsoft.com` | `https://graph.microsoft.com/.default` |
//! | `/sharepoint-admin` | `https://{prefix}-admin.sharepoint.com` | `https://{prefix}-admin.sharepoint.com/.default` |
//! | `/exchange` | `https://outlook.office365.com` | `https://outlook.office365.com/.default` |
//! | `/compliance` | `https://ps.compliance.protection.outlook.com` | `https://ps.compliance.protection.outlook.com/.default` |
//! | `/power-platform` | `https://api.bap.microsoft.com` | `https://service.powerapps.com//.default` |
//! | `/fabric` | `https://api.fabric.microsoft.com` | `https://api.fabric.microsoft.com/.default` |
//!
//! The base address of a simulated host followed by `/.default` is accepted as a scope, too.

pub(crate) mod exchange;
pub(crate) mod fabric;
pub(crate) mod power_platform;
pub(crate) mod sharepoint;

use crate::{
    control::CLIENT_ID,
    fault::Vendor,
    reply::{Body, Reply},
};
use serde_json::json;

/// The prefixes of paths, and the API under each.
pub(crate) const HOSTS: [(&str, Vendor); 8] = [
    ("/login", Vendor::Entra),
    ("/graph", Vendor::Graph),
    ("/okta", Vendor::Okta),
    ("/sharepoint-admin", Vendor::SharePoint),
    ("/exchange", Vendor::Exchange),
    ("/compliance", Vendor::Compliance),
    ("/power-platform", Vendor::PowerPlatform),
    ("/fabric", Vendor::Fabric),
];

/// Returns the API that a token with the scope is for. `base` is the simulator's origin.
pub(crate) fn audience(base: &str, scope: &str) -> Option<Vendor> {
    let resource = scope.strip_suffix("/.default")?;
    if let Some(path) = resource.strip_prefix(base) {
        // An unknown path gets a token for Graph, so that a client with a wrong address fails at that address, not here.
        let vendor = HOSTS.into_iter().find(|(prefix, _)| *prefix == path);
        let vendor = vendor.map_or(Vendor::Graph, |(_, vendor)| vendor);
        return (!matches!(vendor, Vendor::Entra | Vendor::Okta)).then_some(vendor);
    }
    let host = resource.strip_prefix("https://")?;
    match host {
        "graph.microsoft.com" | "graph.microsoft.us" | "dod-graph.microsoft.us" => Some(Vendor::Graph),
        "outlook.office365.com" | "outlook.office365.us" => Some(Vendor::Exchange),
        "ps.compliance.protection.outlook.com" => Some(Vendor::Compliance),
        // The trailing slash is part of the name of this resource.
        "service.powerapps.com/" => Some(Vendor::PowerPlatform),
        "api.fabric.microsoft.com" | "analysis.windows.net/powerbi/api" => Some(Vendor::Fabric),
        _ => host
            .strip_suffix(".sharepoint.com")
            .is_some_and(|tenant| tenant.ends_with("-admin") && !tenant.contains(['.', '/']))
            .then_some(Vendor::SharePoint),
    }
}

/// Returns the error response of one of the hosts in this module, for a status that all of them use.
pub(crate) fn failure(vendor: Vendor, status: u16, request_id: &str) -> Reply {
    match vendor {
        Vendor::SharePoint => sharepoint::failure(status),
        Vendor::PowerPlatform => power_platform::failure(status),
        Vendor::Fabric => fabric::failure(status, request_id),
        _ => exchange::failure(status),
    }
}

/// Returns the response of these hosts for status 401: a challenge without a body.
fn challenge() -> Reply {
    let mut reply = Reply::json(401, json!(null));
    reply.body = Body::Empty;
    reply.headers.push((
        "www-authenticate",
        format!("Bearer client_id=\"{CLIENT_ID}\", error=\"invalid_token\""),
    ));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_belongs_to_one_host_or_to_none() {
        let base = "http://127.0.0.1:9";
        let check =
            |scope: &str, vendor: Option<Vendor>| assert_eq!(audience(base, scope), vendor, "{scope}");
        check("https://graph.microsoft.com/.default", Some(Vendor::Graph));
        check("http://127.0.0.1:9/graph/.default", Some(Vendor::Graph));
        check("http://127.0.0.1:9/elsewhere/.default", Some(Vendor::Graph));
        check("https://outlook.office365.com/.default", Some(Vendor::Exchange));
        check(
            "https://ps.compliance.protection.outlook.com/.default",
            Some(Vendor::Compliance),
        );
        check(
            "https://birchworks-admin.sharepoint.com/.default",
            Some(Vendor::SharePoint),
        );
        check(
            "https://service.powerapps.com//.default",
            Some(Vendor::PowerPlatform),
        );
        check("https://api.fabric.microsoft.com/.default", Some(Vendor::Fabric));
        for wrong in [
            "https://service.powerapps.com/.default",
            "https://birchworks.sharepoint.com/.default",
            "https://graph.microsoft.com/User.Read.All",
            "http://127.0.0.1:9/okta/.default",
            "http://127.0.0.1:9/login/.default",
            "/.default",
            "",
        ] {
            check(wrong, None);
        }
    }
}
