//! Values that every aggregate uses: identifiers, points in time, enums with a stable text form, and untrusted
//! text.

pub mod id;
pub mod text;
pub mod time;
pub mod word;
