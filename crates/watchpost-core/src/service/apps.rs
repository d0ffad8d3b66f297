//! Third-party apps.

use super::Watchpost;
use crate::{
    access::WorkspaceScope,
    app::{App, AppLookup, AppMatch},
    error::Error,
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
    /// An app and its policy.
    ///
    /// # Errors
    /// The store's.
    pub async fn app(&self, scope: &WorkspaceScope, lookup: &AppLookup) -> Result<AppAnswer, Error> {
        let found = self.store().find_app(scope, lookup).await?;
        Ok(AppAnswer {
            found,
            freshness: self.store().freshness(scope).await?,
        })
    }
}

impl AppMatch {
    /// The one app, or an error that lists the candidates' ids and platforms. Names are a stranger's words and stay
    /// out of errors.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Invalid`].
    pub fn one(self) -> Result<Box<App>, Error> {
        match self {
            Self::One(app) => Ok(app),
            Self::None => Err(Error::NotFound {
                what: "app",
                next: "no connected platform has an app with this name or id; `check_app_policy` looks apps up by name".into(),
            }),
            Self::Several(apps, total) => {
                let ids: Vec<String> = apps.iter().map(|app| format!("{} ({})", app.id, app.platform.title())).collect();
                Err(Error::Invalid {
                    field: "app",
                    reason: format!("{total} apps fit this name; give one of these ids: {}", ids.join(", ")),
                })
            }
        }
    }
}
