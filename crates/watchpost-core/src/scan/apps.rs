//! The apps that a scan judges.

use super::ScanPermit;
use crate::{
    error::Error,
    integration::{Integration, fact::Dataset},
    port::Store,
    rule::document::AppDocument,
    text,
    value::{id::AppId, word::CollectionState},
};

/// Maximum number of apps per evaluation, and per read from the store.
const APPS_PER_PAGE: usize = 500;

/// The source of the apps for checks of apps.
pub enum Apps<'a> {
    /// The apps of an integration, from the store.
    Stored {
        /// The store.
        store: &'a dyn Store,
        /// The permit of the scan's job.
        permit: &'a ScanPermit,
        /// The integration with its collections.
        integration: &'a Integration,
    },
    /// No apps: checks of apps are skipped as not applicable.
    None,
}

impl Apps<'_> {
    /// Returns the reason why apps may be missing; `None` if the last sync read all of them.
    pub(super) fn unread(&self) -> Option<String> {
        match self {
            Self::Stored { integration, .. } => unread(integration),
            Self::None => None,
        }
    }
}

fn unread(integration: &Integration) -> Option<String> {
    match integration.collection(Dataset::Apps) {
        Some(row) if row.state == CollectionState::Complete => None,
        Some(row) => Some(text::scan::apps_unread(row.state, row.detail.as_deref())),
        None => Some(text::scan::APPS_AWAITED.to_owned()),
    }
}

/// Pages over an integration's apps.
pub(super) struct Pages<'a> {
    apps: &'a Apps<'a>,
    after: Option<AppId>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) const fn new(apps: &'a Apps<'a>) -> Self {
        Self {
            apps,
            after: None,
            ended: false,
        }
    }

    /// Returns the integration's apps among the next ones of the workspace; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<AppDocument>>, Error> {
        let Apps::Stored {
            store,
            permit,
            integration,
        } = self.apps
        else {
            return Ok(None);
        };
        if self.ended {
            return Ok(None);
        }
        let page = store
            .app_documents(permit.scope(), self.after, APPS_PER_PAGE)
            .await?;
        let Some(last) = page.last() else {
            self.ended = true;
            return Ok(None);
        };
        self.after = Some(last.id);
        let of_integration = |doc: &AppDocument| doc.integration.id == integration.id;
        Ok(Some(page.into_iter().filter(of_integration).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        integration::testing::{collected, integration},
        value::word::Platform,
    };

    #[test]
    fn apps_are_read_if_the_last_sync_read_all_of_them() {
        let check = |state: Option<CollectionState>, expected: Option<&str>| {
            let mut tenant = integration(Platform::M365);
            tenant.collections.extend(state.map(|state| {
                let mut row = collected(Dataset::Apps, 1);
                row.state = state;
                row.detail = Some("Application.Read.All".to_owned());
                row
            }));
            assert_eq!(unread(&tenant).as_deref(), expected, "{state:?}");
        };
        check(Some(CollectionState::Complete), None);
        check(
            Some(CollectionState::Denied),
            Some("The last sync did not read all apps (denied, Application.Read.All)."),
        );
        check(
            Some(CollectionState::Partial),
            Some("The last sync did not read all apps (partial, Application.Read.All)."),
        );
        check(
            None,
            Some("The apps were not read yet: sync the integration first."),
        );
    }
}
