//! Schedules, which start scans automatically.

use crate::{
    access::{Command, Permission},
    audit::AuditTarget,
    check::ScanType,
    text,
    value::{
        id::{IntegrationId, ScheduleId},
        text::ForeignText,
        time::Timestamp,
    },
};
use croner::{Cron, parser::CronParser};
use jiff::{ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Maximum length of a cron expression, in characters.
const CRON_CHARS_MAX: usize = 100;
/// Number of days that are searched for the next time of a daily, weekly or monthly schedule.
const DAYS_AHEAD: i32 = 400;

/// Maximum number of schedules in a workspace.
pub const SCHEDULES_MAX: u64 = 100;

/// The recurrence of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frequency", rename_all = "snake_case")]
pub enum Recurrence {
    /// Every day at a time.
    Daily {
        /// The hour, 0 to 23.
        hour: u8,
        /// The minute, 0 to 59.
        minute: u8,
    },
    /// Every week on a day at a time.
    Weekly {
        /// The day of the week, from 0 (Monday) to 6 (Sunday).
        day_of_week: u8,
        /// The hour, 0 to 23.
        hour: u8,
        /// The minute, 0 to 59.
        minute: u8,
    },
    /// Every month on a day at a time; in shorter months, on the last day.
    Monthly {
        /// The day of the month, 1 to 31.
        day_of_month: u8,
        /// The hour, 0 to 23.
        hour: u8,
        /// The minute, 0 to 59.
        minute: u8,
    },
    /// At the times of a cron expression with five fields.
    Cron {
        /// The minute, hour, day of month, month and day of week.
        expression: String,
    },
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The schedule's id.
    pub id: ScheduleId,
    /// The name that a person chose.
    pub name: ForeignText,
    /// The integration to scan.
    pub integration: IntegrationId,
    /// The types of scan to start; at least one.
    pub scan_types: Vec<ScanType>,
    /// The recurrence.
    pub recurrence: Recurrence,
    /// The IANA name of the time zone of the recurrence.
    pub zone: String,
    /// Whether the schedule is enabled.
    pub enabled: bool,
    /// The time at which the schedule last started scans.
    pub last_triggered_at: Option<Timestamp>,
    /// The next time at which the schedule starts scans; `None` if it is disabled, or if its expression has no
    /// further occurrence.
    pub next_at: Option<Timestamp>,
}

/// The error of an invalid schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// The time zone doesn't exist.
    #[error("`{0}` is not a time zone: use an IANA name such as Europe/Berlin or UTC")]
    Zone(String),
    /// A number is out of range.
    #[error("{0}")]
    Range(&'static str),
    /// The expression isn't a cron expression, or has a field for seconds.
    #[error(
        "`{0}` is not a cron expression with five fields (minute, hour, day of month, month, day of week), such as `30 6 * * 1`"
    )]
    Cron(String),
    /// The expression has no occurrence.
    #[error("`{0}` never occurs")]
    Never(String),
}

/// Returns the first time after `after` at which a recurrence occurs. A local time that a clock change skips is
/// moved one hour later; of one that occurs twice, the first is used.
///
/// # Errors
/// [`InvalidSchedule`] if the recurrence or the time zone is invalid.
pub fn next_after(
    recurrence: &Recurrence,
    zone: &str,
    after: Timestamp,
) -> Result<Timestamp, InvalidSchedule> {
    let tz = zone_of(zone)?;
    let start = jiff::Timestamp::from_millisecond(after.as_millis())
        .map_err(|_| InvalidSchedule::Range(text::schedule::TIME_OUT_OF_RANGE))?
        .to_zoned(tz.clone());
    match recurrence {
        Recurrence::Cron { expression } => {
            let cron = cron_of(expression)?;
            let next = cron
                .find_next_occurrence(&start, false)
                .map_err(|_| InvalidSchedule::Never(expression.clone()))?;
            Ok(Timestamp::from_millis(next.timestamp().as_millisecond()))
        }
        Recurrence::Daily { hour, minute } => on_days(&start, &tz, (*hour, *minute), |_| true),
        Recurrence::Weekly {
            day_of_week,
            hour,
            minute,
        } => {
            if *day_of_week > 6 {
                return Err(InvalidSchedule::Range(text::schedule::DAY_OF_WEEK_RANGE));
            }
            on_days(&start, &tz, (*hour, *minute), |date| {
                u8::try_from(date.weekday().to_monday_zero_offset()) == Ok(*day_of_week)
            })
        }
        Recurrence::Monthly {
            day_of_month,
            hour,
            minute,
        } => {
            if !(1..=31).contains(day_of_month) {
                return Err(InvalidSchedule::Range(text::schedule::DAY_OF_MONTH_RANGE));
            }
            on_days(&start, &tz, (*hour, *minute), |date| {
                let wanted = i8::try_from(*day_of_month)
                    .unwrap_or(31)
                    .min(date.days_in_month());
                date.day() == wanted
            })
        }
    }
}

