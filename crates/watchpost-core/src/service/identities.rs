//! Identities.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::{Error, NextStep},
    finding::{EntityFilter, FindingQuery, FindingSummary, Total},
    identity::{Identity, normalize_address},
    posture::Freshness,
    text,
    value::word::FindingStatus,
};

/// Maximum number of a person's findings that a lookup shows.
const IDENTITY_FINDINGS_SHOWN: usize = 25;

/// A person with accounts on all platforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityAnswer {
    /// The identity.
    pub identity: Identity,
    /// The worst live findings.
    pub findings: Vec<FindingSummary>,
    /// The number of live findings.
    pub total: Total,
    /// The age and completeness of the data.
    pub freshness: Freshness,
}

impl Watchpost {
    /// Looks up a person by any of their email addresses, ignoring case.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the text isn't an email address, [`Error::NotFound`], or the store's error.
    pub async fn identity(
        &self,
        scope: &WorkspaceScope,
        email: &str,
    ) -> Unrecorded<Result<IdentityAnswer, Error>> {
        Unrecorded::of(async {
            let Some(address) = normalize_address(email) else {
                return Err(Error::invalid("email", text::EMAIL_EXPECTED));
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
