//! Findings.

use super::Watchpost;
use crate::{
    access::WorkspaceScope,
    error::Error,
    finding::{Finding, FindingPage, FindingQuery},
    posture::Freshness,
    rule::Rule,
    value::id::FindingId,
};

impl Watchpost {
    /// A page of findings with the freshness of its data.
    ///
    /// # Errors
    /// The store's; [`Error::Invalid`] for a limit outside 1 to 100.
    pub async fn findings(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
    ) -> Result<(FindingPage, Freshness), Error> {
        if !(1..=100).contains(&query.limit) {
            return Err(Error::Invalid {
                field: "limit",
                reason: format!("must be 1 to 100, not {}", query.limit),
            });
        }
        let page = self.store().list_findings(scope, query).await?;
        Ok((page, self.store().freshness(scope).await?))
    }

    /// One finding, with its rule if that is still active.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
    ) -> Result<(Finding, Option<&Rule>), Error> {
        let found = self.store().finding(scope, id).await?;
        let finding = found.ok_or_else(finding_not_found)?;
        let rule = self.rule(&finding.summary.rule_id);
        Ok((finding, rule))
    }
}

fn finding_not_found() -> Error {
    Error::NotFound {
        what: "finding",
        next: "take an id from `list_findings`".into(),
    }
}
