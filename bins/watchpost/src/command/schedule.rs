//! `watchpost schedule`: scheduled scans.

use crate::{
    failure::from_core,
    output::{Output, foreign, time_or_never},
    session::Session,
    text,
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
    /// Lists schedules with the time of their next scan
    List,
    /// Disables a schedule until it is enabled again
    Disable {
        /// The schedule's id
        id: ScheduleId,
    },
    /// Enables a disabled schedule
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
    /// The schedule's name
    #[arg(long)]
    name: String,
    /// The types of the scans (repeat the flag, or separate by commas)
    #[arg(long = "type", value_delimiter = ',', default_value = "compliance")]
    scan_types: Vec<ScanType>,
    /// The integration, if more than one can be scanned
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// The interval
    #[arg(long, required_unless_present = "cron", conflicts_with = "cron")]
    every: Option<Every>,
    /// With --every: hour and minute, such as 06:30
    #[arg(long, default_value = "06:00", value_parser = time)]
    at: (u8, u8),
    /// With --every week: the day of the week
    #[arg(long, default_value = "monday")]
    on: Weekday,
    /// With --every month: the day of the month, 1 to 31 (the last day in shorter months)
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=31))]
    day: u8,
    /// A cron expression of five fields: minute, hour, day of month, month, day of week
    #[arg(long)]
    cron: Option<String>,
    /// The IANA time zone, such as Europe/Berlin
    #[arg(long, default_value = "UTC")]
    zone: String,
}

fn time(text: &str) -> Result<(u8, u8), String> {
    let invalid = || text::schedule::INVALID_TIME.to_owned();
    let (hour, minute) = text.split_once(':').ok_or_else(invalid)?;
    let hour: u8 = hour.parse().map_err(|_| invalid())?;
    let minute: u8 = minute.parse().map_err(|_| invalid())?;
    if hour < 24 && minute < 60 {
        Ok((hour, minute))
    } else {
        Err(invalid())
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
            let text = text::schedule::DISABLED;
            change(id, Some(false), "schedule disable", text, session, output).await
        }
        Schedule::Enable { id } => {
            let text = text::schedule::ENABLED;
            change(id, Some(true), "schedule enable", text, session, output).await
        }
        Schedule::Remove { id } => {
            let text = text::schedule::REMOVED;
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
    Ok(output.answer(&row_json(&row), &text::schedule::added(&row))?)
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
        &["name", "scans", "recurrence", "next", "id"],
        rows.iter().map(row_cells).collect(),
        text::schedule::NO_SCHEDULES,
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
        text::schedule::recurrence(row),
        if row.enabled {
            time_or_never(row.next_at)
        } else {
            "off".to_owned()
        },
        row.id.to_string(),
    ]
}
