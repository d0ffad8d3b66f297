//! Findings.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    app::{AppLookup, AppMatch},
    error::{Error, NextStep},
    finding::{EntityFilter, Finding, FindingPage, FindingQuery},
    identity::normal_address,
    posture::Freshness,
    rule::Rule,
    value::id::FindingId,
};

impl Watchpost {
    /// What a caller means by an entity: an address of a person, an app's name, or the id of an identity, app or
    /// integration. `None` for what nobody knows; what another workspace has is as unknown.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the candidates if a name fits several apps; the store's.
    pub async fn find_entity(
        &self,
        scope: &WorkspaceScope,
        text: &str,
    ) -> Unrecorded<Result<Option<EntityFilter>, Error>> {
        Unrecorded::of(async {
            if let Some(address) = normal_address(text)
                && let Some(identity) = self.store().identity_by_email(scope, &address).await?
            {
                return Ok(Some(EntityFilter::Identity(identity.id)));
            }
            if let Ok(id) = text.parse()
                && let Some(identity) = self.store().identity(scope, id).await?
            {
                return Ok(Some(EntityFilter::Identity(identity.id)));
            }
            for lookup in AppLookup::all(text) {
                match self.store().find_app(scope, &lookup).await? {
                    AppMatch::None => {}
                    found => return found.one("entity").map(|app| Some(EntityFilter::App(app.id))),
                }
            }
            if let Ok(id) = text.parse()
                && let Some(integration) = self.store().integration(scope, id).await?
            {
                return Ok(Some(EntityFilter::Integration(integration.id)));
            }
            Ok(None)
        })
        .await
    }

    /// A page of findings with the freshness of its data.
    ///
    /// # Errors
    /// The store's; [`Error::Invalid`] for a limit outside 1 to 100.
    pub async fn findings(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
    ) -> Unrecorded<Result<(FindingPage, Freshness), Error>> {
        Unrecorded::of(async {
            if !(1..=100).contains(&query.limit) {
                return Err(Error::invalid(
                    "limit",
                    format!("must be 1 to 100, not {}", query.limit),
                ));
            }
            let page = self.store().list_findings(scope, query).await?;
            Ok((page, self.store().freshness(scope).await?))
        })
        .await
    }

    /// One finding, with its rule if that is still active.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
    ) -> Unrecorded<Result<(Finding, Option<&Rule>), Error>> {
        Unrecorded::of(async {
            let found = self.store().finding(scope, id).await?;
            let finding = found.ok_or_else(finding_not_found)?;
            let rule = self.rule(&finding.summary.rule_id);
            Ok((finding, rule))
        })
        .await
    }
}

fn finding_not_found() -> Error {
    Error::not_found("finding", NextStep::ListFindings)
}
