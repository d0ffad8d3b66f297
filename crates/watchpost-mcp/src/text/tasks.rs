//! Status messages of tasks.

pub(crate) const QUEUED: &str = "queued";
pub(crate) const IN_PROGRESS: &str = "in progress";
pub(crate) const SCAN_CANCELLED: &str = "the scan was cancelled";
pub(crate) const ANALYZING: &str = "all platforms read; analyzing";

/// `progress` is that of the sync that is running.
pub(crate) fn platforms_read(read: usize, all: usize, progress: Option<&str>) -> String {
    match progress {
        Some(progress) => format!("{read} of {all} platforms read; {progress}"),
        None => format!("{read} of {all} platforms read"),
    }
}
