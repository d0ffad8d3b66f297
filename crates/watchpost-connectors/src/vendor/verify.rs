//! Verification of a connection: each dataset is checked with the smallest requests that need its permissions. The
//! permissions listed in a token aren't sufficient for that, because broader permissions include narrower ones.

use super::{
    client::Client,
    definition::{Expected, Probe, Vendor},
    error::ApiError,
};
use crate::{run::ReadError, text, value::id};
use serde::Deserialize;
use std::collections::HashMap;
use watchpost_core::{
    integration::{
        DatasetSpec, IfEmpty,
        connector::{ConnectorError, DatasetCheck, PermissionCheck, Verification},
        fact::Dataset,
    },
    value::{text::ForeignText, word::CollectionState},
};
use watchpost_outbound::Response;

/// Sends each of the vendor's probes. `specs` are the datasets of a sync.
///
/// # Errors
/// Returns an error if the credentials are rejected, the vendor can't be reached, or the host that responds isn't the
/// vendor.
pub(crate) async fn verify<V: Vendor>(
    client: &Client<V>,
    specs: &[DatasetSpec],
) -> Result<Verification, ConnectorError> {
    let datasets: Vec<Dataset> = specs.iter().map(|spec| spec.dataset).collect();
    client.sign_in().await?;
    let mut tenant = None;
    let mut found = Found::default();
    let mut first_rows: HashMap<&'static str, Option<String>> = HashMap::new();
    for (index, probe) in V::PROBES.iter().enumerate() {
        let names_tenant = index == 0;
        let Some(path) = path_of(probe, &first_rows) else {
            continue;
        };
        match client.get(client.url(&path, probe.query)).await {
            Ok(response) => {
                if names_tenant {
                    let named = V::tenant(&response.body).ok_or_else(|| V::API.unexpected_vendor())?;
                    tenant = Some(named);
                }
                let rows = rows::<V>(probe, &response);
                first_rows.insert(probe.path, rows.first().and_then(Row::key));
                found.answered(probe, doubt(client, probe, &rows, specs));
            }
            // The remaining requests would fail as well.
            Err(ApiError::Read(error))
                if names_tenant || matches!(error, ReadError::Fatal(_) | ReadError::Unreachable(_)) =>
            {
                return Err(error.into_connector_error());
            }
            Err(ApiError::NotFound | ApiError::Malformed(_) | ApiError::Status(_)) if names_tenant => {
                return Err(V::API.unexpected_vendor());
            }
            Err(error) => {
                let error = match probe.role {
                    Some(role) => client.vendor.role_error(error, role),
                    None => error,
                };
                found.failed(probe, V::API.read_error(error, probe.permission));
            }
        }
    }
    let label = client.vendor.tenant_label();
    let (tenant_key, tenant_name) = tenant.unwrap_or_else(|| (label.to_owned(), ForeignText::name(label)));
    Ok(Verification {
        tenant_key,
        tenant_label: label.to_owned(),
        tenant_name,
        permissions: found.permissions(client),
        datasets: datasets.iter().map(|dataset| found.dataset(*dataset)).collect(),
        unlicensed: found.unlicensed(&datasets),
    })
}

/// Returns the path of a probe; `None` if it depends on a row that there isn't.
fn path_of(probe: &Probe, first_rows: &HashMap<&'static str, Option<String>>) -> Option<String> {
    match probe.list {
        None => Some(probe.path.to_owned()),
        Some(list) => {
            let first = first_rows.get(list)?.as_deref()?;
            Some(probe.path.replace("{first}", first))
        }
    }
}

/// The ids in a row of a probe's response.
#[derive(Debug, Default, Deserialize)]
struct Row {
    id: Option<String>,
    #[serde(rename = "appId")]
    app_id: Option<String>,
}

impl Row {
    fn key(&self) -> Option<String> {
        self.id.as_deref().and_then(id)
    }
}

/// Returns the rows of a probe's response; none if it isn't a list.
fn rows<V: Vendor>(probe: &Probe, response: &Response) -> Vec<Row> {
    let is_list =
        probe.expects != Expected::Any || V::PROBES.iter().any(|other| other.list == Some(probe.path));
    if !is_list {
        return Vec::new();
    }
    let Ok(page) = V::page(response) else {
        return Vec::new();
    };
    // An empty page with a link says nothing about the number of rows: there may be any.
    if page.rows.is_empty() && page.next.is_some() {
        return vec![Row::default(), Row::default()];
    }
    let rows = page.rows.iter();
    rows.map(|raw| serde_json::from_str(raw.get()).unwrap_or_default())
        .collect()
}

