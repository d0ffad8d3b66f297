//! Schedules of scans.

use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    check::ScanType,
    error::{Error, NextStep},
    scan::{AddSchedule, ChangeSchedule, SCHEDULES_MAX, Schedule, ScheduleChange, next_after},
    service::{Unrecorded, Watchpost},
    text,
    value::id::ScheduleId,
};

impl Watchpost {
    /// Returns all schedules.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn schedules(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Vec<Schedule>, Error>> {
        Unrecorded::of(async { Ok(self.store().schedules(scope).await?) }).await
    }

    /// Creates a schedule. Its id and next time are set by this function.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a schedule without scan types, or with an invalid recurrence or time zone;
    /// [`Error::Conflict`] if the workspace has the maximum number of schedules or no such integration;
    /// [`Error::Denied`]; or the store's error.
    pub async fn add_schedule(
        &self,
        scope: &WorkspaceScope,
        mut schedule: Schedule,
        call: CallRecord,
    ) -> Result<Schedule, Error> {
        if schedule.scan_types.is_empty() {
            let types: Vec<&str> = ScanType::ALL.iter().map(|scan_type| scan_type.as_str()).collect();
            return Err(Error::invalid("type", text::schedule::no_scan_types(&types)));
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
            Err(Error::conflict(text::schedule::not_added(SCHEDULES_MAX)))
        }
    }

    /// Enables, disables or (with `None`) deletes a schedule.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] if the recurrence has no further occurrence; [`Error::Denied`]; or
    /// the store's error.
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
