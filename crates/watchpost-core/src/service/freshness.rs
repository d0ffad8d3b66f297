//! How old and whole the data behind an answer is, in our own sentences.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::{Error, NextStep},
    integration::STALE_AFTER_MS,
    posture::{Freshness, SourceState},
    value::{
        time::Timestamp,
        word::{IntegrationStatus, words},
    },
};

words! {
    /// Why there is no score. Nothing is never "all good".
    PostureState {
        /// No platform is connected.
        NotConnected = "not_connected",
        /// A first sync or analysis is still to come.
        WaitingForFirstSync = "waiting_for_first_sync",
        /// No source can be read.
        Failed = "failed",
    }
}

/// Why there is no score, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotReady {
    /// The state.
    pub state: PostureState,
    /// What to do next.
    pub next_step: NextStep,
}

/// What stands in the way of taking an answer for the whole truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Our own words, with no word of a stranger's.
    pub text: String,
    /// What to do about it, where the text doesn't say it.
    pub next_step: Option<NextStep>,
}

impl From<String> for Warning {
    fn from(text: String) -> Self {
        Self {
            text,
            next_step: None,
        }
    }
}

impl Freshness {
    /// Sources that are stale, failing, paused or partly unreadable, and connected platforms that were never read.
    pub fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        let mut out: Vec<Warning> = Vec::new();
        for source in &self.sources {
            let title = source.platform.title();
            if let Some(failure) = &source.failure {
                out.push(
                    format!(
                        "{title} has not been read since {}: {}",
                        failure.since, failure.reason
                    )
                    .into(),
                );
            } else if source.status == IntegrationStatus::Paused {
                out.push(format!("{title} is paused; its data does not change").into());
            } else if let Some(at) = source.last_completed_at {
                if now.millis_since(at) > STALE_AFTER_MS {
                    out.push(format!("{title} was last read at {at}, more than 10 hours ago").into());
                }
            } else {
                out.push(format!("{title} has never been read completely").into());
            }
            if source.last_completed_at.is_some() && source.unreadable > 0 {
                out.push(Warning {
                    text: format!(
                        "{title}: {} of {} datasets can't be read",
                        source.unreadable,
                        source.unreadable.saturating_add(source.readable)
                    ),
                    next_step: Some(NextStep::VerifyIntegrations),
                });
            }
        }
        out
    }

    /// When the warnings next change by time alone: a kept reply is good until then.
    pub fn text_good_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.sources
            .iter()
            .filter_map(|source| source.last_completed_at)
            .map(|at| at.plus_millis(STALE_AFTER_MS.saturating_add(1)))
            .filter(|turn| *turn > now)
            .min()
    }

    /// Why there is nothing to judge by, if so.
    pub fn not_ready(&self) -> Option<NotReady> {
        let active = |source: &&SourceState| !matches!(source.status, IntegrationStatus::Disconnected);
        let sources: Vec<&SourceState> = self.sources.iter().filter(active).collect();
        if sources.is_empty() {
            return Some(NotReady {
                state: PostureState::NotConnected,
                next_step: NextStep::ConnectPlatform,
            });
        }
        let readable = sources
            .iter()
            .any(|source| source.last_completed_at.is_some() && source.readable > 0);
        if self.as_of.is_some() && readable {
            return None;
        }
        let failing = sources.iter().all(|source| {
            source.failure.is_some() || (source.last_completed_at.is_some() && source.readable == 0)
        });
        Some(if failing {
            NotReady {
                state: PostureState::Failed,
                next_step: NextStep::RepairSources,
            }
        } else {
            NotReady {
                state: PostureState::WaitingForFirstSync,
                next_step: NextStep::AwaitFirstSync,
            }
        })
    }
}

impl Watchpost {
    /// How old and whole the data is.
    ///
    /// # Errors
    /// The store's.
    pub async fn freshness(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Freshness, Error>> {
        Unrecorded::of(async { Ok(self.store().freshness(scope).await?) }).await
    }
}
