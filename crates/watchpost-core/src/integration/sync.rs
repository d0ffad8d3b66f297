//! The `sync` job: reads one integration into facts, page by page.

use crate::{
    access::JobPermit,
    audit::CallRecord,
    error::Error,
    integration::{
        DatasetEnd, DatasetSpec, FinishSync, Judged,
        connector::{Connector, ConnectorError, Page},
        fact::{Collection, FactPage},
    },
    port::{Clock, Random, Store},
    text,
    value::{
        id::{IntegrationId, JobId, SyncId},
        word::{Platform, RunState},
    },
};
use std::sync::Arc;

/// Maximum number of facts per write.
const FACTS_PER_WRITE: usize = 500;

/// The result of a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEnd {
    /// All datasets ended. Some of them may be unread.
    Completed {
        /// The number of facts stored.
        facts: u64,
    },
    /// The vendor or the configuration failed. The reason is stored with the integration.
    Failed {
        /// The reason, written by Watchpost.
        reason: String,
    },
    /// The integration was removed or paused.
    Skipped,
}

/// Syncs one integration. Passes progress messages for people to `progress`.
///
/// # Errors
/// Returns the store's errors. Failures of the connector yield [`SyncEnd::Failed`].
pub async fn run_sync(
    store: &dyn Store,
    connectors: &[Arc<dyn Connector>],
    clock: &dyn Clock,
    random: &dyn Random,
    permit: &JobPermit,
    id: IntegrationId,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<SyncEnd, Error> {
    let Some(integration) = store
        .integration(permit.scope(), id)
        .await?
        .filter(|row| row.is_active())
    else {
        return Ok(SyncEnd::Skipped);
    };
    let config = match store.open_config(permit, id).await {
        Ok(Some(config)) => Ok(config),
        Ok(None) => return Ok(SyncEnd::Skipped),
        Err(error) if error.is_of_credential() => Err(Unread {
            reason: text::integration::CREDENTIAL_DAMAGED.into(),
            needs_credential: true,
        }),
        Err(error) => return Err(error.into()),
    };
    let sync = SyncId::generate(clock, random);
    store.begin_sync(permit, sync, id, clock.now()).await?;
    let read = match (config, connector_for(connectors, integration.platform)) {
        (Err(unread), _) => Err(unread),
        (Ok(config), Some(connector)) => {
            read_all(
                store,
                connector.as_ref(),
                &config,
                clock,
                permit,
                (sync, id),
                progress,
            )
            .await?
        }
        (Ok(_), None) => Err(Unread {
            reason: text::integration::unreadable_platform(integration.platform.title()),
            needs_credential: false,
        }),
    };
    let (state, unread) = match &read {
        Ok(_) => (RunState::Completed, None),
        Err(unread) => (RunState::Failed, Some(unread)),
    };
    let command = FinishSync {
        sync,
        integration: id,
        state,
        reason: unread.map(|unread| unread.reason.clone()),
        needs_credential: unread.is_some_and(|unread| unread.needs_credential),
        analysis: JobId::generate(clock, random),
        now: clock.now(),
    };
    let call = CallRecord::new("job", "sync", "{}");
    let write = permit.scope().authorize(command, call)?;
    store.finish_sync(write).await?.into_value();
    Ok(match read {
        Ok(facts) => SyncEnd::Completed { facts },
        Err(Unread { reason, .. }) => SyncEnd::Failed { reason },
    })
}

/// Returns the connector for a platform.
pub fn connector_for(connectors: &[Arc<dyn Connector>], platform: Platform) -> Option<&Arc<dyn Connector>> {
    connectors
        .iter()
        .find(|connector| connector.platform() == platform)
}

/// The reason why an integration could not be read.
struct Unread {
    reason: String,
    needs_credential: bool,
}

impl From<ConnectorError> for Unread {
    fn from(error: ConnectorError) -> Self {
        Self {
            reason: error.to_string(),
            needs_credential: error.needs_credential(),
        }
    }
}

/// Reads all pages and returns the number of facts. The inner error is the connector's reason.
async fn read_all(
    store: &dyn Store,
    connector: &dyn Connector,
    config: &crate::integration::connector::ConnectorConfig,
    clock: &dyn Clock,
    permit: &JobPermit,
    (sync, id): (SyncId, IntegrationId),
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Result<u64, Unread>, Error> {
    let known = store.readings(permit, id).await?;
    let mut run = match connector.sync(config, known).await {
        Ok(run) => run,
        Err(error) => return Ok(Err(error.into())),
    };
    let mut facts = 0_u64;
    let mut ended = Vec::new();
    loop {
        match run.next_page().await {
            Ok(Some(Page::Facts(page))) => {
                facts = facts.saturating_add(page.facts.len() as u64);
                progress(text::integration::reading(
                    connector.platform().title(),
                    page.dataset,
                    facts,
                ));
                let dataset = page.dataset;
                let mut rest = page.facts;
                while !rest.is_empty() {
                    let tail = rest.split_off(rest.len().min(FACTS_PER_WRITE));
                    let page = FactPage { dataset, facts: rest };
                    store.store_facts(permit, sync, id, page, clock.now()).await?;
                    rest = tail;
                }
            }
            Ok(Some(Page::Collected(collection))) => {
                let end = end_of(collection, connector.datasets(), &ended);
                let judged = store.finish_dataset(permit, sync, id, end, clock.now()).await?;
                ended.push(judged);
            }
            Ok(None) => return Ok(Ok(facts)),
            Err(error) => return Ok(Err(error.into())),
        }
    }
}

/// Adds what is known about a dataset's rows to its result. `ended` are the results of the datasets before it.
fn end_of(collection: Collection, specs: &[DatasetSpec], ended: &[Judged]) -> DatasetEnd {
    let Some(spec) = specs.iter().find(|spec| spec.dataset == collection.dataset) else {
        return collection.into();
    };
    let followed = spec.follows.and_then(|dataset| {
        let earlier = ended.iter().find(|earlier| earlier.collection.dataset == dataset);
        earlier.cloned()
    });
    DatasetEnd {
        collection,
        if_empty: spec.if_empty,
        followed,
    }
}
