//! What public DNS says of the tenant's domains.

use super::{seen::Seen, table::DNS};
use crate::{
    dns::{DnsSettings, DomainsReader, MailDomain},
    m365::client::Client,
    settings::{Found, Miss, Outlet},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use watchpost_core::integration::connector::ConnectorError;
use watchpost_outbound::dns::HickoryResolver;

const SOURCE: &str = "dns";
/// How long all domains may take.
const BUDGET: Duration = Duration::from_secs(5 * 60);

/// Looks the domains up, if that is wanted.
pub(super) async fn read(
    client: &Client,
    settings: DnsSettings,
    seen: &mut Seen,
    out: &mut Outlet,
) -> Result<(), ConnectorError> {
    if out.wants(DNS) {
        let end = look_up(client, settings, seen).await;
        out.give(DNS, SOURCE, end).await?;
    }
    Ok(())
}

async fn look_up(client: &Client, settings: DnsSettings, seen: &mut Seen) -> Result<Found, Miss> {
    let domains = verified(client, seen).await?;
    let resolver = HickoryResolver::new(settings.server)
        .map_err(|error| Miss::Failed(format!("{error}; `dns_server` may name one")))?;
    let reader = DomainsReader::new(
        Arc::new(resolver),
        Arc::new(client.session.outbound().clone()),
        settings,
    );
    let now = Instant::now();
    let deadline = client
        .session
        .deadline()
        .min(now.checked_add(BUDGET).unwrap_or(now));
    let read = reader.read(&domains, deadline).await;
    let document = read.map_err(|error| Miss::Failed(error.to_string()))?;
    Ok(Found::whole(document.json).lacking(document.note))
}

/// The domains that the tenant has shown to be its own: others may belong to anybody. The organisation names them too.
async fn verified(client: &Client, seen: &mut Seen) -> Result<Vec<MailDomain>, Miss> {
    let domains = match seen.domains(client).await {
        Ok(rows) => own(rows, "value", "id", true),
        Err(miss) => match seen.organization(client).await {
            Ok(rows) => {
                let first = rows.get("value").and_then(|rows| rows.get(0));
                own(first.unwrap_or(&Value::Null), "verifiedDomains", "name", false)
            }
            Err(_) => return Err(miss),
        },
    };
    if domains.is_empty() {
        // Every tenant has one from the beginning.
        return Err(Miss::Failed(
            "Microsoft Graph names no domain of the tenant".to_owned(),
        ));
    }
    Ok(domains)
}

/// The domains of a list. Names that can't be in DNS are left out.
fn own(document: &Value, list: &str, name: &str, verified_only: bool) -> Vec<MailDomain> {
    let is = |row: &Value, field: &str| row.get(field).and_then(Value::as_bool);
    let rows = document.get(list).and_then(Value::as_array);
    rows.into_iter()
        .flatten()
        .filter(|row| !verified_only || is(row, "isVerified") == Some(true))
        .filter_map(|row| {
            let domain = MailDomain::new(row.get(name)?.as_str()?).ok()?;
            Some(domain.default_is(is(row, "isDefault").unwrap_or_default()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_domains_that_are_the_tenants_own_are_looked_up() {
        let list = json!({"value": [
            {"id": "Birchworks.example", "isVerified": true, "isDefault": true},
            {"id": "alder.example", "isVerified": false},
            {"id": "lawhouse.example"},
            {"id": "no domain", "isVerified": true},
            {"isVerified": true},
        ]});
        let domains = own(&list, "value", "id", true);
        assert_eq!(
            domains,
            [MailDomain::new("birchworks.example").unwrap().default_is(true)]
        );
    }
}
