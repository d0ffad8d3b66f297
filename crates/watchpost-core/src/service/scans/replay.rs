//! Repeated evaluation of a past result.

use super::not_found;
use crate::{
    access::WorkspaceScope,
    check::{CheckResult, Outcome, Profile},
    error::{Error, NextStep},
    scan::{Apps, Exemption, ResultDetail, ResultFilter, Scan, SettingValue, document_of, evaluate},
    service::{ResultChoice, Unrecorded, Watchpost},
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
    /// Evaluates the current check with an id, or all that carry a framework's id (see
    /// [`Watchpost::named_results`]), on the stored settings of a scan, with the exemptions and the clock of that
    /// scan.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the scan or this version has no such check, or the store's error.
    pub async fn replay(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
        name: &str,
    ) -> Unrecorded<Result<Vec<Replay>, Error>> {
        Unrecorded::of(async {
            let choice = ResultChoice {
                filter: &ResultFilter::default(),
                after: None,
                limit: usize::MAX,
            };
            let found = self
                .named_results(scope, scan, name, choice, usize::MAX)
                .await
                .into_inner()?;
            let scan = found.scan;
            let checks = self.checks().checks();
            let (then, positions): (Vec<ResultDetail>, Vec<usize>) = found
                .details
                .into_iter()
                .filter_map(|answer| {
                    let id = &answer.result.row.check_id;
                    let at = checks.iter().position(|check| check.id == *id)?;
                    Some((answer.result, at))
                })
                .unzip();
            if positions.is_empty() {
                return Err(Error::not_found(
                    text::scan::CHECK_OF_VERSION,
                    NextStep::ListChecks,
                ));
            }
            let mut evaluated = self.evaluated_again(scope, &scan, positions.clone()).await?;
            let replays = then.into_iter().zip(positions).map(|(then, at)| {
                let id = &then.row.check_id;
                let now = match evaluated.iter().position(|result| result.row.check_id == *id) {
                    Some(at) => evaluated.swap_remove(at),
                    None => {
                        let outcome = Outcome::plain(CheckResult::Error, None, text::scan::NO_VERDICT);
                        ResultDetail::new(&checks[at], outcome)
                    }
                };
                Replay { then, now }
            });
            Ok(replays.collect())
        })
        .await
    }

    /// Evaluates checks on the stored settings of a scan.
    async fn evaluated_again(
        &self,
        scope: &WorkspaceScope,
        scan: &Scan,
        positions: Vec<usize>,
    ) -> Result<Vec<ResultDetail>, Error> {
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
            positions,
            Profile::Default,
            read_at,
            Apps::None,
        );
        evaluated.await?.map_err(|reason| Error::Internal(reason.into()))
    }
}
