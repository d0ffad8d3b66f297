//! The audit log.

use super::{OwedEntry, Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    audit::{
        AuditOutcome, AuditQuery, AuditRow, AuditTarget, CallRecord, ChainVerdict, ChainVerifier, ReadRecord,
    },
    error::{Error, StoreError},
    port::Store,
    text,
};

/// Number of rows per read.
const PAGE: usize = 2_000;

/// The whole log from the first row, in pages. Created only by [`Watchpost::export_audit`], which has stored the
/// audit entry of the export.
pub struct AuditExport<'a> {
    store: &'a dyn Store,
    scope: &'a WorkspaceScope,
    after: u64,
}

impl std::fmt::Debug for AuditExport<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditExport")
    }
}

impl AuditExport<'_> {
    /// Returns the next rows, oldest first; empty after the last row.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn next_page(&mut self) -> Result<Vec<AuditRow>, StoreError> {
        let page = self.store.audit_page(self.scope, self.after, PAGE).await?;
        if let Some(last) = page.last() {
            self.after = last.seq;
        }
        Ok(page)
    }
}

impl Watchpost {
    /// Returns audit entries, newest first.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn audit_entries(
        &self,
        scope: &WorkspaceScope,
        query: &AuditQuery,
    ) -> Unrecorded<Result<Vec<AuditRow>, Error>> {
        Unrecorded::of(async { Ok(self.store().list_entries(scope, query).await?) }).await
    }

    /// Stores the audit entry of an export, or passes it to `owe` as [`Watchpost::record_or_owe`] does, then opens the log
    /// for it.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`] if the entry can't be stored. Then nothing is exported.
    pub async fn export_audit<'a>(
        &'a self,
        scope: &'a WorkspaceScope,
        call: CallRecord,
        owe: impl FnOnce(OwedEntry),
    ) -> Result<AuditExport<'a>, StoreError> {
        let describe = |(): &()| ReadRecord {
            action: "audit.exported",
            target: AuditTarget::default(),
            outcome: AuditOutcome::Ok,
            call,
        };
        self.record_or_owe(scope, Unrecorded::new(()), describe, owe)
            .await?;
        Ok(AuditExport {
            store: self.store(),
            scope,
            after: 0,
        })
    }

    /// Verifies the whole chain. Passes the number of verified rows to `progress`. Stores no audit entry: it
    /// returns only the number of rows and whether they are valid, and must work when the log can't be written.
    ///
    /// # Errors
    /// Returns the store's error. A row that can't be read yields a verdict.
    pub async fn verify_audit(
        &self,
        scope: &WorkspaceScope,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<ChainVerdict, StoreError> {
        let mut verifier = ChainVerifier::new(scope.workspace());
        let mut after = 0;
        let mut limit = PAGE;
        loop {
            let page = match self.store().audit_page(scope, after, limit).await {
                Ok(page) => page,
                // Row by row, to name the one that can't be read.
                Err(StoreError::Corrupt { .. }) if limit > 1 => {
                    limit = 1;
                    continue;
                }
                Err(StoreError::Corrupt { .. }) => {
                    return Ok(ChainVerdict::Broken {
                        seq: after + 1,
                        problem: text::audit::ROW_UNREADABLE,
                    });
                }
                Err(error) => return Err(error),
            };
            for row in &page {
                if let Err(broken) = verifier.check(row) {
                    return Ok(broken);
                }
            }
            let Some(last) = page.last() else {
                return Ok(verifier.finish());
            };
            after = last.seq;
            progress(after);
        }
    }
}
