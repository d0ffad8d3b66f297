//! Aligns the features of third-party crates, so that `cargo run` and `cargo test` share one build of each.
//!
//! Cargo compiles a crate once for each set of features. The dependencies of tests turn on features of crates that the
//! programs use too, so without this crate the first `cargo test` after `cargo run` compiled nearly everything again.
//! Cargo unifies features over all members of a workspace that it builds, so nothing needs to depend on this crate, and
//! nothing does: `cargo install` and `cargo build -p watchpost-http` build the programs without these features, so released
//! programs are built that way.
//!
//! `watchpost-tidy` compares the features with and without tests, and names what is missing here.
//!
//! This crate does *not* contain code.
