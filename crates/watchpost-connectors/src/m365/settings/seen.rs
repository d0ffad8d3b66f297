//! What several settings are made from, read once.

use super::graph;
use crate::{
    m365::client::Client,
    settings::Miss,
    value::{id, word},
};
use serde_json::Value;

/// Answers that are needed more than once.
#[derive(Default)]
pub(super) struct Seen {
    organization: Option<Result<Value, Miss>>,
    domains: Option<Result<Value, Miss>>,
    skus: Option<Result<Value, Miss>>,
}

/// What a tenant is called.
pub(super) struct TenantNames {
    pub(super) id: Option<String>,
    /// The domain that Microsoft gave it.
    pub(super) initial_domain: Option<String>,
}

impl Seen {
    /// Keeps what was read under a path, if others are made from it.
    pub(super) fn note(&mut self, path: &str, end: &Result<crate::settings::Found, Miss>) {
        let place = match path {
            "organization" => &mut self.organization,
            "domains" => &mut self.domains,
            "subscribedSkus" => &mut self.skus,
            _ => return,
        };
        *place = Some(end.clone().map(|found| found.document));
    }

    /// The tenant's names for itself.
    pub(super) async fn tenant(&mut self, client: &Client) -> Result<TenantNames, Miss> {
        let rows = self.organization(client).await?;
        let row = rows
            .get("value")
            .and_then(Value::as_array)
            .and_then(|rows| rows.first());
        let domains = row
            .and_then(|row| row.get("verifiedDomains"))
            .and_then(Value::as_array);
        let initial = domains.into_iter().flatten().find(|domain| {
            domain
                .get("isInitial")
                .and_then(Value::as_bool)
                .unwrap_or_default()
        });
        Ok(TenantNames {
            id: row
                .and_then(|row| row.get("id"))
                .and_then(Value::as_str)
                .and_then(id),
            initial_domain: initial
                .and_then(|domain| domain.get("name"))
                .and_then(Value::as_str)
                .and_then(word),
        })
    }

    /// What the tenant says of itself, as a list of one.
    pub(super) async fn organization(&mut self, client: &Client) -> Result<&Value, Miss> {
        fill(client, &mut self.organization, "organization").await
    }

    /// Its domains, as a list.
    pub(super) async fn domains(&mut self, client: &Client) -> Result<&Value, Miss> {
        fill(client, &mut self.domains, "domains").await
    }

    /// The tenant's id; what the connection was given, where it can't be read.
    pub(super) async fn tenant_id(&mut self, client: &Client) -> String {
        let names = self.tenant(client).await.ok();
        names
            .and_then(|names| names.id)
            .unwrap_or_else(|| client.vendor.configured_tenant().to_owned())
    }

    /// The licences, as a list.
    pub(super) async fn skus(&mut self, client: &Client) -> Result<&Value, Miss> {
        fill(client, &mut self.skus, "subscribedSkus").await
    }
}

async fn fill<'s>(
    client: &Client,
    place: &'s mut Option<Result<Value, Miss>>,
    path: &str,
) -> Result<&'s Value, Miss> {
    let end = match place.take() {
        Some(end) => end,
        None => match super::table::GRAPH_SETTINGS
            .iter()
            .find(|setting| setting.path == path)
        {
            Some(setting) => graph::read(client, setting).await.map(|found| found.document),
            None => Err(Miss::Failed("it is not read".to_owned())),
        },
    };
    place.insert(end).as_ref().map_err(Clone::clone)
}
