//! Repeated evaluation of a past result.

use super::not_found;
use crate::{
    access::WorkspaceScope,
    check::{CheckResult, Outcome, Profile},
    error::{Error, NextStep},
    scan::{Apps, Exemption, ResultDetail, Scan, SettingValue, document_of, evaluate},
    service::{Unrecorded, Watchpost},
    text,
};

/// A past result together with the result of the current check on the settings of the same scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The result in the scan.
    pub then: ResultDetail,
    /// The result of the current check.
    pub now: ResultDetail,
}

impl Replay {
    /// Returns whether both verdicts are the same.
    pub fn agrees(&self) -> bool {
        (self.then.row.result, self.then.row.skip) == (self.now.row.result, self.now.row.skip)
    }
}

impl Watchpost {
    /// Evaluates the current check on the stored settings of a scan, with the exemptions and the clock of that
    /// scan.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's error.
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
                return Err(Error::not_found(
                    text::scan::CHECK_OF_VERSION,
                    NextStep::ListChecks,
                ));
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
            let evaluated = evaluate(
                self.checks(),
                document,
                vec![at],
                Profile::Default,
                read_at,
                Apps::None,
            )
            .await?;
            let now = evaluated
                .map_err(|reason| Error::Internal(reason.into()))?
                .pop()
                .unwrap_or_else(|| {
                    let outcome = Outcome::plain(CheckResult::Error, None, text::scan::NO_VERDICT);
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