fn on_days(
    start: &jiff::Zoned,
    tz: &TimeZone,
    (hour, minute): (u8, u8),
    matches: impl Fn(civil::Date) -> bool,
) -> Result<Timestamp, InvalidSchedule> {
    let wrong = || InvalidSchedule::Range(text::schedule::TIME_OF_DAY_RANGE);
    let (hour, minute) = (
        i8::try_from(hour).map_err(|_| wrong())?,
        i8::try_from(minute).map_err(|_| wrong())?,
    );
    let time = civil::Time::new(hour, minute, 0, 0).map_err(|_| wrong())?;
    let first = start.date();
    for ahead in 0..DAYS_AHEAD {
        let Ok(date) = first.checked_add(ahead.days()) else {
            break;
        };
        if !matches(date) {
            continue;
        }
        // `compatible` moves a skipped time later and uses the first of two equal local times.
        if let Ok(at) = tz.to_ambiguous_zoned(date.to_datetime(time)).compatible()
            && at.timestamp() > start.timestamp()
        {
            return Ok(Timestamp::from_millis(at.timestamp().as_millisecond()));
        }
    }
    Err(InvalidSchedule::Range("no such day"))
}

fn zone_of(name: &str) -> Result<TimeZone, InvalidSchedule> {
    if name.eq_ignore_ascii_case("UTC") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| InvalidSchedule::Zone(name.chars().take(64).collect()))
}

fn cron_of(expression: &str) -> Result<Cron, InvalidSchedule> {
    let wrong = || InvalidSchedule::Cron(expression.chars().take(CRON_CHARS_MAX).collect());
    if expression.chars().count() > CRON_CHARS_MAX || expression.split_whitespace().count() != 5 {
        return Err(wrong());
    }
    CronParser::builder()
        .build()
        .parse(expression)
        .or_else(|_| Cron::from_str(expression))
        .map_err(|_| wrong())
}

/// Creates a schedule.
#[derive(Debug)]
pub struct AddSchedule {
    /// The schedule, with its first time.
    pub schedule: Schedule,
}

impl Command for AddSchedule {
    fn permission(&self) -> Permission {
        Permission::ManageSchedules
    }
    fn action(&self) -> &'static str {
        "schedule.created"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("schedule", &self.schedule.id)
    }
}

/// A change to a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleChange {
    /// Disables the schedule until it is enabled again.
    Disable,
    /// Enables the schedule. It next starts scans at this time.
    Enable(Timestamp),
    /// Deletes the schedule.
    Delete,
}

/// Changes a schedule.
#[derive(Debug)]
pub struct ChangeSchedule {
    /// The schedule.
    pub id: ScheduleId,
    /// The change.
    pub change: ScheduleChange,
}

impl Command for ChangeSchedule {
    fn permission(&self) -> Permission {
        Permission::ManageSchedules
    }
    fn action(&self) -> &'static str {
        match self.change {
            ScheduleChange::Delete => "schedule.deleted",
            _ => "schedule.updated",
        }
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("schedule", &self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_use_the_local_time_of_their_zone() {
        let check = |recurrence: &Recurrence, zone: &str, after: &str, expected: &str| {
            let next = next_after(recurrence, zone, after.parse().unwrap()).unwrap();
            assert_eq!(next.to_string(), expected, "{recurrence:?} {zone} {after}");
        };
        let daily = Recurrence::Daily { hour: 6, minute: 30 };
        check(&daily, "UTC", "2026-03-02T06:29:59Z", "2026-03-02T06:30:00Z");
        check(&daily, "UTC", "2026-03-02T06:30:00Z", "2026-03-03T06:30:00Z");
        // Winter time, then daylight saving time.
        check(
            &daily,
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T04:30:00Z",
        );
        // 02:30 doesn't exist on that day in Berlin. It is moved one hour later.
        let gap = Recurrence::Daily { hour: 2, minute: 30 };
        check(
            &gap,
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:30:00Z",
        );
        // 02:30 occurs twice. The first time is used.
        check(
            &gap,
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
        );
        let weekly = Recurrence::Weekly {
            day_of_week: 0,
            hour: 1,
            minute: 0,
        };
        check(
            &weekly,
            "America/New_York",
            "2026-03-02T12:00:00Z",
            "2026-03-09T05:00:00Z",
        );
        let monthly = Recurrence::Monthly {
            day_of_month: 31,
            hour: 0,
            minute: 0,
        };
        check(&monthly, "UTC", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z");
        let cron = Recurrence::Cron {
            expression: "30 6 * * 1".into(),
        };
        check(&cron, "UTC", "2026-03-02T06:30:00Z", "2026-03-09T06:30:00Z");
    }

    #[test]
    fn errors_of_invalid_schedules_describe_valid_values() {
        let check = |recurrence: Recurrence, zone: &str, expected: &str| {
            let error = next_after(&recurrence, zone, Timestamp::from_millis(0)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(
            Recurrence::Daily { hour: 24, minute: 0 },
            "UTC",
            "`hour` must be 0 to 23",
        );
        check(
            Recurrence::Daily { hour: 1, minute: 0 },
            "Mars/Olympus",
            "IANA name",
        );
        let cron = |text: &str| Recurrence::Cron {
            expression: text.into(),
        };
        check(cron("every day"), "UTC", "five fields");
        check(cron("* * * * * *"), "UTC", "five fields");
        check(cron("0 0 31 2 *"), "UTC", "never occurs");
    }
}
