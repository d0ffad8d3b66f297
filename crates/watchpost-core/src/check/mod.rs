//! Checks, by which a scan evaluates an integration's settings, and the port to the engine that evaluates them.

mod framework;
mod verdict;

pub use framework::{Framework, FrameworkId, Service};
pub use verdict::{CheckEntity, Outcome, Verdict, WouldPass};

use crate::{
    rule::{EngineError, document::AppDocument},
    value::word::{Category, CollectionState, Platform, Severity, words},
};
use async_trait::async_trait;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

words! {
    /// The purpose of a scan.
    ScanType {
        /// Whether settings meet the requirements of frameworks.
        Compliance = "compliance",
        /// Whether settings and apps allow unauthorized access or data leaks.
        Exposure = "exposure",
    }
    /// The result of a check.
    CheckResult {
        /// The settings meet the requirement.
        Passed = "passed",
        /// The settings don't meet the requirement.
        Failed = "failed",
        /// Not evaluated, for a [`SkipReason`].
        Skipped = "skipped",
        /// The evaluation failed.
        Error = "error",
    }
    /// The reason for which a check was skipped.
    SkipReason {
        /// The feature isn't used, or a precondition isn't met.
        NotApplicable = "not_applicable",
        /// The tenant's license doesn't include the feature.
        Unlicensed = "unlicensed",
        /// A required setting couldn't be read.
        Unreadable = "unreadable",
        /// A person must verify the requirement.
        Manual = "manual",
    }
    /// The entities that a check evaluates.
    CheckOver {
        /// The integration's settings, once.
        Settings = "settings",
        /// The integration's apps, page by page.
        Apps = "apps",
    }
    /// The interpretation of missing input and of some limits.
    Profile {
        /// Watchpost's own interpretation: a check with unreadable input is skipped.
        Default = "default",
        /// The interpretation of CISA's published baselines: a check with unreadable input fails.
        Scuba = "scuba",
    }
}

/// A check, as described by its METADATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The check's id, e.g. `spo.sharing_limited`.
    pub id: String,
    /// The condition that the check detects: its own id, unless other checks or rules detect the same condition
    /// (see [`crate::finding::fingerprint`]).
    pub condition: String,
    /// A short title.
    pub title: String,
    /// The requirement, and why it matters.
    pub description: String,
    /// The type of scan that runs the check; `None` for variants that only offline evaluation uses.
    pub scan: Option<ScanType>,
    /// The severity of a failure.
    pub severity: Severity,
    /// The category of the check's findings.
    pub category: Category,
    /// The service whose settings the check evaluates.
    pub service: Service,
    /// The platforms to which the check applies; empty for all.
    pub platforms: Vec<Platform>,
    /// The entities that the check evaluates.
    pub over: CheckOver,
    /// The paths of the settings that the check requires.
    pub inputs: Vec<String>,
    /// The paths of the settings that the check uses if they are available.
    pub optional_inputs: Vec<String>,
    /// Whether a person must always verify the requirement.
    pub manual: bool,
    /// The closest current check, for a variant from a former baseline.
    pub variant_of: Option<String>,
    /// The check's ids in frameworks.
    pub frameworks: Vec<FrameworkId>,
    /// The manual steps to fix a failure, in order.
    pub remediation: Vec<String>,
    /// References for further reading.
    pub references: Vec<String>,
}

impl Check {
    /// Returns whether the check's findings count in the risk score.
    pub const fn is_scored(&self) -> bool {
        !matches!(self.category, Category::LicenseWaste) && !matches!(self.severity, Severity::Info)
    }
    /// Returns the check's ids in one framework, in the order of METADATA.
    pub fn ids_in(&self, framework: Framework) -> impl Iterator<Item = &str> {
        self.frameworks
            .iter()
            .filter(move |id| id.framework() == framework)
            .map(FrameworkId::as_str)
    }
}

/// A setting that couldn't be read, or not completely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The state of the collection; never `complete`.
    pub state: CollectionState,
    /// The missing permission as the vendor names it, or a reason written by Watchpost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// An entity that is exempted from a check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exempted {
    /// The check's id, or one of its ids in a framework.
    pub check: String,
    /// `user`, `group`, `application`, `role`, `domain`, `mailbox`, `policy`, `app`, or `*` for the check as a whole.
    pub kind: String,
    /// The vendor's id or name of the entity; empty for `*`.
    pub id: String,
}

/// The input of checks: the settings of one tenant.
#[derive(Debug, Clone)]
pub struct CheckDocument {
    /// The platform.
    pub platform: Platform,
    /// The vendor's id of the tenant; empty if unknown.
    pub tenant: String,
    /// The tenant's name; empty if unknown.
    pub tenant_name: String,
    /// The settings that were read, by path.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// The settings that couldn't be read, or not completely, by path. A path in neither map was not collected.
    pub unreadable: BTreeMap<String, Unreadable>,
    /// The exempted entities.
    pub exemptions: Vec<Exempted>,
    /// Parameters that override a check's defaults, by the check's id or one of its ids in a framework.
    pub params: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// A page of apps, for checks of apps.
    pub apps: Vec<AppDocument>,
}

impl CheckDocument {
    /// Creates an empty document.
    pub const fn new(platform: Platform, tenant: String, tenant_name: String) -> Self {
        Self {
            platform,
            tenant,
            tenant_name,
            settings: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            exemptions: Vec::new(),
            params: BTreeMap::new(),
            apps: Vec::new(),
        }
    }
}

/// The engine that evaluates settings. It brings its own threads and is prepared once.
#[async_trait]
pub trait CheckEngine: Send + Sync {
    /// Returns all checks, sorted by id and distinct. The list doesn't change while the process runs.
    fn checks(&self) -> &[Check];
    /// Evaluates the checks at these positions in [`Self::checks`] on one document. Returns one verdict per
    /// position, in the given order. A check that fails to evaluate yields [`CheckResult::Error`] and doesn't
    /// affect the others. `now_ms` is the current time that the checks see, in milliseconds since
    /// 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`EngineError`] if the engine itself can't continue.
    async fn evaluate_checks(
        &self,
        document: Arc<CheckDocument>,
        checks: Vec<usize>,
        profile: Profile,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, EngineError>;
}
