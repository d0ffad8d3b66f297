//! Checks: what a scan judges an integration's settings by, and the port to the engine that does it.

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
    /// What a scan looks for.
    ScanType {
        /// Whether settings meet the frameworks' demands.
        Compliance = "compliance",
        /// Whether settings and apps let strangers in or data out.
        Exposure = "exposure",
    }
    /// What a check found.
    CheckResult {
        /// As it should be.
        Passed = "passed",
        /// Not as it should be.
        Failed = "failed",
        /// Not judged, with a [`SkipReason`].
        Skipped = "skipped",
        /// The check itself failed to evaluate.
        Error = "error",
    }
    /// Why a check wasn't judged.
    SkipReason {
        /// The feature isn't used, or a precondition doesn't hold.
        NotApplicable = "not_applicable",
        /// The tenant's licence lacks the feature.
        Unlicensed = "unlicensed",
        /// A setting that it needs couldn't be read.
        Unreadable = "unreadable",
        /// A person must look.
        Manual = "manual",
    }
    /// What a check goes over.
    CheckOver {
        /// The integration's settings, once.
        Settings = "settings",
        /// Its apps, page by page.
        Apps = "apps",
    }
    /// How missing input and some bounds are read.
    Profile {
        /// Watchpost's own reading: what couldn't be read is skipped.
        Default = "default",
        /// The reading of CISA's published baselines: what couldn't be read fails.
        Scuba = "scuba",
    }
}

/// One check, as its METADATA describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its id, e.g. `spo.sharing_limited`.
    pub id: String,
    /// The condition that it judges: its own id, unless it judges the same as others (see
    /// [`crate::finding::fingerprint`]).
    pub condition: String,
    /// A short title.
    pub title: String,
    /// What it demands and why that matters.
    pub description: String,
    /// The type of scan that runs it; `None` for variants that only offline evaluation uses.
    pub scan: Option<ScanType>,
    /// How bad a failure is.
    pub severity: Severity,
    /// Category of its findings.
    pub category: Category,
    /// The service whose settings it judges.
    pub service: Service,
    /// Platforms that have it.
    pub platforms: Vec<Platform>,
    /// What it goes over.
    pub over: CheckOver,
    /// Setting paths without which it can't judge.
    pub inputs: Vec<String>,
    /// Setting paths that it looks at if they are there.
    pub optional_inputs: Vec<String>,
    /// A person must always look.
    pub manual: bool,
    /// For a variant of a former baseline: the check of today that is nearest.
    pub variant_of: Option<String>,
    /// Ids in the frameworks.
    pub frameworks: Vec<FrameworkId>,
    /// Steps to do by hand, in order.
    pub remediation: Vec<String>,
    /// Where the reader learns more.
    pub references: Vec<String>,
}

impl Check {
    /// Whether its findings count in the risk score.
    pub const fn is_scored(&self) -> bool {
        !matches!(self.category, Category::LicenseWaste) && !matches!(self.severity, Severity::Info)
    }
    /// Its ids in one framework, in the order of METADATA.
    pub fn ids_in(&self, framework: Framework) -> impl Iterator<Item = &str> {
        self.frameworks
            .iter()
            .filter(move |id| id.framework() == framework)
            .map(FrameworkId::as_str)
    }
}

/// A setting that couldn't be read, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// How its collection ended; never `complete`.
    pub state: CollectionState,
    /// The missing permission in the vendor's words, or a reason; our own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Something that a check leaves out: agreed by a person, with an end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exempted {
    /// A check's id, or an id of it in a framework.
    pub check: String,
    /// `user`, `group`, `application`, `role`, `domain`, `mailbox`, `policy`, `app`, or `*` for the check as a whole.
    pub kind: String,
    /// The vendor's id or name of the thing; empty for `*`.
    pub id: String,
}

/// What checks judge: one tenant's settings.
#[derive(Debug, Clone)]
pub struct CheckDocument {
    /// Kind of platform.
    pub platform: Platform,
    /// The vendor's id of the tenant; empty if unknown.
    pub tenant: String,
    /// Its name; empty if unknown.
    pub tenant_name: String,
    /// Settings that were read, by path.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Settings that were tried and not wholly read, by path. A path in neither map was not collected.
    pub unreadable: BTreeMap<String, Unreadable>,
    /// What is exempted.
    pub exemptions: Vec<Exempted>,
    /// Parameters that replace a check's defaults, by its id or an id of it in a framework.
    pub params: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// A page of apps, for checks over apps.
    pub apps: Vec<AppDocument>,
}

impl CheckDocument {
    /// An empty document.
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

/// The engine that judges settings. Brings its own threads; prepared once.
#[async_trait]
pub trait CheckEngine: Send + Sync {
    /// All checks, sorted by id, without repeats. Doesn't change while the process runs.
    fn checks(&self) -> &[Check];
    /// Evaluates the checks at these positions of [`Self::checks`] on one document. One verdict per position, in the
    /// order given; a check that fails to evaluate gives [`CheckResult::Error`] and hurts no other. `now_ms` is the
    /// time that the checks see.
    ///
    /// # Errors
    /// [`EngineError`] if the engine itself can't go on.
    async fn evaluate_checks(
        &self,
        document: Arc<CheckDocument>,
        checks: Vec<usize>,
        profile: Profile,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, EngineError>;
}
