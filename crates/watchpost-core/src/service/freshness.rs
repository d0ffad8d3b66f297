//! How old and whole the data behind an answer is, in our own sentences.

use crate::{
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    /// The state.
    pub state: PostureState,
    /// What to do next: a command, in words.
    pub next_step: String,
}

impl Freshness {
    /// Sources that are stale, failing, paused or partly unreadable, and connected platforms that were never read: our
    /// own sentences, with no word of a stranger's.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut out = Vec::new();
        for source in &self.sources {
            let title = source.platform.title();
            if let Some(failure) = &source.failure {
                out.push(format!(
                    "{title} has not been read since {}: {}",
                    failure.since, failure.reason
                ));
            } else if source.status == IntegrationStatus::Paused {
                out.push(format!("{title} is paused; its data does not change"));
            } else if let Some(at) = source.last_completed_at {
                if now.millis_since(at) > STALE_AFTER_MS {
                    out.push(format!("{title} was last read at {at}, more than 10 hours ago"));
                }
            } else {
                out.push(format!("{title} has never been read completely"));
            }
            if source.last_completed_at.is_some() && source.unreadable > 0 {
                out.push(format!(
                    "{title}: {} of {} datasets can't be read; `watchpost integrations verify` says why",
                    source.unreadable,
                    source.unreadable.saturating_add(source.readable)
                ));
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
                next_step: "Connect a platform: run `watchpost integrations add okta` or `watchpost integrations add m365`".into(),
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
                next_step: "No source can be read: run `watchpost integrations verify` and repair what it names, then `watchpost sync`".into(),
            }
        } else {
            NotReady {
                state: PostureState::WaitingForFirstSync,
                next_step: "The first sync has not finished: wait a minute, or run `watchpost sync --wait`; a server or `watchpost sync` must be running".into(),
            }
        })
    }
}
