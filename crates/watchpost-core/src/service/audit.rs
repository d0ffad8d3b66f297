//! The audit log.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    audit::{
        AuditOutcome, AuditQuery, AuditRow, AuditTarget, CallRecord, ChainVerdict, ChainVerifier, ReadRecord,
    },
    error::{Error, StoreError},
    port::Store,
};

/// Rows read at a time.
const PAGE: usize = 2_000;

/// The whole log, from the first row on, page by page. Made only by [`Watchpost::export_audit`], which has stored the
/// export's own entry.
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
    /// The next rows, oldest first; empty after the last one.
    ///
    /// # Errors
    /// The store's.
    pub async fn next_page(&mut self) -> Result<Vec<AuditRow>, StoreError> {
        let page = self.store.audit_page(self.scope, self.after, PAGE).await?;
        if let Some(last) = page.last() {
            self.after = last.seq;
        }
        Ok(page)
    }
}

impl Watchpost {
    /// Entries, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn audit_entries(
        &self,
        scope: &WorkspaceScope,
        query: &AuditQuery,
    ) -> Unrecorded<Result<Vec<AuditRow>, Error>> {
        Unrecorded::of(async { Ok(self.store().list_entries(scope, query).await?) }).await
    }

    /// Stores the entry of an export, then opens the log for it.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`]: nothing is exported.
    pub async fn export_audit<'a>(
        &'a self,
        scope: &'a WorkspaceScope,
        call: CallRecord,
    ) -> Result<AuditExport<'a>, StoreError> {
        let describe = |(): &()| ReadRecord {
            action: "audit.exported",
            target: AuditTarget::default(),
            outcome: AuditOutcome::Ok,
            call,
        };
        self.record(scope, Unrecorded::new(()), describe).await?;
        Ok(AuditExport {
            store: self.store(),
            scope,
            after: 0,
        })
    }

    /// Checks the whole chain. `progress` hears of the rows that were checked. Needs no entry: it tells how many rows
    /// there are and whether they are whole, and must work where the log can't be written.
    ///
    /// # Errors
    /// The store's; a row that can't be read is a verdict.
    pub async fn verify_audit(
        &self,
        scope: &WorkspaceScope,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<ChainVerdict, StoreError> {
        let mut verifier = ChainVerifier::new(scope.workspace());
        let mut after = 0;
        loop {
            let page = match self.store().audit_page(scope, after, PAGE).await {
                Ok(page) => page,
                Err(StoreError::Corrupt { table: "audit", .. }) => {
                    return Ok(ChainVerdict::Broken {
                        seq: after + 1,
                        problem: "a row at or after this one can't be read",
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
