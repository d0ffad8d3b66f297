//! The verdict of a rule.

use crate::{
    answer::{Answer, list},
    limits::APPS_MAX,
    text,
};
use regorus::Value;
use watchpost_core::{
    check::CheckResult,
    value::{id::AppId, text::ForeignText},
};

/// A rule's verdict on one document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// The condition doesn't hold.
    Passed,
    /// The rule doesn't judge this document, with the reason.
    Skipped(String),
    /// The condition holds.
    Failed {
        title: ForeignText,
        evidence: String,
        apps: Vec<AppId>,
    },
}

/// Reads `value`. The error states what is wrong with it.
pub(crate) fn read(value: &Value) -> Result<Verdict, String> {
    let answer = Answer::read(value)?;
    match answer.result {
        CheckResult::Failed => {
            let title = ForeignText::sentence(answer.string("reason")?);
            if title.is_empty() {
                return Err(text::REASON_EMPTY.to_owned());
            }
            Ok(Verdict::Failed {
                title,
                evidence: answer.evidence()?,
                apps: apps(answer.field("entities"))?,
            })
        }
        CheckResult::Skipped => {
            let reason = answer.string("reason")?.chars().take(200).collect();
            Ok(Verdict::Skipped(reason))
        }
        CheckResult::Passed | CheckResult::Error => Ok(Verdict::Passed),
    }
}

fn apps(value: Option<&Value>) -> Result<Vec<AppId>, String> {
    let mut apps = Vec::new();
    for item in list(value, "entities")? {
        let id = match item {
            Value::String(id) => id.parse::<AppId>().ok(),
            _ => None,
        };
        let id = id.ok_or_else(|| text::ENTITY_NOT_APP.to_owned())?;
        if !apps.contains(&id) {
            apps.push(id);
        }
        if apps.len() == APPS_MAX {
            break;
        }
    }
    Ok(apps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json_str(text).unwrap()
    }

    #[test]
    fn verdicts_are_read() {
        assert_eq!(read(&json(r#"{"result":"passed"}"#)), Ok(Verdict::Passed));
        assert_eq!(
            read(&json(r#"{"result":"skipped","reason":"unreadable"}"#)),
            Ok(Verdict::Skipped("unreadable".to_owned()))
        );
        let id = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        let failed = read(&json(&format!(
            r#"{{"result":"failed","reason":"It is bad","evidence":[{{"a":1}}],"entities":["{id}","{id}"]}}"#
        )));
        assert_eq!(
            failed,
            Ok(Verdict::Failed {
                title: ForeignText::sentence("It is bad"),
                evidence: r#"[{"a":1}]"#.to_owned(),
                apps: vec![id.parse().unwrap()],
            })
        );
    }

    #[test]
    fn invalid_verdicts_are_reported() {
        let check = |value: &Value, expected: &str| {
            let error = read(value).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&json("true"), "not an object");
        check(&json(r#"{"result":"failed"}"#), "reason");
        check(&json(r#"{"result":"failed","reason":" "}"#), "empty");
        check(
            &json(r#"{"result":"failed","reason":"x","evidence":1}"#),
            "not a list",
        );
        check(
            &json(r#"{"result":"failed","reason":"x","entities":["x"]}"#),
            "id of an app",
        );
    }
}
