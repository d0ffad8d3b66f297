//! What differs between two scans.

use crate::{
    access::WorkspaceScope,
    error::Error,
    scan::{Comparison, ResultChange, Scan, SettingChange, SettingRow, SettingValue, compare},
    service::{Unrecorded, Watchpost},
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
    ) -> Unrecorded<Result<ComparisonAnswer, Error>> {
        Unrecorded::of(async {
            let (before, after) = in_order(before, after)?;
            let one = self.store().scan_results(scope, before.id).await?;
            let two = self.store().scan_results(scope, after.id).await?;
            let comparison = compare(&one, &two);
            let read = SettingsRead {
                before: by_path(self.store().scan_settings(scope, before.id).await?),
                after: by_path(self.store().scan_settings(scope, after.id).await?),
            };
            let (inputs, paths) = self.moved_inputs(&comparison, &read);
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
                comparison,
                settings,
                inputs,
            })
        })
        .await
    }

    /// Which moved settings each changed check looks at, by its id; and the paths whose values are shown: those of
    /// whole checks, worst first, until there are enough.
    fn moved_inputs(
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
            let moved: Vec<String> = check
                .inputs
                .iter()
                .chain(&check.optional_inputs)
                .filter(|path| read.moved(path))
                .cloned()
                .collect();
            if !moved.is_empty() {
                if shown.len() < SETTINGS_COMPARED {
                    shown.extend(moved.iter().cloned());
                }
                inputs.insert(row.check_id.clone(), moved);
            }
        }
        (inputs, shown.into_iter().collect())
    }
}

/// Two completed scans of one integration and type, earlier first.
fn in_order(one: Scan, two: Scan) -> Result<(Scan, Scan), Error> {
    if (one.integration, one.scan_type) != (two.integration, two.scan_type) {
        return Err(Error::invalid(
            "before_scan_id",
            "both scans must be of the same integration and type",
        ));
    }
    if one.state != RunState::Completed || two.state != RunState::Completed {
        return Err(Error::conflict("only completed scans can be compared"));
    }
    Ok(if one.id > two.id { (two, one) } else { (one, two) })
}

/// What two scans read, by path.
struct SettingsRead {
    before: BTreeMap<String, SettingRow>,
    after: BTreeMap<String, SettingRow>,
}

impl SettingsRead {
    /// Whether a setting differs.
    fn moved(&self, path: &str) -> bool {
        let key = |rows: &BTreeMap<String, SettingRow>| rows.get(path).map(|row| (row.state, row.hash));
        key(&self.before) != key(&self.after)
    }

    /// What differs in a setting whose documents were these.
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
