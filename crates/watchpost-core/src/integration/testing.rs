//! Integrations for unit tests.

use super::{CollectionRow, Integration, fact::Dataset};
use crate::value::{
    id::IntegrationId,
    text::ForeignText,
    time::Timestamp,
    word::{CollectionState, IntegrationStatus, Platform},
};
use std::collections::BTreeMap;

/// Returns a connected integration without collections.
pub(crate) fn integration(platform: Platform) -> Integration {
    Integration {
        id: IntegrationId::from_bytes([platform.code(); 16]),
        platform,
        name: ForeignText::default(),
        tenant_key: None,
        status: IntegrationStatus::Connected,
        config: BTreeMap::new(),
        created_at: Timestamp::default(),
        last_completed_at: None,
        last_started_at: None,
        failure: None,
        running: None,
        collections: Vec::new(),
    }
}

/// Returns a complete collection, the last of `completions` complete ones.
pub(crate) fn collected(dataset: Dataset, completions: u64) -> CollectionRow {
    CollectionRow {
        dataset,
        state: CollectionState::Complete,
        rows: 0,
        detail: None,
        finished_at: Timestamp::default(),
        completions,
        doubt: None,
        complete_rows: None,
        complete_at: None,
        confirmed_rows: None,
    }
}
