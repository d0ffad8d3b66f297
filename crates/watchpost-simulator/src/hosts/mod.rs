//! Microsoft 365's other administration hosts: one file each, and what they have in common.
//!
//! Each host is a path of the simulator's own origin:
//!
//! | path | stands for | token scope there |
//! |---|---|---|
//! | `/login` | `https://login.microsoftonline.com` | – |
//! | `/graph` | `https://graph.microsoft.com` | `https://graph.microsoft.com/.default` |
//! | `/sharepoint-admin` | `https://{prefix}-admin.sharepoint.com` | `https://{prefix}-admin.sharepoint.com/.default` |
//! | `/exchange` | `https://outlook.office365.com` | `https://outlook.office365.com/.default` |
//! | `/compliance` | `https://ps.compliance.protection.outlook.com` | `https://ps.compliance.protection.outlook.com/.default` |
//! | `/power-platform` | `https://api.bap.microsoft.com` | `https://service.powerapps.com//.default` |
//! | `/fabric` | `https://api.fabric.microsoft.com` | `https://api.fabric.microsoft.com/.default` |
//!
//! The base address of a host with `/.default` behind it is taken as a scope, too.

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

/// First part of the path, and whose API follows.
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

/// Which API a token of that scope is for. `base` is the simulator's origin.
pub(crate) fn audience(base: &str, scope: &str) -> Option<Vendor> {
    let resource = scope.strip_suffix("/.default")?;
    if let Some(path) = resource.strip_prefix(base) {
        // A path where nobody lives gets a token as Graph would: a client that was told a wrong address is to find
        // out there, not here.
        let vendor = HOSTS.into_iter().find(|(prefix, _)| *prefix == path);
        let vendor = vendor.map_or(Vendor::Graph, |(_, vendor)| vendor);
        return (!matches!(vendor, Vendor::Entra | Vendor::Okta)).then_some(vendor);
    }
    let host = resource.strip_prefix("https://")?;
    match host {
        "graph.microsoft.com" | "graph.microsoft.us" | "dod-graph.microsoft.us" => Some(Vendor::Graph),
        "outlook.office365.com" | "outlook.office365.us" => Some(Vendor::Exchange),
        "ps.compliance.protection.outlook.com" => Some(Vendor::Compliance),
        // The slash at its end belongs to this resource's name.
        "service.powerapps.com/" => Some(Vendor::PowerPlatform),
        "api.fabric.microsoft.com" | "analysis.windows.net/powerbi/api" => Some(Vendor::Fabric),
        _ => host
            .strip_suffix(".sharepoint.com")
            .is_some_and(|tenant| tenant.ends_with("-admin") && !tenant.contains(['.', '/']))
            .then_some(Vendor::SharePoint),
    }
}

/// An error in the words of one of the hosts in this folder, for statuses that each of them knows.
pub(crate) fn failure(vendor: Vendor, status: u16, request_id: &str) -> Reply {
    match vendor {
        Vendor::SharePoint => sharepoint::failure(status),
        Vendor::PowerPlatform => power_platform::failure(status),
        Vendor::Fabric => fabric::failure(status, request_id),
        _ => exchange::failure(status),
    }
}

/// 401 as these hosts say it: a challenge, and no words.
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
    fn a_scope_leads_to_one_host_or_to_none() {
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
