//! Third-party apps.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    app::{App, AppLookup, AppMatch, AppQuery},
    error::{Error, NextStep},
    posture::Freshness,
    text,
};

/// The result of looking up an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppAnswer {
    /// The result of the lookup.
    pub found: AppMatch,
    /// The age and completeness of the data.
    pub freshness: Freshness,
}

impl Watchpost {
    /// Returns a page of apps, ordered by name.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn apps(
        &self,
        scope: &WorkspaceScope,
        query: &AppQuery,
    ) -> Unrecorded<Result<Vec<App>, Error>> {
        Unrecorded::of(async { Ok(self.store().list_apps(scope, query).await?) }).await
    }

    /// Looks up an app and its policy.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn app(
        &self,
        scope: &WorkspaceScope,
        lookup: &AppLookup,
    ) -> Unrecorded<Result<AppAnswer, Error>> {
        Unrecorded::of(async {
            let found = self.store().find_app(scope, lookup).await?;
            Ok(AppAnswer {
                found,
                freshness: self.store().freshness(scope).await?,
            })
        })
        .await
    }
}

impl AppMatch {
    /// Returns the single match of a lookup by the argument `field`, or an error that lists the ids and platforms
    /// of the candidates. Names of apps are untrusted and therefore not part of errors.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no app matches, [`Error::Invalid`] if several do.
    pub fn one(self, field: &'static str) -> Result<Box<App>, Error> {
        match self {
            Self::One(app) => Ok(app),
            Self::None => Err(Error::not_found("app", NextStep::FindApp)),
            Self::Several(apps, total) => {
                let ids: Vec<String> = apps
                    .iter()
                    .map(|app| format!("{} ({})", app.id, app.platform.title()))
                    .collect();
                Err(Error::invalid(field, text::ambiguous_app(total, &ids)))
            }
        }
    }
}
