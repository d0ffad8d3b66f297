//! The [`AppStore`] port.

use crate::{
    port::store::SqliteStore,
    table::{apps, documents},
};
use async_trait::async_trait;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    app::{App, AppLookup, AppMatch, AppPolicyOutcome, AppQuery, AppStore, SetAppPolicy},
    error::StoreError,
    rule::document::AppDocument,
    value::id::AppId,
};

#[async_trait]
impl AppStore for SqliteStore {
    async fn find_app(&self, scope: &WorkspaceScope, lookup: &AppLookup) -> Result<AppMatch, StoreError> {
        self.read(scope, "apps", |conn, workspace| {
            apps::find(conn, workspace, lookup)
        })
    }

    async fn list_apps(&self, scope: &WorkspaceScope, query: &AppQuery) -> Result<Vec<App>, StoreError> {
        self.read_one(scope, "apps", |conn, workspace| {
            apps::list(conn, workspace, query)
        })
    }

    async fn app_documents(
        &self,
        scope: &WorkspaceScope,
        after: Option<AppId>,
        limit: usize,
    ) -> Result<Vec<AppDocument>, StoreError> {
        self.long(scope, "apps", move |conn, workspace| {
            documents::apps(conn, workspace, after, limit)
        })
        .await
    }

    async fn set_app_policy(
        &self,
        write: AuthorizedWrite<SetAppPolicy>,
    ) -> Result<Audited<AppPolicyOutcome>, StoreError> {
        self.change_once("apps", write, |tx, workspace, command, entry| {
            apps::set_policy(tx, workspace, &command, entry)
        })
        .await
    }
}
