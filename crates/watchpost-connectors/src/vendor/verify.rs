//! A verification: each permission is tried out with the smallest request that needs it. What a token says of itself
//! wouldn't do: larger permissions include smaller ones.

use super::{client::Client, own::Vendor, refusal::Refusal};
use watchpost_core::{
    integration::{
        connector::{ConnectorError, PermissionCheck, Verification},
        fact::Dataset,
    },
    value::text::ForeignText,
};

/// Tries each of the vendor's probes.
///
/// # Errors
/// If the credentials are no good, the vendor can't be reached, or whoever answers isn't the vendor.
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
            Err(Refusal::Denied) => false,
            Err(Refusal::Unlicensed) => {
                for dataset in probe.datasets {
                    if !unlicensed.contains(dataset) {
                        unlicensed.push(*dataset);
                    }
                }
                true
            }
            Err(Refusal::Trouble(trouble)) => return Err(trouble.give_up()),
            Err(Refusal::NotFound | Refusal::Malformed(_) | Refusal::Status(_)) if names_tenant => {
                return Err(V::API.unexpected_vendor());
            }
            // It wasn't refused for lack of a permission, so that isn't what is missing.
            Err(Refusal::NotFound | Refusal::Malformed(_) | Refusal::Status(_)) => true,
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
