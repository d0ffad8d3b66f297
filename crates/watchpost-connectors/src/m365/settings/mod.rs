//! The collection of the settings that scans evaluate. Each setting is read separately, so that one that is denied or
//! unlicensed doesn't prevent the others from being read.

mod admin;
mod derived;
mod documents;
mod domains;
mod exchange;
mod graph;
mod hosts;
mod privileged;
mod probe;
mod snapshot;
mod table;
mod workloads;

pub(super) use hosts::{Hosts, KNOWN_ADDRESS};
pub(super) use probe::{optional_permissions, permissions, settings_of};
pub(super) use table::PATHS;

use super::client::Client;
use crate::{dns::DnsSettings, settings::SettingEmitter};
use documents::Documents;
use std::sync::Arc;
use table::GRAPH_SETTINGS;
use watchpost_core::integration::connector::ConnectorError;

/// Reads the settings that are pending in `out`. Uses configuration snapshots only if `metered`.
pub(super) async fn collect(
    client: Arc<Client>,
    hosts: Hosts,
    dns: DnsSettings,
    metered: bool,
    mut out: SettingEmitter,
) -> Result<(), ConnectorError> {
    let mut documents = Documents::default();
    for setting in GRAPH_SETTINGS {
        if out.is_pending(setting.path) {
            let result = graph::read(&client, setting).await;
            documents.store(setting.path, &result);
            out.emit(setting.path, setting.source(), result).await?;
        }
    }
    derived::read(&client, &mut documents, &mut out).await?;
    privileged::read(&client, &mut out).await?;
    workloads::read(&client, &hosts, &mut documents, metered, &mut out).await?;
    admin::read(&client, &hosts, &mut documents, &mut out).await?;
    domains::read(&client, dns, &mut documents, &mut out).await?;
    out.finish(table::GRAPH).await
}
