//! A past result, judged again.

use super::not_found;
use crate::{
    access::WorkspaceScope,
    check::{CheckResult, Outcome, Profile},
    error::{Error, NextStep},
    scan::{Apps, Exemption, ResultDetail, Scan, SettingValue, document_of, evaluate},
    service::{Unrecorded, Watchpost},
};

/// A past result judged again by today's checks on that scan's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The result then.
    pub then: ResultDetail,
    /// The result now.
    pub now: ResultDetail,
}

impl Replay {
    /// Whether the verdict is the same.
    pub fn agrees(&self) -> bool {
        (self.then.row.result, self.then.row.skip) == (self.now.row.result, self.now.row.skip)
    }
}

impl Watchpost {
    /// Judges a past result again: today's check on the settings that the scan had kept, with the exemptions and the
    /// time of then.
    ///
    /// # Errors
    /// [`Error::NotFound`]; the store's.
    pub async fn replay(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
        check_id: &str,
    ) -> Unrecorded<Result<Replay, Error>> {
        Unrecorded::of(async {
            let then = self
                .scan_result(scope, scan.clone(), check_id)
                .await
                .into_inner()?;
            let id = then.result.row.check_id.clone();
            let checks = self.checks().checks();
            let Some(at) = checks.iter().position(|check| check.id == id) else {
                return Err(Error::not_found("check in this version", NextStep::ListChecks));
            };
            let integration = self
                .store()
                .integration(scope, scan.integration)
                .await?
                .ok_or_else(not_found)?;
            let values: Vec<SettingValue> = self.store().setting_values(scope, scan.id, &[]).await?;
            let read_at = scan.completed_at.unwrap_or(scan.queued_at);
            let exemptions: Vec<Exemption> = self
                .store()
                .exemptions(scope)
                .await?
                .into_iter()
                .filter(|exemption| exemption.created_at <= read_at)
                .collect();
            let document = document_of(&integration, values, &exemptions, read_at);
            let judged = evaluate(
                self.checks(),
                document,
                vec![at],
                Profile::Default,
                read_at,
                Apps::None,
            )
            .await?;
            let now = judged
                .map_err(|reason| Error::Internal(reason.into()))?
                .pop()
                .unwrap_or_else(|| {
                    let outcome = Outcome::plain(CheckResult::Error, None, "The check gave no verdict.");
                    ResultDetail::new(&checks[at], outcome)
                });
            Ok(Replay {
                then: then.result,
                now,
            })
        })
        .await
    }
}
