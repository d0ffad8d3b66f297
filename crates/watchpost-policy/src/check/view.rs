//! A document converted for checks. It is converted once and shared by all checks.

use super::set::CheckSet;
use crate::{
    text,
    value::{ValueError, name, to_value},
};
use regorus::{Rc, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use watchpost_core::check::{CheckDocument, CheckOver, Profile};

/// Maximum number of exempted items for one check.
const EXEMPTED_MAX: usize = 10_000;

/// A converted document.
pub(crate) struct View {
    pub(crate) document: Arc<CheckDocument>,
    doc: Value,
    apps: Value,
    overrides: BTreeMap<usize, Overrides>,
    profile: Profile,
    now_ms: i64,
}

/// The exemptions and parameters of a document for one check.
#[derive(Default)]
struct Overrides {
    /// Exempted ids by kind.
    exempt: BTreeMap<String, BTreeSet<String>>,
    params: serde_json::Map<String, serde_json::Value>,
}

impl View {
    /// Converts `document`, with its own apps.
    pub(crate) fn new(
        set: &CheckSet,
        document: &Arc<CheckDocument>,
        profile: Profile,
        now_ms: i64,
    ) -> Result<Self, String> {
        let apps = to_value(&document.apps).map_err(|error| error.to_string())?;
        Self::with_apps(set, document, apps, profile, now_ms)
    }

    /// Converts `document` with `apps` in place of its own.
    pub(crate) fn with_apps(
        set: &CheckSet,
        document: &Arc<CheckDocument>,
        apps: Value,
        profile: Profile,
        now_ms: i64,
    ) -> Result<Self, String> {
        let mut overrides: BTreeMap<usize, Overrides> = BTreeMap::new();
        for exempted in &document.exemptions {
            for check in set.named_by(&exempted.check) {
                let kinds = &mut overrides.entry(*check).or_default().exempt;
                if kinds.values().map(BTreeSet::len).sum::<usize>() < EXEMPTED_MAX {
                    kinds
                        .entry(exempted.kind.clone())
                        .or_default()
                        .insert(exempted.id.clone());
                }
            }
        }
        for (key, params) in &document.params {
            for check in set.named_by(key) {
                let own = &mut overrides.entry(*check).or_default().params;
                own.extend(params.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
        }
        let value = |converted: Result<Value, _>| converted.map_err(|error: ValueError| error.to_string());
        let doc = object([
            ("platform", string(document.platform.as_str())),
            ("tenant", string(&document.tenant)),
            ("tenant_name", string(&document.tenant_name)),
            ("settings", value(to_value(&document.settings))?),
            ("unreadable", value(to_value(&document.unreadable))?),
        ]);
        Ok(Self {
            document: Arc::clone(document),
            doc,
            apps,
            overrides,
            profile,
            now_ms,
        })
    }

    /// Returns the requested profile.
    pub(crate) const fn profile(&self) -> Profile {
        self.profile
    }

    /// Builds a check's `input`.
    pub(crate) fn input(&self, set: &CheckSet, check: usize) -> Result<Value, String> {
        let entry = set.entry(check).ok_or(text::NO_SUCH_CHECK)?;
        let overrides = self.overrides.get(&check);
        let exempt = match overrides {
            Some(own) => to_value(&own.exempt),
            None => Ok(object([])),
        };
        let params = match overrides {
            Some(own) if !own.params.is_empty() => {
                let mut params = entry.metadata.params.clone();
                params.extend(own.params.clone());
                to_value(&params)
            }
            _ => to_value(&entry.metadata.params),
        };
        let mut fields = vec![
            ("doc", self.doc.clone()),
            ("profile", string(self.profile.as_str())),
            ("exempt", exempt.map_err(|error| error.to_string())?),
            ("params", params.map_err(|error| error.to_string())?),
            ("now_ms", Value::from(self.now_ms)),
        ];
        if entry.metadata.check.over == CheckOver::Apps {
            fields.push(("apps", self.apps.clone()));
        }
        Ok(object(fields))
    }
}

fn string(text: &str) -> Value {
    Value::String(Rc::from(text))
}

fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Object(Rc::new(
        fields
            .into_iter()
            .map(|(key, value)| (name(key), value))
            .collect(),
    ))
}
