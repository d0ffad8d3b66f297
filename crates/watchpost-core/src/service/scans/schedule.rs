//! Schedules of scans.

use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    error::Error,
    scan::{AddSchedule, ChangeSchedule, Schedule, ScheduleChange, next_after},
    service::Watchpost,
    value::id::ScheduleId,
};

impl Watchpost {
    /// All schedules.
    ///
    /// # Errors
    /// The store's.
    pub async fn schedules(&self, scope: &WorkspaceScope) -> Result<Vec<Schedule>, Error> {
        Ok(self.store().schedules(scope).await?)
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
            return Err(Error::Invalid {
                field: "type",
                reason: "name at least one of compliance, exposure".into(),
            });
        }
        let next = next_after(&schedule.recurrence, &schedule.zone, self.clock().now()).map_err(|error| {
            Error::Invalid {
                field: "schedule",
                reason: error.to_string(),
            }
        })?;
        schedule.id = ScheduleId::generate(self.clock(), self.random());
        schedule.next_at = schedule.enabled.then_some(next);
        let command = AddSchedule {
            schedule: schedule.clone(),
        };
        let write = scope.authorize(command, call)?;
        if self.store().add_schedule(write).await?.into_value() {
            Ok(schedule)
        } else {
            Err(Error::Conflict {
                reason: "a workspace has at most 100 schedules, each of an integration that exists".into(),
            })
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
        let missing = || Error::NotFound {
            what: "schedule",
            next: "`watchpost schedule list` shows the ids".into(),
        };
        let change = match enabled {
            None => ScheduleChange::Delete,
            Some(false) => ScheduleChange::Disable,
            Some(true) => {
                let all = self.store().schedules(scope).await?;
                let known = all.iter().find(|row| row.id == id).ok_or_else(missing)?;
                let next =
                    next_after(&known.recurrence, &known.zone, self.clock().now()).map_err(|error| {
                        Error::Invalid {
                            field: "schedule",
                            reason: error.to_string(),
                        }
                    })?;
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
