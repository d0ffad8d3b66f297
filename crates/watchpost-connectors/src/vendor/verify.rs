//! Verification of a connection: each permission is checked with the smallest request that needs it. The permissions
//! listed in a token aren't sufficient for that, because broader permissions include narrower ones.

use super::{client::Client, definition::Vendor, error::ApiError};
use watchpost_core::{
    integration::{
        connector::{ConnectorError, PermissionCheck, Verification},
        fact::Dataset,
    },
    value::text::ForeignText,
};

/// Sends each of the vendor's probes.
///
/// # Errors
/// Returns an error if the credentials are rejected, the vendor can't be reached, or the host that responds isn't the
/// vendor.
pub(crate) async fn verify<V: Vendor>(client: &Client<V>) -> Result<Verification, ConnectorError> {
    client.sign_in().await?;
    let mut tenant = None;
    let mut permissions = Vec::with_capacity(V::PROBES.len());
    let mut unlicensed: Vec<Dataset> = Vec::new();
    for (index, probe) in V::PROBES.iter().enumerate() {
        let names_tenant = index == 0;
        let granted = match client.get(client.url(probe.path, probe.query)).await {
            Ok(response) if names_tenant => {
                let named = V::tenant(&response.body).ok_or_else(|| V::API.unexpected_vendor())?;
                tenant = Some(named);
                true
            }
            Ok(_) => true,
            Err(ApiError::Denied) => false,
            Err(ApiError::Unlicensed) => {
                for dataset in probe.datasets {
                    if !unlicensed.contains(dataset) {
                        unlicensed.push(*dataset);
                    }
                }
                true
            }
            Err(ApiError::Read(error)) => return Err(error.into_connector_error()),
            Err(ApiError::NotFound | ApiError::Malformed(_) | ApiError::Status(_)) if names_tenant => {
                return Err(V::API.unexpected_vendor());
            }
            // The error has another cause than a missing permission.
            Err(ApiError::NotFound | ApiError::Malformed(_) | ApiError::Status(_)) => true,
        };
        permissions.push(PermissionCheck {
            permission: probe.permission.to_owned(),
            granted,
            datasets: probe.datasets.to_vec(),
            settings: V::settings_of(probe.permission),
            hint: (!granted).then(|| client.vendor.hint(probe.permission)),
        });
    }
    let label = client.vendor.tenant_label();
    let (tenant_key, tenant_name) = tenant.unwrap_or_else(|| (label.to_owned(), ForeignText::name(label)));
    Ok(Verification {
        tenant_key,
        tenant_name,
        permissions,
        unlicensed,
    })
}
