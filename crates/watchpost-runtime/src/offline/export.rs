//! Evaluation of a whole provider export.

use super::{CheckLine, INPUT_BYTES_MAX, Offline, OfflineError};
use crate::text;
use serde_json::Value;
use std::sync::Arc;
use watchpost_connectors::import::scubagear::check_document;
use watchpost_core::check::{CheckResult, Framework, Profile};
use watchpost_policy::check::{Baseline, BaselineLine, CheckJudge};

impl Offline {
    /// Evaluates the checks on a ScubaGear provider export, or on the `Raw` field of ScubaGear's results. Returns one
    /// line per check, in the order of checks, or only that of `check`, which is the id of a check or of a policy. Each
    /// policy of the export's baseline has a line. `now_ms` is the current time for the checks, in milliseconds since
    /// 1970.
    ///
    /// # Errors
    /// [`OfflineError`] if the bytes are not an export, or if the check doesn't exist.
    pub fn evaluate_export(
        &self,
        bytes: &[u8],
        check: Option<&str>,
        profile: Profile,
        now_ms: i64,
    ) -> Result<Vec<CheckLine>, OfflineError> {
        let export = parsed(bytes)?;
        let set = self.pack.checks();
        let wanted = match check {
            Some(id) => Some(
                self.find(id)
                    .ok_or_else(|| OfflineError::UnknownCheck(id.to_owned()))?,
            ),
            None => None,
        };
        let mut lines = set.lines(baseline_of(&export));
        if let Some(wanted) = wanted {
            lines.retain(|line| line.check == wanted);
            if lines.is_empty() {
                let controls = set
                    .checks()
                    .get(wanted)
                    .map(|check| check.ids_in(Framework::Scuba).map(str::to_owned).collect());
                lines.push(BaselineLine {
                    check: wanted,
                    controls: controls.unwrap_or_default(),
                });
            }
        } else if profile == Profile::Scuba {
            // This profile covers only published policies.
            lines.retain(|line| !line.controls.is_empty());
        }
        let document = Arc::new(check_document(&export));
        let positions: Vec<usize> = lines.iter().map(|line| line.check).collect();
        let verdicts =
            on_deep_stack(|| CheckJudge::new(&self.pack).judge(&document, &positions, profile, now_ms))?;
        let lines = lines.into_iter().zip(verdicts).filter_map(|(line, verdict)| {
            let check = set.checks().get(line.check)?;
            // A manual check without a policy in the baseline says nothing about an export.
            let is_omitted = wanted.is_none() && line.controls.is_empty() && check.manual;
            (!is_omitted || verdict.outcome.result != CheckResult::Skipped)
                .then(|| CheckLine::new(check, line.controls, &verdict.outcome))
        });
        Ok(lines.collect())
    }
}

/// Runs `work` on a thread with a stack that is large enough for deeply nested expressions and values.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, OfflineError> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("watchpost-offline".to_owned())
            .stack_size(CheckJudge::STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(OfflineError::Thread)?
            .join()
            .map_err(|_| OfflineError::Input(text::EVALUATION_PANICKED.to_owned()))
    })
}

/// Parses an export: JSON in UTF-8 or, with a byte order mark, in UTF-16.
fn parsed(bytes: &[u8]) -> Result<Value, OfflineError> {
    if bytes.len() > INPUT_BYTES_MAX {
        return Err(OfflineError::Input(text::input_too_long(INPUT_BYTES_MAX)));
    }
    let export: Value = match decoded(bytes) {
        Some(text) => serde_json::from_str(&text),
        None => serde_json::from_slice(bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes)),
    }
    .map_err(|error| OfflineError::Input(text::invalid_json(&error)))?;
    let Value::Object(mut fields) = export else {
        return Err(OfflineError::Input(text::NOT_AN_OBJECT.to_owned()));
    };
    if fields.contains_key("MetaData")
        && let Some(raw @ Value::Object(_)) = fields.remove("Raw")
    {
        return Ok(raw);
    }
    let known = |key: &String| {
        key.ends_with("_successful_commands")
            || matches!(
                key.as_str(),
                "baseline_version" | "module_version" | "scuba_config"
            )
    };
    if fields.keys().any(known) || fields.keys().any(|key| key.ends_with("_policies")) {
        return Ok(Value::Object(fields));
    }
    let keys: Vec<String> = fields
        .keys()
        .take(8)
        .map(|key| key.chars().filter(|c| !c.is_control()).take(40).collect())
        .collect();
    Err(OfflineError::Input(text::not_an_export(&keys)))
}

