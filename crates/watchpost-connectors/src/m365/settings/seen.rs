//! What several settings are made from, read once.

use super::graph;
use crate::{m365::client::Client, settings::Miss};
use serde_json::Value;

/// Answers that are needed more than once.
#[derive(Default)]
pub(super) struct Seen {
    organization: Option<Result<Value, Miss>>,
    skus: Option<Result<Value, Miss>>,
}

impl Seen {
    /// Keeps what was read under a path, if others are made from it.
    pub(super) fn note(&mut self, path: &str, end: &Result<crate::settings::Found, Miss>) {
        let place = match path {
            "organization" => &mut self.organization,
            "subscribedSkus" => &mut self.skus,
            _ => return,
        };
        *place = Some(end.clone().map(|found| found.document));
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
