//! Integrations.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::Error,
    integration::Integration,
    job::JobRow,
    posture::Freshness,
    value::{id::IntegrationId, text::ForeignText},
};

impl Watchpost {
    /// An integration, if there is one of this id.
    ///
    /// # Errors
    /// The store's.
    pub async fn integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
    ) -> Unrecorded<Result<Option<Integration>, Error>> {
        Unrecorded::of(async { Ok(self.store().integration(scope, id).await?) }).await
    }

    /// All integrations with what runs, and the freshness that other answers carry.
    ///
    /// # Errors
    /// The store's.
    pub async fn integrations(
        &self,
        scope: &WorkspaceScope,
    ) -> Unrecorded<Result<(Vec<Integration>, Vec<JobRow>, Freshness), Error>> {
        Unrecorded::of(async {
            let rows = self.store().list_integrations(scope).await?;
            let jobs = self.store().unfinished_jobs(scope).await?;
            Ok((rows, jobs, self.store().freshness(scope).await?))
        })
        .await
    }
}

/// A name for sentences about an integration: never a stranger's words.
impl Integration {
    /// The platform's product name.
    pub const fn title(&self) -> &'static str {
        self.platform.title()
    }
    /// Its own name, which a person or the vendor chose.
    pub const fn own_name(&self) -> &ForeignText {
        &self.name
    }
}
