//! The check engine: a pool of threads behind the port.

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

/// Threads that a pool has at the most: few scans run at a time, and each is short.
const THREADS_MAX: usize = 4;
/// Checks that a thread takes at a time.
const CHUNK: usize = 16;

/// The engine that evaluates checks. Its threads start at the first evaluation and end when it is dropped.
pub struct RegoChecks {
    pool: Pool<Evaluating>,
}

/// A document under evaluation.
struct Evaluating {
    document: Arc<CheckDocument>,
    /// Converted by the thread that comes first.
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
    /// An engine with as many threads as the machine has processors, at most 4. Give it a clone of the pack that the
    /// rule engine has: a pack is loaded once.
    pub fn new(pack: Pack) -> Self {
        Self::with_threads(pack, processors())
    }

    /// An engine with so many threads (1 to 4).
    pub fn with_threads(pack: Pack, threads: usize) -> Self {
        Self {
            pool: Pool::new("watchpost-checks", threads.clamp(1, THREADS_MAX), pack),
        }
    }

    /// Its checks' pack.
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
