//! Texts of `watchpost schedule`.

use crate::output::time_or_never;
use watchpost_core::scan::{Recurrence, Schedule};

pub(crate) const NO_SCHEDULES: &str = "There are no schedules yet: add one with `watchpost schedule add`.";
pub(crate) const ENABLED: &str = "The schedule is enabled.";
pub(crate) const DISABLED: &str = "The schedule is disabled: it starts no scans until it is enabled again.";
pub(crate) const REMOVED: &str = "The schedule is removed.";
pub(crate) const INVALID_TIME: &str = "use hours and minutes, such as 06:30";

pub(crate) fn added(schedule: &Schedule) -> String {
    format!(
        "Added the schedule: {}, next at {}. A running server starts the scans. Id {}",
        recurrence(schedule),
        time_or_never(schedule.next_at),
        schedule.id
    )
}

/// `weekly on Monday at 06:30 (Europe/Berlin)`.
pub(crate) fn recurrence(schedule: &Schedule) -> String {
    const DAYS: [&str; 7] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    let text = match &schedule.recurrence {
        Recurrence::Daily { hour, minute } => format!("daily at {hour:02}:{minute:02}"),
        Recurrence::Weekly {
            day_of_week,
            hour,
            minute,
        } => {
            let day = DAYS.get(usize::from(*day_of_week)).unwrap_or(&"?");
            format!("weekly on {day} at {hour:02}:{minute:02}")
        }
        Recurrence::Monthly {
            day_of_month,
            hour,
            minute,
        } => format!("monthly on day {day_of_month} at {hour:02}:{minute:02}"),
        Recurrence::Cron { expression } => format!("cron {expression}"),
    };
    format!("{text} ({})", schedule.zone)
}
