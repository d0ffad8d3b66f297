//! Third-party apps.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    app::{App, AppLookup, AppMatch, AppQuery},
    error::{Error, NextStep},
    posture::Freshness,
};

/// An app's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppAnswer {
    /// What the look-up found.
    pub found: AppMatch,
    /// How old and whole the data is.
    pub freshness: Freshness,
}

impl Watchpost {
    /// A page of apps, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn apps(
        &self,
        scope: &WorkspaceScope,
        query: &AppQuery,
    ) -> Unrecorded<Result<Vec<App>, Error>> {
        Unrecorded::of(async { Ok(self.store().list_apps(scope, query).await?) }).await
    }

    /// An app and its policy.
    ///
    /// # Errors
    /// The store's.
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
    /// The one app that a caller named in `field`, or an error that lists the candidates' ids and platforms. Names are a stranger's words and stay
    /// out of errors.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Invalid`].
    pub fn one(self, field: &'static str) -> Result<Box<App>, Error> {
        match self {
            Self::One(app) => Ok(app),
            Self::None => Err(Error::not_found("app", NextStep::FindApp)),
            Self::Several(apps, total) => {
                let ids: Vec<String> = apps
                    .iter()
                    .map(|app| format!("{} ({})", app.id, app.platform.title()))
                    .collect();
                Err(Error::invalid(
                    field,
                    format!(
                        "{total} apps fit this name; give one of these ids: {}",
                        ids.join(", ")
                    ),
                ))
            }
        }
    }
}
