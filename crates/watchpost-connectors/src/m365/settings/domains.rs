//! The public DNS records of the tenant's domains.

use super::{documents::Documents, table::DNS};
use crate::{
    dns::{DnsSettings, DomainsReader, MailDomain},
    m365::client::Client,
    settings::{SettingContent, SettingEmitter, SettingError},
    text::m365_settings as text,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use watchpost_core::integration::connector::ConnectorError;
use watchpost_outbound::dns::HickoryResolver;

const SOURCE: &str = "dns";
/// The time limit for looking up all domains.
const BUDGET: Duration = Duration::from_secs(5 * 60);

/// Looks up the domains if the setting is pending.
pub(super) async fn read(
    client: &Client,
    settings: DnsSettings,
    documents: &mut Documents,
    out: &mut SettingEmitter,
) -> Result<(), ConnectorError> {
    if out.is_pending(DNS) {
        let result = look_up(client, settings, documents).await;
        out.emit(DNS, SOURCE, result).await?;
    }
    Ok(())
}

async fn look_up(
    client: &Client,
    settings: DnsSettings,
    documents: &mut Documents,
) -> Result<SettingContent, SettingError> {
    let domains = verified(client, documents).await?;
    let resolver = HickoryResolver::new(settings.server)
        .map_err(|error| SettingError::Failed(text::no_name_server(&error.to_string())))?;
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
    let document = read.map_err(|error| SettingError::Failed(error.to_string()))?;
    Ok(SettingContent::complete(document.json).incomplete_because(document.note))
}

/// Reads the tenant's verified domains; an unverified one may belong to someone else. If the list of domains can't be
/// read, they are taken from the organization.
async fn verified(client: &Client, documents: &mut Documents) -> Result<Vec<MailDomain>, SettingError> {
    let domains = match documents.domains(client).await {
        Ok(rows) => parse_domains(rows, "value", "id", true),
        Err(error) => match documents.organization(client).await {
            Ok(rows) => {
                let first = rows.get("value").and_then(|rows| rows.get(0));
                parse_domains(first.unwrap_or(&Value::Null), "verifiedDomains", "name", false)
            }
            Err(_) => return Err(error),
        },
    };
    if domains.is_empty() {
        // Every tenant has an initial domain.
        return Err(SettingError::Failed(text::NO_DOMAIN.to_owned()));
    }
    Ok(domains)
}

/// Returns the domains of a list, except those whose names can't be in DNS.
fn parse_domains(document: &Value, list: &str, name: &str, verified_only: bool) -> Vec<MailDomain> {
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
    fn only_verified_domains_are_looked_up() {
        let list = json!({"value": [
            {"id": "Birchworks.example", "isVerified": true, "isDefault": true},
            {"id": "alder.example", "isVerified": false},
            {"id": "lawhouse.example"},
            {"id": "not a domain", "isVerified": true},
            {"isVerified": true},
        ]});
        let domains = parse_domains(&list, "value", "id", true);
        assert_eq!(
            domains,
            [MailDomain::new("birchworks.example").unwrap().default_is(true)]
        );
    }
}