/// Returns the reason why a response without an error doesn't show that a dataset can be read.
fn doubt<V: Vendor>(
    client: &Client<V>,
    probe: &Probe,
    rows: &[Row],
    specs: &[DatasetSpec],
) -> Option<ReadError> {
    let own = client.vendor.own_client();
    let is_own = |row: &Row| own.is_some() && [row.id.as_deref(), row.app_id.as_deref()].contains(&own);
    match (probe.expects, rows) {
        (Expected::Any, _) => None,
        // The vendor hides the rows: no organization is without accounts, for example.
        (Expected::Some | Expected::Accounts | Expected::Apps, []) => {
            let first = probe.datasets.first();
            let spec = specs.iter().find(|spec| Some(&spec.dataset) == first);
            Some(match spec.map(|spec| spec.if_empty) {
                Some(IfEmpty::Partial(reason)) => ReadError::Partial(reason.to_owned()),
                _ => {
                    let role = client.vendor.role_for_lists().and(probe.role);
                    ReadError::Denied(role.unwrap_or(probe.permission))
                }
            })
        }
        (Expected::Accounts, [_]) => Some(ReadError::Partial(text::ONE_ACCOUNT_SEEN.to_owned())),
        (Expected::Apps, rows) if rows.iter().all(is_own) => {
            Some(ReadError::Partial(text::ONLY_OWN_CLIENT_SEEN.to_owned()))
        }
        (Expected::Some | Expected::Accounts | Expected::Apps, _) => None,
    }
}

/// The results of the probes so far.
#[derive(Default)]
struct Found(Vec<(&'static Probe, Option<ReadError>)>);

impl Found {
    fn answered(&mut self, probe: &'static Probe, doubt: Option<ReadError>) {
        self.0.push((probe, doubt));
    }

    fn failed(&mut self, probe: &'static Probe, error: ReadError) {
        // The same list was denied before, with fewer properties: the permission that it needed then is the missing one.
        let denied_before = self.0.iter().find_map(|(earlier, error)| match error {
            Some(ReadError::Denied(what)) if earlier.path == probe.path => Some(*what),
            _ => None,
        });
        let error = match (error, denied_before) {
            (ReadError::Denied(_), Some(what)) => ReadError::Denied(what),
            (error, _) => error,
        };
        self.0.push((probe, Some(error)));
    }

    /// Returns the state of a dataset: the worst one of its probes.
    fn dataset(&self, dataset: Dataset) -> DatasetCheck {
        let results = self
            .0
            .iter()
            .filter(|(probe, _)| probe.datasets.contains(&dataset))
            .map(|(_, error)| state(error.as_ref()));
        // The first of several equally bad ones: it names the permission that the others depend on.
        let worst = results.min_by_key(|(state, _)| rank(*state));
        let (state, detail) = worst.unwrap_or((CollectionState::Failed, Some(text::NOT_PROBED.to_owned())));
        DatasetCheck {
            dataset,
            state,
            detail,
        }
    }

    fn unlicensed(&self, datasets: &[Dataset]) -> Vec<Dataset> {
        let is_unlicensed = |dataset: &&Dataset| {
            let mut probes = self
                .0
                .iter()
                .filter(|(probe, _)| probe.datasets.contains(dataset));
            probes.any(|(_, error)| matches!(error, Some(ReadError::Unlicensed(_))))
        };
        datasets.iter().filter(is_unlicensed).copied().collect()
    }

    /// Returns the permissions and roles, in the order of the probes. A role is left out if no request got as far as it.
    fn permissions<V: Vendor>(&self, client: &Client<V>) -> Vec<PermissionCheck> {
        let mut names: Vec<&'static str> = Vec::new();
        for (probe, error) in &self.0 {
            let denied_earlier = matches!(error, Some(ReadError::Denied(what)) if *what == probe.permission);
            let role = probe.role.filter(|_| !denied_earlier);
            for name in std::iter::once(probe.permission).chain(role) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            if let Some(ReadError::Denied(what)) = error
                && !names.contains(what)
            {
                names.push(what);
            }
        }
        names
            .into_iter()
            .map(|name| self.permission(client, name))
            .collect()
    }

    fn permission<V: Vendor>(&self, client: &Client<V>, name: &'static str) -> PermissionCheck {
        let denied =
            |error: &Option<ReadError>| matches!(error, Some(ReadError::Denied(what)) if *what == name);
        let granted = !self.0.iter().any(|(_, error)| denied(error));
        let mut datasets: Vec<Dataset> = Vec::new();
        for (probe, error) in &self.0 {
            if probe.permission == name || probe.role == Some(name) || denied(error) {
                datasets.extend(probe.datasets);
            }
        }
        datasets.sort_unstable();
        datasets.dedup();
        PermissionCheck {
            permission: name.to_owned(),
            granted,
            datasets,
            settings: V::settings_of(name),
            hint: (!granted).then(|| client.vendor.hint(name)),
        }
    }
}

/// Returns the state of a dataset after a probe, and the reason for it.
fn state(error: Option<&ReadError>) -> (CollectionState, Option<String>) {
    match error {
        None => (CollectionState::Complete, None),
        Some(ReadError::Denied(what)) => (CollectionState::Denied, Some((*what).to_owned())),
        Some(ReadError::Unlicensed(what)) => (CollectionState::Unlicensed, Some((*what).to_owned())),
        Some(ReadError::Partial(reason)) => (CollectionState::Partial, Some(reason.clone())),
        Some(ReadError::Failed(reason) | ReadError::Unreachable(reason)) => {
            (CollectionState::Failed, Some(reason.clone()))
        }
        Some(ReadError::Fatal(error)) => (CollectionState::Failed, Some(error.to_string())),
    }
}

/// The order of states from the worst.
const fn rank(state: CollectionState) -> u8 {
    match state {
        CollectionState::Denied => 0,
        CollectionState::Unlicensed => 1,
        CollectionState::Failed => 2,
        CollectionState::Partial => 3,
        CollectionState::Complete => 4,
    }
}
