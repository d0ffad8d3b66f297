//! A timer for deadlines that are nearly always met.

use std::{pin::Pin, task::Context};
use tokio::time::{Instant, Sleep};

/// One timer that only ever rings late, never early: moving its deadline back costs nothing until then.
#[derive(Debug, Default)]
pub(crate) struct DeadlineTimer {
    sleep: Option<(Pin<Box<Sleep>>, Instant)>,
}

impl DeadlineTimer {
    /// Whether `deadline` has passed; if not, the task is woken no later than then.
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
