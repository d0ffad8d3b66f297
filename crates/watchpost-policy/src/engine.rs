//! The rule engine: a thread pool that implements the port.

use crate::{
    judge::{Judge, Strikes},
    pack::Pack,
    pool::{Pool, Work, processors},
};
use async_trait::async_trait;
use std::{
    ops::Range,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};
use watchpost_core::rule::{EngineError, Evaluation, Rule, RuleEngine, document::Document};

/// Maximum number of threads in a pool.
const THREADS_MAX: usize = 16;
/// Maximum number of documents that a thread takes at a time.
const CHUNK_MAX: usize = 256;

/// The rule engine. The first evaluation starts its threads and compiles its rules; dropping the engine stops the
/// threads.
pub struct RegoRules {
    pool: Pool<Batch>,
}

/// State that the threads share.
struct Shared {
    pack: Pack,
    strikes: OnceLock<Strikes>,
}

/// Documents to evaluate.
struct Batch {
    documents: Arc<Vec<Document>>,
    now_ms: i64,
}

impl std::fmt::Debug for RegoRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegoRules")
            .field("threads", &self.pool.threads())
            .finish_non_exhaustive()
    }
}

impl RegoRules {
    /// Creates an engine with as many threads as the machine has processors, at most 16.
    pub fn new(pack: Pack) -> Self {
        Self::with_threads(pack, processors())
    }

    /// Creates an engine with `threads` threads (1 to 16).
    pub fn with_threads(pack: Pack, threads: usize) -> Self {
        let shared = Shared {
            pack,
            strikes: OnceLock::new(),
        };
        Self {
            pool: Pool::new("watchpost-rules", threads.clamp(1, THREADS_MAX), shared),
        }
    }

    /// Returns the pack with the engine's rules.
    pub fn pack(&self) -> &Pack {
        &self.pool.shared().pack
    }
}

#[async_trait]
impl RuleEngine for RegoRules {
    fn rules(&self) -> &[Rule] {
        self.pack().rules()
    }

    async fn evaluate(&self, batch: Arc<Vec<Document>>, now_ms: i64) -> Result<Evaluation, EngineError> {
        let documents = batch.len();
        let size = documents
            .div_ceil(self.pool.threads().saturating_mul(4))
            .clamp(1, CHUNK_MAX);
        let batch = Batch {
            documents: batch,
            now_ms,
        };
        let mut whole = Evaluation::default();
        for part in self.pool.run(batch, documents, size).await? {
            whole.hits.extend(part.hits);
            whole.failures.extend(part.failures);
            whole.unjudged.extend(part.unjudged);
        }
        Ok(whole)
    }
}

impl Work for Batch {
    type Shared = Shared;
    type Judge = Judge;
    type Part = Evaluation;

    fn chunk(
        &self,
        shared: &Shared,
        judge: &mut Option<Judge>,
        items: Range<usize>,
        abandoned: &AtomicBool,
    ) -> Result<Evaluation, EngineError> {
        let judge = match judge {
            Some(judge) => judge,
            None => judge.insert(Judge::new(&shared.pack)?),
        };
        let rules = shared.pack.rules().len();
        let strikes = shared.strikes.get_or_init(|| Strikes::new(rules));
        let mut evaluation = Evaluation::default();
        for document in self.documents.get(items).unwrap_or_default() {
            if abandoned.load(Ordering::Relaxed) {
                break;
            }
            judge.judge(&shared.pack, strikes, document, self.now_ms, &mut evaluation);
        }
        Ok(evaluation)
    }
}
