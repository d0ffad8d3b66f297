//! Documents from which several settings are derived. Each is read once.

use super::graph;
use crate::{
    m365::client::Client,
    settings::SettingError,
    text,
    value::{enum_value, id},
};
use serde_json::Value;

/// The documents that have been read, or the reasons why they could not be read.
#[derive(Default)]
pub(super) struct Documents {
    organization: Option<Result<Value, SettingError>>,
    domains: Option<Result<Value, SettingError>>,
    skus: Option<Result<Value, SettingError>>,
}

/// The names of a tenant.
pub(super) struct TenantNames {
    pub(super) id: Option<String>,
    /// The domain that Microsoft assigned to the tenant.
    pub(super) initial_domain: Option<String>,
}

impl Documents {
    /// Stores the result of a path, if other settings are derived from it.
    pub(super) fn store(
        &mut self,
        path: &str,
        result: &Result<crate::settings::SettingContent, SettingError>,
    ) {
        let entry = match path {
            "organization" => &mut self.organization,
            "domains" => &mut self.domains,
            "subscribedSkus" => &mut self.skus,
            _ => return,
        };
        *entry = Some(result.clone().map(|found| found.document));
    }

    /// Returns the tenant's names.
    pub(super) async fn tenant(&mut self, client: &Client) -> Result<TenantNames, SettingError> {
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
                .and_then(enum_value),
        })
    }

    /// Returns the organization, as a list of one.
    pub(super) async fn organization(&mut self, client: &Client) -> Result<&Value, SettingError> {
        get_or_read(client, &mut self.organization, "organization").await
    }

    /// Returns the list of domains.
    pub(super) async fn domains(&mut self, client: &Client) -> Result<&Value, SettingError> {
        get_or_read(client, &mut self.domains, "domains").await
    }

    /// Returns the tenant's id or, if it can't be read, the tenant as named in the configuration.
    pub(super) async fn tenant_id(&mut self, client: &Client) -> String {
        let names = self.tenant(client).await.ok();
        names
            .and_then(|names| names.id)
            .unwrap_or_else(|| client.vendor.configured_tenant().to_owned())
    }

    /// Returns the list of licenses.
    pub(super) async fn skus(&mut self, client: &Client) -> Result<&Value, SettingError> {
        get_or_read(client, &mut self.skus, "subscribedSkus").await
    }
}

/// Reads a document unless it has been read before.
async fn get_or_read<'s>(
    client: &Client,
    entry: &'s mut Option<Result<Value, SettingError>>,
    path: &str,
) -> Result<&'s Value, SettingError> {
    let result = match entry.take() {
        Some(result) => result,
        None => match super::table::GRAPH_SETTINGS
            .iter()
            .find(|setting| setting.path == path)
        {
            Some(setting) => graph::read(client, setting).await.map(|found| found.document),
            None => Err(SettingError::Failed(text::UNSUPPORTED_SETTING.to_owned())),
        },
    };
    entry.insert(result).as_ref().map_err(Clone::clone)
}
