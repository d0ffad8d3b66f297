//! People.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::{Error, NextStep},
    finding::{EntityFilter, FindingQuery, FindingSummary, Total},
    identity::{Identity, normal_address},
    posture::Freshness,
    value::word::FindingStatus,
};

/// Findings of a person that a look-up shows.
const IDENTITY_FINDINGS_SHOWN: usize = 25;

/// A person over all platforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityAnswer {
    /// The person.
    pub identity: Identity,
    /// The worst live findings.
    pub findings: Vec<FindingSummary>,
    /// How many live findings there are.
    pub total: Total,
    /// How old and whole the data is.
    pub freshness: Freshness,
}

impl Watchpost {
    /// One person by any of their addresses, without regard to case.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the text is no address; [`Error::NotFound`]; the store's.
    pub async fn identity(
        &self,
        scope: &WorkspaceScope,
        email: &str,
    ) -> Unrecorded<Result<IdentityAnswer, Error>> {
        Unrecorded::of(async {
            let Some(address) = normal_address(email) else {
                return Err(Error::invalid(
                    "email",
                    "must be one email address, such as mara.holt@example.com",
                ));
            };
            let Some(identity) = self.store().identity_by_email(scope, &address).await? else {
                return Err(Error::not_found("identity", NextStep::CheckAddress));
            };
            let query = FindingQuery {
                statuses: vec![FindingStatus::Open, FindingStatus::InProgress],
                entity: Some(EntityFilter::Identity(identity.id)),
                limit: IDENTITY_FINDINGS_SHOWN,
                ..FindingQuery::default()
            };
            let page = self.store().list_findings(scope, &query).await?;
            let freshness = self.store().freshness(scope).await?;
            Ok(IdentityAnswer {
                identity,
                findings: page.findings,
                total: page.total,
                freshness,
            })
        })
        .await
    }
}
