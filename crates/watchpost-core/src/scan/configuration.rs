//! The configuration that comes with imported settings and isn't a setting itself: their platform, and the
//! exemptions and parameters that the operator of the other tool configured. The other tool's verdicts depend on
//! it, and so do Watchpost's verdicts on the same settings.

use crate::check::{CheckDocument, Exempted};
use serde_json::{Map, Value, json};

/// The path under which the configuration is stored. No check reads it as a setting.
pub const IMPORTED_CONFIGURATION: &str = "import/configuration";

/// Formats the platform, exemptions and parameters of a document as text.
pub(crate) fn configuration_text(document: &CheckDocument) -> String {
    let exemptions: Vec<[&str; 3]> = document
        .exemptions
        .iter()
        .map(|what| [what.check.as_str(), what.kind.as_str(), what.id.as_str()])
        .collect();
    json!({"platform": document.platform, "exemptions": exemptions, "params": document.params}).to_string()
}

/// Adds the configuration to a document. Ignores parts that don't have the written format.
pub(super) fn read_configuration(text: &str, document: &mut CheckDocument) {
    let Ok(Value::Object(mut whole)) = serde_json::from_str(text) else {
        return;
    };
    let platform = whole.remove("platform").unwrap_or_default();
    if let Ok(platform) = serde_json::from_value(platform) {
        document.platform = platform;
    }
    let exemptions = whole.remove("exemptions").unwrap_or_default();
    if let Ok(exemptions) = serde_json::from_value::<Vec<[String; 3]>>(exemptions) {
        document
            .exemptions
            .extend(
                exemptions
                    .into_iter()
                    .map(|[check, kind, id]| Exempted { check, kind, id }),
            );
    }
    if let Some(Value::Object(params)) = whole.remove("params") {
        for (check, own) in params {
            if let Value::Object(own) = own {
                let known: &mut Map<String, Value> = document.params.entry(check).or_default();
                known.extend(own);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::word::Platform;

    fn empty() -> CheckDocument {
        CheckDocument::new(Platform::M365, String::new(), String::new())
    }

    #[test]
    fn a_written_configuration_can_be_read_back() {
        let mut document = empty();
        document.exemptions.push(Exempted {
            check: "MS.AAD.1.1v1".into(),
            kind: "user".into(),
            id: "breakglass".into(),
        });
        let own = Map::from_iter([("partner_domains".to_owned(), json!(["birch.example"]))]);
        document.params.insert("MS.EXO.1.1v2".into(), own);
        let text = configuration_text(&document);
        let mut read = empty();
        read.platform = Platform::Import;
        read_configuration(&text, &mut read);
        assert_eq!(read.platform, Platform::M365);
        assert_eq!(read.exemptions, document.exemptions);
        assert_eq!(read.params, document.params);
        let mut read = empty();
        read_configuration("[1]", &mut read);
        assert!(read.exemptions.is_empty() && read.params.is_empty());
    }
}
