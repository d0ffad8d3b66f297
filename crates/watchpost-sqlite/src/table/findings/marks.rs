//! The stored form of marks, which say how far each source had been read.

use crate::{
    base::{
        fault::{Fault, Res},
        unknown,
    },
    text,
};
use watchpost_core::{finding::Marks, integration::fact::Dataset, value::id::IntegrationId};

/// The length of a stored mark: integration id (16 bytes), dataset (1 byte), completions (8 bytes, little endian).
const MARK_BYTES: usize = 25;

pub(super) fn marks_blob(marks: &Marks) -> Vec<u8> {
    let mut out = Vec::with_capacity(marks.len() * MARK_BYTES);
    for ((integration, dataset), completions) in marks {
        out.extend_from_slice(integration.as_bytes());
        out.push(dataset.code());
        out.extend_from_slice(&completions.to_le_bytes());
    }
    out
}

pub(super) fn parse_marks(blob: &[u8]) -> Res<Marks> {
    let damaged = || Fault::Damaged("finding_details", text::MALFORMED_MARKS.into());
    let unknown = || {
        unknown::count();
        Fault::Unknown(text::MARKS_OF_UNKNOWN_DATASET.into())
    };
    if !blob.len().is_multiple_of(MARK_BYTES) {
        return Err(damaged());
    }
    let mut out = Marks::new();
    for mark in blob.chunks_exact(MARK_BYTES) {
        let (integration, rest) = mark.split_at(16);
        let (dataset, completions) = rest.split_at(1);
        let integration: [u8; 16] = integration.try_into().map_err(|_| damaged())?;
        let dataset = dataset
            .first()
            .ok_or_else(damaged)
            .and_then(|code| Dataset::from_code(*code).ok_or_else(unknown))?;
        let completions: [u8; 8] = completions.try_into().map_err(|_| damaged())?;
        out.insert(
            (IntegrationId::from_bytes(integration), dataset),
            u64::from_le_bytes(completions),
        );
    }
    Ok(out)
}
