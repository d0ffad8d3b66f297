//! Tests of what the crate joins.

mod pipeline;
mod scans;
