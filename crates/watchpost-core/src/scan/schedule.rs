//! Schedules: when scans start by themselves.

use crate::{
    access::{Command, Permission},
    audit::AuditTarget,
    check::ScanType,
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

/// Characters of a cron expression.
const CRON_CHARS_MAX: usize = 100;
/// Days that are looked at for the next time of a daily, weekly or monthly schedule.
const DAYS_AHEAD: i32 = 400;

/// Schedules of a workspace at the most.
pub const SCHEDULES_MAX: u64 = 100;

/// How often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frequency", rename_all = "snake_case")]
pub enum Recurrence {
    /// Every day at a time.
    Daily {
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
    },
    /// Every week on a day.
    Weekly {
        /// 0 is Monday, 6 is Sunday.
        day_of_week: u8,
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
    },
    /// Every month on a day; in a month that is too short, on its last.
    Monthly {
        /// 1 to 31.
        day_of_month: u8,
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
    },
    /// As a cron expression of five fields says.
    Cron {
        /// Minute, hour, day of month, month, day of week.
        expression: String,
    },
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// What people call it.
    pub name: ForeignText,
    /// What is scanned.
    pub integration: IntegrationId,
    /// Which scans; at least one.
    pub scan_types: Vec<ScanType>,
    /// How often.
    pub recurrence: Recurrence,
    /// The IANA name of the time zone that the times are in.
    pub zone: String,
    /// Whether it starts anything.
    pub enabled: bool,
    /// When it last started scans.
    pub last_triggered_at: Option<Timestamp>,
    /// When it starts the next; `None` while it is off, or if the expression never comes true again.
    pub next_at: Option<Timestamp>,
}

/// A schedule that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongSchedule {
    /// No such time zone.
    #[error("`{0}` is no time zone: use an IANA name such as Europe/Berlin or UTC")]
    Zone(String),
    /// A number is out of range.
    #[error("{0}")]
    Range(&'static str),
    /// The expression isn't cron, or has a field for seconds.
    #[error(
        "`{0}` is no cron expression of five fields (minute, hour, day of month, month, day of week), such as `30 6 * * 1`"
    )]
    Cron(String),
    /// The expression never comes true.
    #[error("`{0}` never comes true")]
    Never(String),
}

/// The first time after `after` that a schedule names. A local time that a change of clocks leaves out is taken an hour
/// later; one that happens twice is taken the first time.
///
/// # Errors
/// [`WrongSchedule`].
pub fn next_after(recurrence: &Recurrence, zone: &str, after: Timestamp) -> Result<Timestamp, WrongSchedule> {
    let tz = zone_of(zone)?;
    let start = jiff::Timestamp::from_millisecond(after.as_millis())
        .map_err(|_| WrongSchedule::Range("the time is out of range"))?
        .to_zoned(tz.clone());
    match recurrence {
        Recurrence::Cron { expression } => {
            let cron = cron_of(expression)?;
            let next = cron
                .find_next_occurrence(&start, false)
                .map_err(|_| WrongSchedule::Never(expression.clone()))?;
            Ok(Timestamp::from_millis(next.timestamp().as_millisecond()))
        }
        Recurrence::Daily { hour, minute } => on_days(&start, &tz, (*hour, *minute), |_| true),
        Recurrence::Weekly {
            day_of_week,
            hour,
            minute,
        } => {
            if *day_of_week > 6 {
                return Err(WrongSchedule::Range("`day_of_week` is 0 (Monday) to 6 (Sunday)"));
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
                return Err(WrongSchedule::Range("`day_of_month` is 1 to 31"));
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
    fits: impl Fn(civil::Date) -> bool,
) -> Result<Timestamp, WrongSchedule> {
    let wrong = || WrongSchedule::Range("`hour` is 0 to 23 and `minute` 0 to 59");
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
        if !fits(date) {
            continue;
        }
        // `compatible`: a gap moves the time later, a fold takes the first of the two.
        if let Ok(at) = tz.to_ambiguous_zoned(date.to_datetime(time)).compatible()
            && at.timestamp() > start.timestamp()
        {
            return Ok(Timestamp::from_millis(at.timestamp().as_millisecond()));
        }
    }
    Err(WrongSchedule::Range("no such day"))
}

fn zone_of(name: &str) -> Result<TimeZone, WrongSchedule> {
    if name.eq_ignore_ascii_case("UTC") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| WrongSchedule::Zone(name.chars().take(64).collect()))
}

fn cron_of(expression: &str) -> Result<Cron, WrongSchedule> {
    let wrong = || WrongSchedule::Cron(expression.chars().take(CRON_CHARS_MAX).collect());
    if expression.chars().count() > CRON_CHARS_MAX || expression.split_whitespace().count() != 5 {
        return Err(wrong());
    }
    CronParser::builder()
        .build()
        .parse(expression)
        .or_else(|_| Cron::from_str(expression))
        .map_err(|_| wrong())
}

/// Make a schedule.
#[derive(Debug)]
pub struct AddSchedule {
    /// The schedule with its first time.
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

/// What becomes of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleChange {
    /// It starts nothing until it is switched on again.
    Disable,
    /// It starts scans again, the next one then.
    Enable(Timestamp),
    /// It goes.
    Delete,
}

/// Change a schedule.
#[derive(Debug)]
pub struct ChangeSchedule {
    /// Which.
    pub id: ScheduleId,
    /// What becomes of it.
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
    fn schedules_follow_their_zones_clocks() {
        let check = |recurrence: &Recurrence, zone: &str, after: &str, expected: &str| {
            let next = next_after(recurrence, zone, after.parse().unwrap()).unwrap();
            assert_eq!(next.to_string(), expected, "{recurrence:?} {zone} {after}");
        };
        let daily = Recurrence::Daily { hour: 6, minute: 30 };
        check(&daily, "UTC", "2026-03-02T06:29:59Z", "2026-03-02T06:30:00Z");
        check(&daily, "UTC", "2026-03-02T06:30:00Z", "2026-03-03T06:30:00Z");
        // Winter, then summer time.
        check(
            &daily,
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T04:30:00Z",
        );
        // 02:30 doesn't exist on that day in Berlin: an hour later.
        let gap = Recurrence::Daily { hour: 2, minute: 30 };
        check(
            &gap,
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:30:00Z",
        );
        // 02:30 happens twice: the first.
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
    fn wrong_schedules_say_what_would_be_right() {
        let check = |recurrence: Recurrence, zone: &str, expected: &str| {
            let error = next_after(&recurrence, zone, Timestamp::from_millis(0)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(
            Recurrence::Daily { hour: 24, minute: 0 },
            "UTC",
            "`hour` is 0 to 23",
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
        check(cron("0 0 31 2 *"), "UTC", "never comes true");
    }
}
