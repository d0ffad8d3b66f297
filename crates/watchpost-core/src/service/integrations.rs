//! Integrations.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::{Error, NextStep},
    integration::{Failure, Integration},
    job::JobRow,
    posture::Freshness,
    value::{id::IntegrationId, text::ForeignText, word::Platform},
};

impl Watchpost {
    /// Returns the integration with an id, if there is one.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
    ) -> Unrecorded<Result<Option<Integration>, Error>> {
        Unrecorded::of(async { Ok(self.store().integration(scope, id).await?) }).await
    }

    /// Returns all integrations, the unfinished jobs, and the freshness of the data.
    ///
    /// # Errors
    /// Returns the store's error.
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

impl Failure {
    /// Returns the step that ends the failure, if it is known. `platform` is the integration's.
    pub const fn next_step(&self, platform: Platform) -> Option<NextStep> {
        if self.needs_credential {
            Some(NextStep::SetCredential(platform))
        } else {
            None
        }
    }
}

/// Names for sentences about an integration.
impl Integration {
    /// Returns the platform's product name, which is trusted.
    pub const fn title(&self) -> &'static str {
        self.platform.title()
    }
    /// Returns the integration's own name, which a person or the vendor chose.
    pub const fn own_name(&self) -> &ForeignText {
        &self.name
    }
}
