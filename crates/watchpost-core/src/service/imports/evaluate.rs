//! Evaluation of the settings in an imported file by Watchpost's checks.

use crate::{
    check::{Check, CheckDocument, CheckResult, Profile, ScanType},
    error::Error,
    integration::setting::{SETTING_BYTES_MAX, SettingDocument},
    port::{Clock, Random},
    scan::{
        Apps, Exemption, IMPORTED_CONFIGURATION, RecordedScan, ScanCounts, configuration_text, evaluate,
        exempt_whole,
    },
    service::Watchpost,
    text,
    value::{id::ScanId, time::Timestamp, word::CollectionState},
};

/// Maximum number of settings of one tenant that are stored.
const SETTINGS_MAX: usize = 1_000;

impl Watchpost {
    /// Evaluates a tenant's settings with Watchpost's checks as a scan at the time of reading would have. Returns
    /// one scan for each type with at least one passed or failed check.
    pub(super) async fn evaluate_settings(
        &self,
        document: CheckDocument,
        settings: Vec<SettingDocument>,
        exemptions: &[Exemption],
        read_at: Timestamp,
    ) -> Result<Vec<RecordedScan>, Error> {
        let exemptions: Vec<Exemption> = exemptions
            .iter()
            .filter(|exemption| exemption.created_at <= read_at && exemption.holds_at(read_at))
            .cloned()
            .collect();
        let mut document = document;
        document.exemptions.extend(
            exemptions
                .iter()
                .filter(|exemption| exemption.what.kind != "*")
                .map(|exemption| exemption.what.clone()),
        );
        let ids = ImportedScanIds {
            read_at,
            imported_at: self.clock().now(),
            random: self.random(),
        };
        let mut scans = Vec::new();
        for scan_type in ScanType::ALL.iter().copied() {
            let applies = |check: &Check| {
                check.scan == Some(scan_type)
                    && (check.platforms.is_empty() || check.platforms.contains(&document.platform))
            };
            let checks = self.checks().checks().iter().enumerate();
            let chosen: Vec<usize> = checks
                .filter(|(_, check)| applies(check))
                .map(|(at, _)| at)
                .collect();
            if chosen.is_empty() {
                continue;
            }
            let evaluated = evaluate(
                self.checks(),
                document.clone(),
                chosen,
                Profile::Default,
                read_at,
                Apps::None,
            )
            .await?;
            let mut results = evaluated.map_err(|reason| Error::Internal(reason.into()))?;
            let any = results
                .iter()
                .any(|result| matches!(result.row.result, CheckResult::Passed | CheckResult::Failed));
            if !any {
                continue;
            }
            exempt_whole(&mut results, &exemptions, read_at);
            scans.push(RecordedScan {
                id: ScanId::generate(&ids, &ids),
                scan_type,
                read_at,
                settings: settings.clone(),
                counts: ScanCounts::of(results.iter().map(|result| &result.row)),
                results,
            });
        }
        Ok(scans)
    }
}

/// The clock and random source for the ids of imported scans. The ids sort by the time at which the settings were
/// read, and for equal times (the results and the export of one run) by the time of the import.
struct ImportedScanIds<'a> {
    read_at: Timestamp,
    imported_at: Timestamp,
    random: &'a dyn Random,
}

impl Clock for ImportedScanIds<'_> {
    fn now(&self) -> Timestamp {
        self.read_at
    }
    fn monotonic_ms(&self) -> u64 {
        0
    }
}

impl Random for ImportedScanIds<'_> {
    fn fill(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
        // The version and variant of an id overwrite the upper four bits of the first byte and the upper two bits
        // of the third. The 48 bits of the milliseconds are placed around them, and the last three bytes stay
        // random.
        let millis = u64::try_from(self.imported_at.as_millis()).unwrap_or(0);
        let spread =
            ((millis >> 36 & 0xfff) << 40) | ((millis >> 30 & 0x3f) << 32) | ((millis & 0x3fff_ffff) << 2);
        for (byte, own) in bytes.iter_mut().zip(spread.to_be_bytes().into_iter().skip(1)) {
            *byte = own;
        }
    }
}

/// Converts a tenant's settings, together with the configuration of the tool's operator, to the documents that a
/// scan stores, so that a replay uses the same input.
pub(super) fn documents_of(document: &CheckDocument) -> Vec<SettingDocument> {
    let setting = |path: &str, state, detail, text: Option<String>| SettingDocument {
        path: path.to_owned(),
        state,
        detail,
        source: "import",
        document: text,
    };
    let mut out = Vec::new();
    for (path, value) in document.settings.iter().take(SETTINGS_MAX) {
        let text = value.to_string();
        out.push(if text.len() > SETTING_BYTES_MAX {
            let detail = text::import::setting_too_large(SETTING_BYTES_MAX);
            setting(path, CollectionState::Failed, Some(detail), None)
        } else if let Some(unread) = document.unreadable.get(path) {
            setting(path, unread.state, unread.detail.clone(), Some(text))
        } else {
            setting(path, CollectionState::Complete, None, Some(text))
        });
    }
    for (path, unread) in document.unreadable.iter().take(SETTINGS_MAX) {
        if !document.settings.contains_key(path) {
            out.push(setting(path, unread.state, unread.detail.clone(), None));
        }
    }
    let text = configuration_text(document);
    if text.len() <= SETTING_BYTES_MAX {
        let state = CollectionState::Complete;
        out.push(setting(IMPORTED_CONFIGURATION, state, None, Some(text)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn imported_scans_sort_by_time_of_reading_then_of_import() {
        let id = |read_at: i64, imported_at: i64, noise: u8| {
            let ids = ImportedScanIds {
                read_at: Timestamp::from_millis(read_at),
                imported_at: Timestamp::from_millis(imported_at),
                random: &Fixed(noise),
            };
            ScanId::generate(&ids, &ids)
        };
        let now = 1_770_000_000_000;
        let ascending = [
            id(1_000, now + 9, 255),
            id(2_000, now, 255),
            id(2_000, now + 1, 0),
            id(2_000, now + (1 << 29), 0),
            id(2_000, now + (1 << 31), 0),
            id(2_000, now + (1 << 37), 0),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b), "{ascending:?}");
        assert_ne!(id(2_000, now, 1), id(2_000, now, 2));
    }
}
