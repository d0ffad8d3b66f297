//! A timer for deadlines that are usually met.

use std::{pin::Pin, task::Context};
use tokio::time::{Instant, Sleep};

/// A timer that isn't reset when its deadline moves later. It wakes at the old time, sees that the deadline
/// hasn't passed, and continues.
#[derive(Debug, Default)]
pub(crate) struct DeadlineTimer {
    sleep: Option<(Pin<Box<Sleep>>, Instant)>,
}

impl DeadlineTimer {
    /// Whether `deadline` has passed. If not, the task is woken at that time or earlier.
    pub(crate) fn has_passed(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        let (sleep, armed) = self
            .sleep
            .get_or_insert_with(|| (Box::pin(tokio::time::sleep_until(deadline)), deadline));
        if deadline < *armed {
            sleep.as_mut().reset(deadline);
            *armed = deadline;
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            sleep.as_mut().reset(deadline);
            *armed = deadline;
        }
        false
    }
}
