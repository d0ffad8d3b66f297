//! People.

use super::Watchpost;
use crate::{
    access::WorkspaceScope,
    error::Error,
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
    pub async fn identity(&self, scope: &WorkspaceScope, email: &str) -> Result<IdentityAnswer, Error> {
        let Some(address) = normal_address(email) else {
            return Err(Error::Invalid {
                field: "email",
                reason: "must be one email address, such as mara.holt@example.com".into(),
            });
        };
        let Some(identity) = self.store().identity_by_email(scope, &address).await? else {
            return Err(Error::NotFound {
                what: "identity",
                next: "no connected platform knows this address; check the spelling, or whether the platform that would know it is connected".into(),
            });
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
    }
}
