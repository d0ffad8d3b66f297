//! Texts of `watchpost exemption`.

use watchpost_core::value::{id::ExemptionId, time::Timestamp};

pub(crate) const NO_EXEMPTIONS: &str = "There are no exemptions.";
pub(crate) const REMOVED: &str = "The exemption is removed. The next scan no longer applies it.";
pub(crate) const WHOLE_CHECK: &str = "the whole check";

pub(crate) fn added(id: ExemptionId, until: Option<Timestamp>) -> String {
    let end = until.map_or_else(
        || "until it is removed".to_owned(),
        |until| format!("until {until}"),
    );
    format!("The exemption is valid {end}. The next scan applies it. Id {id}")
}
