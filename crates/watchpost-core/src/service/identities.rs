//! Identities.

use super::{Completable, Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::{Error, NextStep},
    finding::{EntityFilter, FindingQuery, FindingSummary, Total},
    identity::{Identity, normalize_address},
    posture::Freshness,
    text,
    value::{id::IdentityId, word::FindingStatus},
};

/// Maximum number of a person's findings that a lookup shows.
const IDENTITY_FINDINGS_SHOWN: usize = 25;

/// Maximum number of people with the same name that an error counts.
const NAMED_COUNTED: usize = 100;

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
    /// Looks up a person by any of their email addresses or by their name, ignoring case. A name means the people that
    /// have it as their display name, or else the addresses that begin with it.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the text isn't an email address or the name of one person, [`Error::NotFound`], or the
    /// store's error.
    pub async fn identity(
        &self,
        scope: &WorkspaceScope,
        asked: &str,
    ) -> Unrecorded<Result<IdentityAnswer, Error>> {
        Unrecorded::of(async {
            let found = if asked.contains('@') {
                let Some(address) = normalize_address(asked) else {
                    return Err(Error::invalid("email", text::EMAIL_EXPECTED));
                };
                self.store().identity_by_email(scope, &address).await?
            } else {
                self.by_name(scope, asked).await?
            };
            let Some(identity) = found else {
                return Err(Error::not_found("identity", NextStep::CheckAddress));
            };
            self.with_findings(scope, identity).await
        })
        .await
    }

    /// Looks up a person by the id of the identity.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's error.
    pub async fn identity_by_id(
        &self,
        scope: &WorkspaceScope,
        id: IdentityId,
    ) -> Unrecorded<Result<IdentityAnswer, Error>> {
        Unrecorded::of(async {
            let Some(identity) = self.store().identity(scope, id).await? else {
                return Err(Error::not_found("identity", NextStep::FindIdentity));
            };
            self.with_findings(scope, identity).await
        })
        .await
    }

    /// Adds the worst live findings to an identity.
    async fn with_findings(
        &self,
        scope: &WorkspaceScope,
        identity: Identity,
    ) -> Result<IdentityAnswer, Error> {
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

    /// Returns the person that a name means. No person found is [`Error::Invalid`]; `None` is a person who has been
    /// removed since the name was looked up.
    async fn by_name(&self, scope: &WorkspaceScope, name: &str) -> Result<Option<Identity>, Error> {
        let named = self.store().identities_named(scope, name, NAMED_COUNTED).await?;
        match named.ids[..] {
            [] => {}
            [id] if !named.more => return Ok(self.store().identity(scope, id).await?),
            _ => return Err(several(text::several_people(named.ids.len(), named.more))),
        }
        let typed = name.split_whitespace().collect::<Vec<_>>().join(".");
        let found = self.completions(scope, Completable::Address, &typed).await?;
        match found.values.as_slice() {
            [] => {}
            [address] if !found.more => {
                return Ok(self.store().identity_by_email(scope, address).await?);
            }
            all => return Err(several(text::several_addresses(all.len(), found.more))),
        }
        Err(Error::invalid("email", text::NAME_UNKNOWN))
    }
}

/// The error for a name that means several people.
fn several(reason: String) -> Error {
    Error::Invalid {
        field: "email",
        reason,
        next: Some(NextStep::ChoosePerson),
    }
}
