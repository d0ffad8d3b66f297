//! `watchpost schedule`: scans that start by themselves.

use crate::{
    failure::from_core,
    output::{Output, foreign, time_or_never},
    session::Session,
};
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use watchpost_core::{
    check::ScanType,
    scan::{Recurrence, Schedule as Row},
    value::{
        id::{IntegrationId, ScheduleId},
        text::ForeignText,
    },
};

#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    /// Adds a schedule: daily, weekly, monthly or by a cron expression
    Add(Add),
    /// Lists schedules with their next times
    List,
    /// Stops a schedule until it is enabled again
    Disable {
        /// The schedule's id
        id: ScheduleId,
    },
    /// Starts a disabled schedule again
    Enable {
        /// The schedule's id
        id: ScheduleId,
    },
    /// Deletes a schedule
    Remove {
        /// The schedule's id
        id: ScheduleId,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Every {
    Day,
    Week,
    Month,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// What you call it
    #[arg(long)]
    name: String,
    /// Which scans (repeat, or separate by commas)
    #[arg(long = "type", value_delimiter = ',', default_value = "compliance")]
    scan_types: Vec<ScanType>,
    /// The integration, where several can be scanned
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// day, week or month
    #[arg(long, required_unless_present = "cron", conflicts_with = "cron")]
    every: Option<Every>,
    /// Hour and minute, such as 06:30
    #[arg(long, default_value = "06:00", value_parser = time)]
    at: (u8, u8),
    /// With --every week
    #[arg(long, default_value = "monday")]
    on: Weekday,
    /// With --every month: 1 to 31 (the last day in shorter months)
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=31))]
    day: u8,
    /// Five fields: minute, hour, day of month, month, day of week
    #[arg(long)]
    cron: Option<String>,
    /// The IANA time zone, such as Europe/Berlin
    #[arg(long, default_value = "UTC")]
    zone: String,
}

fn time(text: &str) -> Result<(u8, u8), String> {
    let wrong = || "use hours and minutes, such as 06:30".to_owned();
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let hour: u8 = hour.parse().map_err(|_| wrong())?;
    let minute: u8 = minute.parse().map_err(|_| wrong())?;
    if hour < 24 && minute < 60 {
        Ok((hour, minute))
    } else {
        Err(wrong())
    }
}

fn recurrence(add: &Add) -> Recurrence {
    let (hour, minute) = add.at;
    if let Some(expression) = &add.cron {
        return Recurrence::Cron {
            expression: expression.clone(),
        };
    }
    match add.every {
        None | Some(Every::Day) => Recurrence::Daily { hour, minute },
        Some(Every::Week) => Recurrence::Weekly {
            day_of_week: match add.on {
                Weekday::Monday => 0,
                Weekday::Tuesday => 1,
                Weekday::Wednesday => 2,
                Weekday::Thursday => 3,
                Weekday::Friday => 4,
                Weekday::Saturday => 5,
                Weekday::Sunday => 6,
            },
            hour,
            minute,
        },
        Some(Every::Month) => Recurrence::Monthly {
            day_of_month: add.day,
            hour,
            minute,
        },
    }
}

pub(crate) async fn run(command: Schedule, session: &Session, output: Output) -> Result<()> {
    match command {
        Schedule::Add(args) => add(args, session, output).await,
        Schedule::List => list(session, output).await,
        Schedule::Disable { id } => {
            let text = "The schedule starts nothing now.";
            change(id, Some(false), "schedule disable", text, session, output).await
        }
        Schedule::Enable { id } => {
            let text = "The schedule starts scans again.";
            change(id, Some(true), "schedule enable", text, session, output).await
        }
        Schedule::Remove { id } => {
            let text = "The schedule is gone.";
            change(id, None, "schedule remove", text, session, output).await
        }
    }
}

async fn add(args: Add, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    let read = watchpost.scannable(scope, args.integration, None).await;
    let integration = session.read("integration.read", "schedule add", read).await?;
    let recurrence = recurrence(&args);
    let row = Row {
        // The use case sets id and times.
        id: ScheduleId::generate(watchpost.clock(), watchpost.random()),
        name: ForeignText::name(&args.name),
        integration: integration.id,
        scan_types: args.scan_types,
        recurrence,
        zone: args.zone,
        enabled: true,
        last_triggered_at: None,
        next_at: None,
    };
    let call = session.call(
        "schedule add",
        &json!({"recurrence": row.recurrence, "zone": row.zone}),
    );
    let row = watchpost
        .add_schedule(scope, row, call)
        .await
        .map_err(from_core)?;
    let text = format!(
        "Added: {} ({}), next at {}. A running server starts the scans. Id {}",
        how_often(&row.recurrence),
        row.zone,
        time_or_never(row.next_at),
        row.id
    );
    Ok(output.answer(&row_json(&row), &text)?)
}

async fn list(session: &Session, output: Output) -> Result<()> {
    let rows = session
        .read(
            "schedule.read",
            "schedule list",
            session.watchpost.schedules(&session.scope).await,
        )
        .await?;
    let json = json!({"schedules": rows.iter().map(row_json).collect::<Vec<_>>()});
    Ok(output.table(
        &json,
        &["name", "scans", "how often", "next", "id"],
        rows.iter().map(row_cells).collect(),
        "No schedules yet: `watchpost schedule add` makes one.",
    )?)
}

/// Enables, disables, or (without `enabled`) deletes a schedule.
async fn change(
    id: ScheduleId,
    enabled: Option<bool>,
    operation: &'static str,
    text: &str,
    session: &Session,
    output: Output,
) -> Result<()> {
    let call = session.call(operation, &json!({"schedule_id": id}));
    session
        .watchpost
        .change_schedule(&session.scope, id, enabled, call)
        .await
        .map_err(from_core)?;
    Ok(output.answer(
        &json!({"id": id, "enabled": enabled, "removed": enabled.is_none()}),
        text,
    )?)
}

fn row_json(row: &Row) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "integration_id": row.integration,
        "scan_types": row.scan_types,
        "recurrence": row.recurrence,
        "zone": row.zone,
        "enabled": row.enabled,
        "last_triggered_at": row.last_triggered_at,
        "next_at": row.next_at,
    })
}

fn row_cells(row: &Row) -> Vec<String> {
    let types: Vec<&str> = row.scan_types.iter().map(|kind| kind.as_str()).collect();
    vec![
        foreign(&row.name),
        types.join(", "),
        format!("{} ({})", how_often(&row.recurrence), row.zone),
        if row.enabled {
            time_or_never(row.next_at)
        } else {
            "off".to_owned()
        },
        row.id.to_string(),
    ]
}

fn how_often(recurrence: &Recurrence) -> String {
    const DAYS: [&str; 7] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    match recurrence {
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
    }
}
