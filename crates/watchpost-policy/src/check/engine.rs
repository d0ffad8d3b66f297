//! The check engine: a thread pool that implements the port.

use super::{judge::CheckJudge, view::View};
use crate::{
    pack::Pack,
    pool::{Pool, Work, processors},
};
use async_trait::async_trait;
use std::{
    ops::Range,
    sync::{Arc, OnceLock, atomic::AtomicBool},
};
use watchpost_core::{
    check::{Check, CheckDocument, CheckEngine, Profile, Verdict},
    rule::EngineError,
};

/// Maximum number of threads in a pool. Few scans run at a time, and each is short.
const THREADS_MAX: usize = 4;
/// Number of checks that a thread takes at a time.
const CHUNK: usize = 16;

/// The engine that evaluates checks. Its threads start at the first evaluation and stop when it is dropped.
pub struct RegoChecks {
    pool: Pool<Evaluating>,
}

/// A document under evaluation.
struct Evaluating {
    document: Arc<CheckDocument>,
    /// The converted document. The first thread converts it.
    view: OnceLock<Result<View, String>>,
    checks: Vec<usize>,
    profile: Profile,
    now_ms: i64,
}

impl std::fmt::Debug for RegoChecks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegoChecks")
            .field("threads", &self.pool.threads())
            .finish_non_exhaustive()
    }
}

impl RegoChecks {
    /// Creates an engine with as many threads as the machine has processors, at most 4. Pass a clone of the rule engine's
    /// pack, so that the pack is loaded only once.
    pub fn new(pack: Pack) -> Self {
        Self::with_threads(pack, processors())
    }

    /// Creates an engine with `threads` threads (1 to 4).
    pub fn with_threads(pack: Pack, threads: usize) -> Self {
        Self {
            pool: Pool::new("watchpost-checks", threads.clamp(1, THREADS_MAX), pack),
        }
    }

    /// Returns the pack with the engine's checks.
    pub fn pack(&self) -> &Pack {
        self.pool.shared()
    }
}

#[async_trait]
impl CheckEngine for RegoChecks {
    fn checks(&self) -> &[Check] {
        self.pack().checks().checks()
    }

    async fn evaluate_checks(
        &self,
        document: Arc<CheckDocument>,
        checks: Vec<usize>,
        profile: Profile,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, EngineError> {
        let count = checks.len();
        let work = Evaluating {
            document,
            view: OnceLock::new(),
            checks,
            profile,
            now_ms,
        };
        Ok(self
            .pool
            .run(work, count, CHUNK)
            .await?
            .into_iter()
            .flatten()
            .collect())
    }
}

impl Work for Evaluating {
    type Shared = Pack;
    type Judge = CheckJudge;
    type Part = Vec<Verdict>;

    fn chunk(
        &self,
        pack: &Pack,
        judge: &mut Option<CheckJudge>,
        items: Range<usize>,
        _: &AtomicBool,
    ) -> Result<Vec<Verdict>, EngineError> {
        let judge = judge.get_or_insert_with(|| CheckJudge::new(pack));
        let view = self
            .view
            .get_or_init(|| View::new(pack.checks(), &self.document, self.profile, self.now_ms));
        let checks = self.checks.get(items).unwrap_or_default();
        Ok(judge.judge_view(view.as_ref().map_err(String::as_str), checks))
    }
}
