//! Exchange Online's administration, and the compliance host with the same interface: the documented v2.0 endpoints, and
//! the undocumented proxy that runs one read cmdlet per call.

use crate::{
    company::PersonKind,
    control::CLIENT_ID,
    fault::Vendor,
    reply::{Context, Cursor, Reply, Request, Shape, collect, next_url},
    settings,
};
use serde_json::{Value, json};

/// The rows per page, and the largest value of `Prefer: odata.maxpagesize`.
const PAGE_ROWS: usize = 1000;

/// An endpoint of v2.0.
struct Endpoint {
    name: &'static str,
    cmdlet: &'static str,
    /// The parameters of the cmdlet that the endpoint accepts.
    parameters: &'static [&'static str],
    /// The fields that the endpoint returns; all of them if empty.
    fields: &'static [&'static str],
}

const fn endpoint(name: &'static str, cmdlet: &'static str, parameters: &'static [&'static str]) -> Endpoint {
    Endpoint {
        name,
        cmdlet,
        parameters,
        fields: &[],
    }
}

const DOCUMENTED: [Endpoint; 6] = [
    Endpoint {
        // The endpoint is meant for MailTips.
        fields: &[
            "Name",
            "Identity",
            "MailTipsAllTipsEnabled",
            "MailTipsExternalRecipientsTipsEnabled",
            "MailTipsLargeAudienceThreshold",
        ],
        ..endpoint("OrganizationConfig", "Get-OrganizationConfig", &[])
    },
    endpoint(
        "AcceptedDomain",
        "Get-AcceptedDomain",
        &["Identity", "ResultSize"],
    ),
    endpoint(
        "Mailbox",
        "Get-Mailbox",
        &[
            "Identity",
            "ResultSize",
            "IncludeGrantSendOnBehalfTowithDisplayNames",
        ],
    ),
    endpoint(
        "MailboxFolderPermission",
        "Get-MailboxFolderPermission",
        &["Identity", "User"],
    ),
    endpoint(
        "DistributionGroupMember",
        "Get-DistributionGroupMember",
        &["Identity", "ResultSize"],
    ),
    endpoint(
        "DynamicDistributionGroupMember",
        "Get-DynamicDistributionGroupMember",
        &["Identity", "ResultSize"],
    ),
];

/// The nouns of the cmdlets that require Defender for Office 365.
const DEFENDER: [&str; 8] = [
    "SafeLinksPolicy",
    "SafeLinksRule",
    "SafeAttachmentPolicy",
    "SafeAttachmentRule",
    "AtpPolicyForO365",
    "ATPProtectionPolicyRule",
    "ATPBuiltInProtectionRule",
    "TeamsProtectionPolicy",
];

/// Handles a request with a valid token to Exchange or to the compliance host, depending on `vendor`.
pub(crate) fn answer(request: &Request, context: &Context, vendor: Vendor) -> Reply {
    let tenant = context.world.tenant_id();
    let profile = &context.world.company.profile;
    let known = |id: &str| id == tenant || id == profile.domain || id == profile.initial_domain;
    let segments = request.segments();
    let [first, version, id, endpoint] = segments.as_slice() else {
        return failure(404);
    };
    if !first.eq_ignore_ascii_case("adminapi") || !known(id) {
        return failure(404);
    }
    match (request.method.as_str(), *version, *endpoint) {
        // The real service returns the regional host to use; the simulator has only one.
        ("GET", "v1.0", "EXOModuleFile") => Reply::json(200, json!({ "value": [] })),
        ("POST", "v2.0", endpoint) if vendor == Vendor::Exchange => {
            let cmdlet = DOCUMENTED.iter().find(|known| known.name == endpoint);
            match cmdlet {
                None => failure(404),
                Some(_) if context.denied.contains("Exchange.ManageAsAppV2") => failure(403),
                Some(endpoint) => run(request, context, vendor, Some(endpoint)),
            }
        }
        ("POST", "beta", "InvokeCommand") if context.denied.contains("Exchange.ManageAsApp") => failure(403),
        ("POST", "beta", "InvokeCommand") => run(request, context, vendor, None),
        _ => failure(404),
    }
}

