//! The `sync` job.