/// Decodes UTF-16 with a byte order mark; `None` for other bytes.
fn decoded(bytes: &[u8]) -> Option<String> {
    let (rest, little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => return None,
    };
    let units = rest.chunks_exact(2).map(|pair| match (pair, little) {
        ([a, b], true) => u16::from_le_bytes([*a, *b]),
        ([a, b], false) => u16::from_be_bytes([*a, *b]),
        _ => 0,
    });
    Some(
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
}

/// Determines the baseline of an export by the tool's version, otherwise by its products, otherwise by its keys.
fn baseline_of(export: &Value) -> Baseline {
    let has = |key: &str| export.get(key).is_some();
    // ScubaGear exports the settings of Teams apps since the policies on them had a second version.
    let former = |first: bool| Baseline::Former {
        first_versions: first && !has("tenant_app_settings"),
    };
    let version = export
        .get("module_version")
        .and_then(Value::as_str)
        .and_then(|text| {
            let mut parts = text.split('.').map(|part| part.trim().parse::<u32>().ok());
            Some((parts.next()??, parts.next().flatten().unwrap_or(0)))
        });
    match version {
        Some((0, _)) => return former(true),
        Some((1, minor)) if minor < 8 => return former(false),
        Some(_) => return Baseline::Current,
        None => {}
    }
    let products: Vec<String> = export
        .pointer("/scuba_config/ProductNames")
        .and_then(Value::as_array)
        .map(|names| {
            names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_ascii_lowercase)
                .collect()
        })
        .unwrap_or_default();
    let is_product = |name: &str| products.iter().any(|product| product == name);
    if is_product("securitysuite") {
        Baseline::Current
    } else if is_product("defender") || has("malware_filter_policies") || has("defender_successful_commands")
    {
        former(false)
    } else {
        Baseline::Current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_baseline_follows_from_version_products_and_keys() {
        let check =
            |export: Value, expected: Baseline| assert_eq!(baseline_of(&export), expected, "{export}");
        let former = |first_versions| Baseline::Former { first_versions };
        check(json!({"module_version": "0.3.0"}), former(true));
        check(json!({"module_version": "1.5.1"}), former(false));
        check(json!({"module_version": "1.8.0"}), Baseline::Current);
        check(
            json!({"module_version": "0.3.0", "tenant_app_settings": []}),
            former(false),
        );
        check(
            json!({"scuba_config": {"ProductNames": ["aad", "defender"]}}),
            former(false),
        );
        check(
            json!({"scuba_config": {"ProductNames": ["securitysuite"]}}),
            Baseline::Current,
        );
        check(json!({"malware_filter_policies": []}), former(false));
        check(json!({"anti_malware_policies": []}), Baseline::Current);
    }

    #[test]
    fn exports_can_have_each_encoding_that_tools_write() {
        let text = r#"{"module_version": "1.8.0"}"#;
        let utf16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let marked: Vec<u8> = [0xef, 0xbb, 0xbf].into_iter().chain(text.bytes()).collect();
        for bytes in [text.as_bytes(), &utf16, &marked] {
            assert_eq!(parsed(bytes).unwrap()["module_version"], "1.8.0");
        }
        let whole = format!(r#"{{"MetaData": {{}}, "Raw": {text}}}"#);
        assert_eq!(parsed(whole.as_bytes()).unwrap()["module_version"], "1.8.0");
    }

    #[test]
    fn the_error_for_other_documents_names_their_keys() {
        let error = |text: &str| parsed(text.as_bytes()).unwrap_err().to_string();
        assert!(error("{").contains("not JSON"));
        assert!(error("[]").contains("not a JSON object"));
        assert!(error(r#"{"runs": [], "version": 1}"#).contains("runs, version"));
    }
}
