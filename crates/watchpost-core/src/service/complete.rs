//! Completion of typed text.

use super::{Unrecorded, Watchpost};
use crate::{
    access::{Permission, WorkspaceScope},
    check::{Framework, ScanType, Service},
    error::Error,
    finding::FindingQuery,
    port::completion::{Completions, IdPrefix, StoredCompletion},
    report::{ReportFormat, ReportKind},
    value::word::{Category, FindingStatus, Platform, Severity},
};

/// Minimum number of characters for completing an address, so that the list of people can't be read one letter at
/// a time.
const ADDRESS_CHARS_MIN: usize = 3;
/// Maximum number of characters of a text that is completed.
const TYPED_CHARS_MAX: usize = 320;

/// The kind of value to complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Completable {
    /// A finding's id.
    Finding,
    /// A scan's id.
    Scan,
    /// An integration's id.
    Integration,
    /// An app's id.
    App,
    /// An app's name, or an app's id if no name begins with the text.
    AppName,
    /// A person's email address, from three characters on.
    Address,
    /// A rule's id.
    Rule,
    /// A category of findings.
    Category,
    /// A severity.
    Severity,
    /// A framework.
    Framework,
    /// A service of a platform.
    Service,
    /// A platform.
    Platform,
    /// A type of scan.
    ScanType,
    /// A kind of report.
    ReportKind,
    /// The extension of a report's file name.
    ReportExtension,
}

/// Returns the words that begin with `typed`, then those that contain it, each group in its original order.
fn among<'w>(words: impl Iterator<Item = &'w str> + Clone, typed: &str) -> Completions {
    let begins = words.clone().filter(|word| word.starts_with(typed));
    let contains = words.filter(|word| !word.starts_with(typed) && word.contains(typed));
    Completions::of(begins.chain(contains).map(str::to_owned).collect())
}

impl Watchpost {
    /// Returns the values that begin with `typed`, most likely first. Returns no values to a caller who may not
    /// read posture, and for an address of fewer than three characters.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn complete(
        &self,
        scope: &WorkspaceScope,
        what: Completable,
        typed: &str,
    ) -> Unrecorded<Result<Completions, Error>> {
        Unrecorded::of(self.completions(scope, what, typed)).await
    }

    /// [`complete`](Self::complete) within a use case that records its own answer.
    pub(super) async fn completions(
        &self,
        scope: &WorkspaceScope,
        what: Completable,
        typed: &str,
    ) -> Result<Completions, Error> {
        if !scope.may(Permission::ReadPosture) || typed.chars().nth(TYPED_CHARS_MAX).is_some() {
            return Ok(Completions::default());
        }
        let typed = typed.trim().to_lowercase();
        let typed = typed.as_str();
        let ids = IdPrefix::parse(typed);
        let stored = match what {
            Completable::Finding if typed.is_empty() => return self.worst_findings(scope).await,
            Completable::Finding => ids.map(StoredCompletion::Findings),
            Completable::Scan => ids.map(StoredCompletion::Scans),
            Completable::App => ids.map(StoredCompletion::Apps),
            Completable::Address => (typed.chars().nth(ADDRESS_CHARS_MIN - 1).is_some())
                .then(|| StoredCompletion::Addresses(typed.to_owned())),
            Completable::AppName => Some(StoredCompletion::AppNames(typed.to_owned())),
            Completable::Integration => {
                let rows = self.store().list_integrations(scope).await?;
                let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
                return Ok(among(ids.iter().map(String::as_str), typed));
            }
            Completable::Rule => {
                let rules = self.engine().rules().iter();
                return Ok(among(rules.map(|rule| rule.id.as_str()), typed));
            }
            Completable::Category => {
                return Ok(among(Category::ALL.iter().map(|word| word.as_str()), typed));
            }
            Completable::Severity => {
                return Ok(among(Severity::ALL.iter().map(|word| word.as_str()), typed));
            }
            Completable::Framework => {
                return Ok(among(Framework::ALL.iter().map(|word| word.as_str()), typed));
            }
            Completable::Service => {
                return Ok(among(Service::ALL.iter().map(|word| word.as_str()), typed));
            }
            Completable::Platform => {
                return Ok(among(Platform::ALL.iter().map(|word| word.as_str()), typed));
            }
            Completable::ScanType => {
                return Ok(among(ScanType::ALL.iter().map(|word| word.as_str()), typed));
            }
            Completable::ReportKind => {
                return Ok(among(ReportKind::ALL.iter().map(|word| word.as_str()), typed));
            }
            Completable::ReportExtension => {
                return Ok(among(
                    ReportFormat::ALL.iter().map(|format| format.extension()),
                    typed,
                ));
            }
        };
        let Some(stored) = stored else {
            return Ok(Completions::default());
        };
        let mut found = self.store().complete(scope, &stored).await?;
        if let (Completable::AppName, true, Some(ids)) = (what, found.values.is_empty(), ids) {
            found = self.store().complete(scope, &StoredCompletion::Apps(ids)).await?;
        }
        Ok(found)
    }

    /// Returns the live findings, worst first, as completions of an empty text.
    async fn worst_findings(&self, scope: &WorkspaceScope) -> Result<Completions, Error> {
        let query = FindingQuery {
            statuses: vec![FindingStatus::Open, FindingStatus::InProgress],
            limit: crate::port::completion::COMPLETIONS_MAX,
            ..FindingQuery::default()
        };
        let page = self.store().list_findings(scope, &query).await?;
        Ok(Completions {
            values: page.findings.iter().map(|row| row.id.to_string()).collect(),
            total: (!page.total.is_minimum).then_some(page.total.value),
            more: page.next.is_some(),
        })
    }
}
