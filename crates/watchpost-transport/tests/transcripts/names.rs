//! Placeholders for values that differ between runs: sealed states, task ids and times.

use serde_json::Value;

/// The placeholders of one run of a conversation, with their values.
#[derive(Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    /// Replaces values in a received message by placeholders.
    pub(crate) fn replace(&mut self, mut message: Value) -> Value {
        self.walk(&mut message);
        message
    }

    fn walk(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (key, value) in members.iter_mut() {
                    match (key.as_str(), value.as_str()) {
                        ("requestState", Some(state)) => *value = self.name("state", state).into(),
                        ("taskId", Some(task)) => *value = self.name("task", task).into(),
                        ("createdAt" | "lastUpdatedAt", Some(_)) => *value = "{{time}}".into(),
                        _ => self.walk(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            _ => {}
        }
    }

    fn name(&mut self, kind: &str, text: &str) -> String {
        if let Some((name, _)) = self.0.iter().find(|(_, known)| known == text) {
            return name.clone();
        }
        let number = self.0.iter().filter(|(name, _)| name.contains(kind)).count() + 1;
        let name = format!("{{{{{kind}-{number}}}}}");
        self.0.push((name.clone(), text.to_owned()));
        name
    }

    /// Replaces placeholders in a message to send by their values.
    pub(crate) fn fill_in(&self, message: &Value) -> Value {
        let text = self.0.iter().fold(message.to_string(), |text, (name, known)| {
            text.replace(name, known)
        });
        serde_json::from_str(&text).unwrap()
    }
}
