//! Schedules of scans.

use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    error::{Error, NextStep},
    scan::{AddSchedule, ChangeSchedule, Schedule, ScheduleChange, next_after},
    service::{Unrecorded, Watchpost},
    value::id::ScheduleId,
};

impl Watchpost {
    /// All schedules.
    ///
    /// # Errors
    /// The store's.
    pub async fn schedules(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Vec<Schedule>, Error>> {
        Unrecorded::of(async { Ok(self.store().schedules(scope).await?) }).await
    }

    /// Makes a schedule; its id and next time are set here.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Conflict`] past 100 schedules; [`Error::Denied`]; the store's.
    pub async fn add_schedule(
        &self,
        scope: &WorkspaceScope,
        mut schedule: Schedule,
        call: CallRecord,
    ) -> Result<Schedule, Error> {
        if schedule.scan_types.is_empty() {
            return Err(Error::invalid(
                "type",
                "name at least one of compliance, exposure",
            ));
        }
        let next = next_after(&schedule.recurrence, &schedule.zone, self.clock().now())
            .map_err(|error| Error::invalid("schedule", error.to_string()))?;
        schedule.id = ScheduleId::generate(self.clock(), self.random());
        schedule.next_at = schedule.enabled.then_some(next);
        let command = AddSchedule {
            schedule: schedule.clone(),
        };
        let write = scope.authorize(command, call)?;
        if self.store().add_schedule(write).await?.into_value() {
            Ok(schedule)
        } else {
            Err(Error::conflict(
                "a workspace has at most 100 schedules, each of an integration that exists",
            ))
        }
    }

    /// Switches a schedule on or off, or deletes it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; the store's.
    pub async fn change_schedule(
        &self,
        scope: &WorkspaceScope,
        id: ScheduleId,
        enabled: Option<bool>,
        call: CallRecord,
    ) -> Result<(), Error> {
        let missing = || Error::not_found("schedule", NextStep::ListSchedules);
        let change = match enabled {
            None => ScheduleChange::Delete,
            Some(false) => ScheduleChange::Disable,
            Some(true) => {
                let all = self.store().schedules(scope).await?;
                let known = all.iter().find(|row| row.id == id).ok_or_else(missing)?;
                let next = next_after(&known.recurrence, &known.zone, self.clock().now())
                    .map_err(|error| Error::invalid("schedule", error.to_string()))?;
                ScheduleChange::Enable(next)
            }
        };
        let write = scope.authorize(ChangeSchedule { id, change }, call)?;
        if self.store().change_schedule(write).await?.into_value() {
            Ok(())
        } else {
            Err(missing())
        }
    }
}
