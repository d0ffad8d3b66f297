//! Values that every aggregate uses: identifiers, points in time, closed lists of words, and text that strangers wrote.

pub mod id;
pub mod text;
pub mod time;
pub mod word;
