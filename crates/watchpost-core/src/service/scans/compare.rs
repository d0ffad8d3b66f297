//! Comparison of two scans.

use crate::{
    access::WorkspaceScope,
    error::Error,
    scan::{
        ComparedWith, Comparison, ResultChange, ResultFilter, Scan, SettingChange, SettingRow, SettingValue,
        compare_selected,
    },
    service::{Unrecorded, Watchpost},
    text,
    value::{id::ScanId, word::RunState},
};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of settings with changed values in a comparison.
const SETTINGS_COMPARED: usize = 40;

/// The result of [`Watchpost::compare_scans`].
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonAnswer {
    /// The earlier scan.
    pub before: Scan,
    /// The later scan.
    pub after: Scan,
    /// The reason for which the two are compared.
    pub with: ComparedWith,
    /// The differences, over the selected checks.
    pub comparison: Comparison,
    /// The changed settings of checks with changed results, by path.
    pub settings: BTreeMap<String, SettingChange>,
    /// The paths of changed settings by check, for checks with changed results.
    pub inputs: BTreeMap<String, Vec<String>>,
}

impl Watchpost {
    /// Compares two completed scans of one integration and type for the checks that a filter selects. The earlier one is
    /// by default the last scan of another day, or the previous one if there is none. A requested one may also be later:
    /// then the two change places.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown scan; [`Error::Invalid`] or [`Error::Conflict`] if the two can't be compared
    /// or there is no earlier one; or the store's error.
    pub async fn compare_scans(
        &self,
        scope: &WorkspaceScope,
        before: Option<ScanId>,
        after: Scan,
        filter: &ResultFilter,
    ) -> Unrecorded<Result<ComparisonAnswer, Error>> {
        Unrecorded::of(async {
            let earlier = self.earlier_scan(scope, &after, before).await?;
            let earlier = earlier.ok_or_else(|| Error::conflict(text::scan::NOTHING_TO_COMPARE))?;
            self.differences(scope, earlier, after, filter).await
        })
        .await
    }

    /// Compares two scans. `before` comes with the reason for which it is compared.
    pub(super) async fn differences(
        &self,
        scope: &WorkspaceScope,
        (before, with): (Scan, ComparedWith),
        after: Scan,
        filter: &ResultFilter,
    ) -> Result<ComparisonAnswer, Error> {
        let (before, after) = in_order(before, after)?;
        let one = self.store().scan_results(scope, before.id).await?;
        let two = self.store().scan_results(scope, after.id).await?;
        let comparison = compare_selected(one, two, filter);
        let read = SettingsRead {
            before: by_path(self.store().scan_settings(scope, before.id).await?),
            after: by_path(self.store().scan_settings(scope, after.id).await?),
        };
        let (inputs, paths) = self.changed_inputs(&comparison, &read);
        let mut settings = BTreeMap::new();
        if !paths.is_empty() {
            let old = by_document(self.store().setting_values(scope, before.id, &paths).await?);
            let new = by_document(self.store().setting_values(scope, after.id, &paths).await?);
            let document =
                |of: &BTreeMap<String, Option<String>>, path: &str| of.get(path).cloned().flatten();
            for path in paths {
                let documents = (document(&old, &path), document(&new, &path));
                settings.extend(read.change(&path, documents).map(|change| (path, change)));
            }
        }
        Ok(ComparisonAnswer {
            before,
            after,
            with,
            comparison,
            settings,
            inputs,
        })
    }

    /// Returns the changed settings of each check with a changed result, and the paths of the settings to show:
    /// all of a check's, for the worst checks first, until there are [`SETTINGS_COMPARED`].
    fn changed_inputs(
        &self,
        comparison: &Comparison,
        read: &SettingsRead,
    ) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
        let mut inputs = BTreeMap::new();
        let mut shown: BTreeSet<String> = BTreeSet::new();
        for row in comparison.changes().filter_map(ResultChange::row) {
            let Some(check) = self.check(&row.check_id) else {
                continue;
            };
            let changed: Vec<String> = check
                .inputs
                .iter()
                .chain(&check.optional_inputs)
                .filter(|path| read.is_changed(path))
                .cloned()
                .collect();
            if !changed.is_empty() {
                if shown.len() < SETTINGS_COMPARED {
                    shown.extend(changed.iter().cloned());
                }
                inputs.insert(row.check_id.clone(), changed);
            }
        }
        (inputs, shown.into_iter().collect())
    }
}

/// Returns two completed scans of one integration and type, the earlier one first.
fn in_order(one: Scan, two: Scan) -> Result<(Scan, Scan), Error> {
    if (one.integration, one.scan_type) != (two.integration, two.scan_type) {
        return Err(Error::invalid("before_scan_id", text::scan::NOT_COMPARABLE));
    }
    if one.state != RunState::Completed || two.state != RunState::Completed {
        return Err(Error::conflict(text::scan::NOT_COMPLETED));
    }
    Ok(if one.id > two.id { (two, one) } else { (one, two) })
}

/// The settings of two scans, by path.
struct SettingsRead {
    before: BTreeMap<String, SettingRow>,
    after: BTreeMap<String, SettingRow>,
}

impl SettingsRead {
    /// Returns whether a setting differs between the scans.
    fn is_changed(&self, path: &str) -> bool {
        let key = |rows: &BTreeMap<String, SettingRow>| rows.get(path).map(|row| (row.state, row.hash));
        key(&self.before) != key(&self.after)
    }

    /// Compares the documents of a setting.
    fn change(&self, path: &str, (old, new): (Option<String>, Option<String>)) -> Option<SettingChange> {
        let documents = (old.as_deref(), new.as_deref());
        SettingChange::between(self.before.get(path), self.after.get(path), documents)
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
