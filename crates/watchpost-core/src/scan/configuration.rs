//! What isn't a setting and yet belongs to the settings that an import brought: their platform, and what the operator of
//! the other tool had configured. Its verdicts, and ours on the same settings, stand on it.

use crate::check::{CheckDocument, Exempted};
use serde_json::{Map, Value, json};

/// The path under which it is kept. No check reads it as a setting.
pub const IMPORTED_CONFIGURATION: &str = "import/configuration";

/// A document's platform, exemptions and parameters as text.
pub(crate) fn configuration_text(document: &CheckDocument) -> String {
    let exemptions: Vec<[&str; 3]> = document
        .exemptions
        .iter()
        .map(|what| [what.check.as_str(), what.kind.as_str(), what.id.as_str()])
        .collect();
    json!({"platform": document.platform, "exemptions": exemptions, "params": document.params}).to_string()
}

/// Puts them into a document. What isn't of the form that was written is left out.
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
    fn a_configuration_comes_back_as_it_was() {
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
