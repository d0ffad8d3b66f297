//! What differs between two scans.

use crate::{
    access::WorkspaceScope,
    error::Error,
    scan::{Comparison, ResultChange, Scan, SettingChange, SettingRow, SettingValue, compare},
    service::Watchpost,
    value::word::RunState,
};
use std::collections::{BTreeMap, BTreeSet};

/// Settings whose moved values a comparison shows.
const SETTINGS_COMPARED: usize = 40;

/// The answer to "what changed between two scans?".
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonAnswer {
    /// The earlier scan.
    pub before: Scan,
    /// The later scan.
    pub after: Scan,
    /// What differs.
    pub comparison: Comparison,
    /// Settings behind the changed checks that moved, by path.
    pub settings: BTreeMap<String, SettingChange>,
    /// Which of those settings each changed check looks at.
    pub inputs: BTreeMap<String, Vec<String>>,
}

impl Watchpost {
    /// Compares two scans of one integration and type, earlier first.
    ///
    /// # Errors
    /// [`Error::Invalid`] if they can't be compared; the store's.
    pub async fn compare_scans(
        &self,
        scope: &WorkspaceScope,
        before: Scan,
        after: Scan,
    ) -> Result<ComparisonAnswer, Error> {
        if (before.integration, before.scan_type) != (after.integration, after.scan_type) {
            return Err(Error::Invalid {
                field: "before_scan_id",
                reason: "both scans must be of the same integration and type".into(),
            });
        }
        if before.state != RunState::Completed || after.state != RunState::Completed {
            return Err(Error::Conflict {
                reason: "only completed scans can be compared".into(),
            });
        }
        let (before, after) = if before.id > after.id {
            (after, before)
        } else {
            (before, after)
        };
        let one = self.store().scan_results(scope, before.id).await?;
        let two = self.store().scan_results(scope, after.id).await?;
        let comparison = compare(&one, &two);
        let rows_before = by_path(self.store().scan_settings(scope, before.id).await?);
        let rows_after = by_path(self.store().scan_settings(scope, after.id).await?);
        let moved = |path: &str| {
            let key = |rows: &BTreeMap<String, SettingRow>| rows.get(path).map(|row| (row.state, row.hash));
            key(&rows_before) != key(&rows_after)
        };
        let mut inputs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut paths: BTreeSet<String> = BTreeSet::new();
        for row in comparison.changes().filter_map(ResultChange::row) {
            let Some(check) = self.check(&row.check_id) else {
                continue;
            };
            let of_check: Vec<String> = check
                .inputs
                .iter()
                .chain(&check.optional_inputs)
                .filter(|path| moved(path))
                .cloned()
                .collect();
            if !of_check.is_empty() {
                if paths.len() < SETTINGS_COMPARED {
                    paths.extend(of_check.iter().cloned());
                }
                inputs.insert(row.check_id.clone(), of_check);
            }
        }
        let mut settings = BTreeMap::new();
        if !paths.is_empty() {
            let paths: Vec<String> = paths.into_iter().collect();
            let old = by_document(self.store().setting_values(scope, before.id, &paths).await?);
            let new = by_document(self.store().setting_values(scope, after.id, &paths).await?);
            for path in paths {
                let documents = (
                    old.get(&path).and_then(Option::as_deref),
                    new.get(&path).and_then(Option::as_deref),
                );
                let change = SettingChange::between(rows_before.get(&path), rows_after.get(&path), documents);
                if let Some(change) = change {
                    settings.insert(path, change);
                }
            }
        }
        Ok(ComparisonAnswer {
            before,
            after,
            comparison,
            settings,
            inputs,
        })
    }
}

fn by_path(rows: Vec<SettingRow>) -> BTreeMap<String, SettingRow> {
    rows.into_iter().map(|row| (row.path.clone(), row)).collect()
}

fn by_document(values: Vec<SettingValue>) -> BTreeMap<String, Option<String>> {
    values
        .into_iter()
        .map(|value| (value.row.path, value.document))
        .collect()
}