/// Runs the cmdlet that the body names. An endpoint allows only its own cmdlet.
fn run(request: &Request, context: &Context, vendor: Vendor, only: Option<&Endpoint>) -> Reply {
    let body: Option<Value> = serde_json::from_slice(&request.body).ok();
    let input = body.as_ref().and_then(|body| body.get("CmdletInput"));
    let Some(name) = input.and_then(|input| input.get("CmdletName")?.as_str()) else {
        return error(400, "BadRequest", "The request body has no CmdletInput.");
    };
    if let Some(only) = only {
        if !only.cmdlet.eq_ignore_ascii_case(name) {
            return error(400, "BadRequest", "The cmdlet does not belong to this endpoint.");
        }
        let mut given = input
            .and_then(|input| input.get("Parameters")?.as_object())
            .into_iter()
            .flatten();
        if let Some((other, _)) = given.find(|(given, _)| !only.parameters.contains(&given.as_str())) {
            let message = format!("The parameter '{other}' is not supported by this endpoint.");
            return error(400, "BadRequest", &message);
        }
    }
    let verb_and_noun = name.split_once('-');
    let Some((_, noun)) = verb_and_noun.filter(|(verb, _)| verb.eq_ignore_ascii_case("get")) else {
        // The simulator never changes anything for a vendor call, unlike a real tenant.
        return failure(403);
    };
    // A single cmdlet may be denied, as if the role of the service principal didn't include it.
    if context.denied.contains(name) {
        return failure(403);
    }
    let noun = noun.strip_prefix("EXO").unwrap_or(noun);
    let mut rows = if vendor == Vendor::Exchange && noun.eq_ignore_ascii_case("Mailbox") {
        let kind = input.and_then(|input| input.pointer("/Parameters/RecipientTypeDetails"));
        mailboxes(context, kind.and_then(Value::as_str))
    } else {
        let directory = if vendor == Vendor::Compliance {
            "purview"
        } else {
            "exchange"
        };
        let unlicensed = context.lacks_license(Vendor::Exchange)
            && DEFENDER.iter().any(|name| name.eq_ignore_ascii_case(noun));
        let path = format!("{directory}/{noun}");
        let known = context
            .world
            .settings
            .keys()
            .find(|key| key.eq_ignore_ascii_case(&path) && !unlicensed && noun != "SharedMailbox");
        match known {
            Some(path) => settings::rows(&context.world, path),
            None => return no_such_cmdlet(name),
        }
    };
    if let Some(only) = only.filter(|only| !only.fields.is_empty()) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.retain(|name, _| only.fields.contains(&name.as_str()));
        }
    }
    page(request, &rows)
}

fn page(request: &Request, rows: &[Value]) -> Reply {
    let limit = request
        .prefer
        .split([',', ';'])
        .find_map(|part| part.trim().strip_prefix("odata.maxpagesize=")?.parse().ok())
        .filter(|limit| (1..=PAGE_ROWS).contains(limit))
        .unwrap_or(PAGE_ROWS);
    let cursor = match request.query("$skiptoken") {
        None => Cursor::default(),
        Some(token) => match Cursor::decode(&token, &request.path) {
            Some(cursor) => cursor,
            None => return error(400, "BadRequest", "The skip token is invalid."),
        },
    };
    let (rows, next) = collect(cursor, rows.len() as u64, limit, false, |at| {
        rows.get(at as usize).cloned()
    });
    let context = request.url.find("/adminapi").and_then(|at| request.url.get(..at));
    let mut reply = Reply::json(
        200,
        json!({ "@odata.context": format!("{}/adminapi/$metadata#Collection", context.unwrap_or_default()),
            "adminapi.warnings@odata.type": "#Collection(String)", "adminapi.warnings": [], "value": rows }),
    );
    reply.shape = Shape::Graph;
    reply.next = next.map(|next| next_url(request, "$skiptoken", next));
    reply
}

/// Returns the mailboxes of people, and shared mailboxes.
fn mailboxes(context: &Context, kind: Option<&str>) -> Vec<Value> {
    let world = &context.world;
    let wanted = |is: &str| kind.is_none_or(|kind| kind.eq_ignore_ascii_case(is));
    let mut rows = if wanted("SharedMailbox") {
        settings::rows(world, "exchange/SharedMailbox")
    } else {
        Vec::new()
    };
    if wanted("UserMailbox") {
        rows.extend((0..world.people()).filter_map(|index| {
            let person = world.person(index)?;
            let account = person.m365.as_ref()?;
            let licensed = account.license.unwrap_or(account.guest.is_none());
            (licensed && person.kind != PersonKind::Mailbox).then(|| {
                json!({ "Identity": person.key, "DisplayName": person.name, "PrimarySmtpAddress": person.email,
                    "UserPrincipalName": account.upn.as_ref().unwrap_or(&person.email),
                    "ExternalDirectoryObjectId": world.person_guid(index),
                    "RecipientTypeDetails": "UserMailbox", "AuditEnabled": true })
            })
        }));
    }
    rows
}

fn no_such_cmdlet(name: &str) -> Reply {
    let message = format!(
        "|System.Management.Automation.CommandNotFoundException|The term '{name}' is not recognized as the name of a \
         cmdlet, function, script file, or operable program."
    );
    let mut reply = error(400, "BadRequest", &message);
    if let crate::reply::Body::Json(body) = &mut reply.body {
        body["error"]["details"] = json!([]);
        body["error"]["innererror"] = json!({ "message": "Error executing cmdlet",
            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException" });
    }
    reply
}

/// Returns the error response of these hosts for a status.
pub(super) fn failure(status: u16) -> Reply {
    match status {
        401 => super::challenge(),
        403 => {
            let message = format!(
                "The role assigned to application {CLIENT_ID} isn't supported in this scenario. Please check online \
                 documentation for assigning correct Directory Roles to Azure AD Application for EXO App-Only \
                 Authentication."
            );
            error(403, "Forbidden", &message)
        }
        404 => error(404, "NotFound", "The requested resource does not exist."),
        429 => error(429, "TooManyRequests", "Too many requests. Please retry later."),
        503 => error(503, "ServiceUnavailable", "The server is busy."),
        status => error(
            status,
            "InternalServerError",
            "An error occurred while processing the request.",
        ),
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({ "error": { "code": code, "message": message } }))
}
