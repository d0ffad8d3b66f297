//! The age and completeness of the data behind an answer, with warnings for people.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::{Error, NextStep},
    integration::STALE_AFTER_MS,
    posture::{Freshness, People, SourceState},
    text,
    value::{
        time::{HOUR_MS, Timestamp},
        word::{IntegrationStatus, words},
    },
};

words! {
    /// The reason why there is no score. Missing data is never reported as a good score.
    PostureState {
        /// No platform is connected.
        NotConnected = "not_connected",
        /// The first sync or analysis hasn't finished.
        WaitingForFirstSync = "waiting_for_first_sync",
        /// No source can be read, or none of them lets its people be read.
        Failed = "failed",
    }
}

/// The reason why there is no score, and the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotReady {
    /// The state.
    pub state: PostureState,
    /// The suggested next step.
    pub next_step: NextStep,
}

/// A reason why an answer may be incomplete or outdated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The text, which contains no untrusted text.
    pub text: String,
    /// The suggested next step, if the text doesn't contain one.
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
    /// Returns warnings about sources that are stale, failing, paused or partly unreadable, about integrations that
    /// were never read, and about lists that shrank.
    pub fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        let mut out: Vec<Warning> = Vec::new();
        for source in &self.sources {
            let title = source.platform.title();
            if let Some(failure) = &source.failure {
                out.push(Warning {
                    text: text::freshness::failing(title, failure.since, &failure.reason),
                    next_step: failure.next_step(source.platform),
                });
            } else if source.status == IntegrationStatus::Paused {
                out.push(text::freshness::paused(title).into());
            } else if let Some(at) = source.last_completed_at {
                if now.millis_since(at) > STALE_AFTER_MS {
                    out.push(text::freshness::stale(title, at, STALE_AFTER_MS / HOUR_MS).into());
                }
            } else {
                out.push(text::freshness::never_read(title).into());
            }
            match &source.people {
                People::Unknown(unread) => out.push(Warning {
                    text: text::freshness::people_unknown(title, unread.state, unread.detail.as_deref()),
                    next_step: Some(NextStep::VerifyIntegrations),
                }),
                // The warning below says more.
                People::Outdated(_) if source.shrunk.iter().any(|(list, _)| list.holds_accounts()) => {}
                People::Outdated(unread) => {
                    out.push(
                        text::freshness::people_outdated(title, unread.state, unread.detail.as_deref())
                            .into(),
                    );
                }
                People::Awaited | People::Read => {}
            }
            if let Some((dataset, shrink)) = source.shrunk.first() {
                let others = source.shrunk.len().saturating_sub(1);
                out.push(Warning {
                    text: text::freshness::shrank(title, dataset, (shrink.from, shrink.to), others),
                    next_step: Some(NextStep::ConfirmShrink),
                });
            }
            if source.last_completed_at.is_some() && source.unreadable > 0 {
                out.push(Warning {
                    text: text::freshness::unreadable_datasets(title, source.unreadable, source.readable),
                    next_step: Some(NextStep::VerifyIntegrations),
                });
            }
        }
        out
    }

    /// Returns the time at which the warnings next change without new data. A cached answer is valid until then.
    pub fn warnings_change_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.sources
            .iter()
            .filter_map(|source| source.last_completed_at)
            .map(|at| at.plus_millis(STALE_AFTER_MS.saturating_add(1)))
            .filter(|time| *time > now)
            .min()
    }

    /// Returns the active sources whose people have never been read: the score says nothing about them.
    pub fn without_people(&self) -> impl Iterator<Item = &SourceState> {
        self.sources.iter().filter(|source| {
            !matches!(source.status, IntegrationStatus::Disconnected)
                && matches!(source.people, People::Unknown(_))
        })
    }

    /// Returns the reason why there is no score, or `None` if there is one.
    pub fn not_ready(&self) -> Option<NotReady> {
        let active = |source: &&SourceState| !matches!(source.status, IntegrationStatus::Disconnected);
        let sources: Vec<&SourceState> = self.sources.iter().filter(active).collect();
        if sources.is_empty() {
            return Some(NotReady {
                state: PostureState::NotConnected,
                next_step: NextStep::ConnectPlatform,
            });
        }
        // A platform whose people can't be read has no findings about them, which must not count as good.
        let readable = sources
            .iter()
            .any(|source| source.last_completed_at.is_some() && source.knows_people());
        if self.as_of.is_some() && readable {
            return None;
        }
        let failing = sources.iter().all(|source| {
            source.failure.is_some() || (source.last_completed_at.is_some() && !source.knows_people())
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
    /// Returns the age and completeness of the data.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn freshness(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Freshness, Error>> {
        Unrecorded::of(async { Ok(self.store().freshness(scope).await?) }).await
    }
}
