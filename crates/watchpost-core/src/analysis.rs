//! The `analyse` job.
