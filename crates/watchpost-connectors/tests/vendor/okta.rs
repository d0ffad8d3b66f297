//! Compares exchanges with Okta with the OpenAPI description of its management API.

use crate::{
    graph::without_ids,
    log::Log,
    openapi::{Document, value::scalar},
    shared::description,
};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use watchpost_simulator::Exchange;

/// Returns the description, which is read once. Returns `None` if it isn't there.
pub(crate) fn okta() -> Option<&'static Document> {
    static OKTA: OnceLock<Option<Document>> = OnceLock::new();
    OKTA.get_or_init(|| Some(Document::new(description("okta-management.yaml.gz")?)))
        .as_ref()
}

impl Document {
    pub(crate) fn compare_exchange(&self, log: &mut Log, exchange: &Exchange) {
        log.counts.requests += 1;
        let answer = serde_json::from_slice::<Value>(&exchange.answer).ok();
        let operation = self.request(log, exchange);
        if exchange.faulty && answer.is_none() {
            return;
        }
        log.counts.answers += 1;
        if exchange.status >= 400 {
            log.counts.errors += 1;
            // The token endpoint, which belongs to another API, has OAuth's errors.
            if operation.is_some() {
                let error = json!({ "$ref": "#/components/schemas/Error" });
                self.compare(log, "error", &answer.unwrap_or_default(), &error);
            }
            return;
        }
        let Some(operation) = operation else {
            return;
        };
        let response = &operation["responses"][exchange.status.to_string()];
        if response.is_null() {
            log.differs(
                "answer",
                &format!("the status {} isn't described", exchange.status),
            );
            return;
        }
        let response = self.resolved(response);
        let schema = response
            .pointer("/content/application~1json/schema")
            .cloned()
            .unwrap_or_default();
        match answer {
            Some(answer) if !schema.is_null() => self.compare(log, "answer", &answer, &schema),
            None if schema.is_null() => {}
            _ => log.differs("answer", "a body is missing or isn't described"),
        }
        self.links(log, exchange, &operation);
    }

    /// Compares a request, and returns the description of its operation.
    fn request(&self, log: &mut Log, exchange: &Exchange) -> Option<Arc<Value>> {
        let Some((template, item)) = self.path(&exchange.path) else {
            log.at(format!(
                "okta {} {}",
                exchange.method,
                without_ids(&exchange.path)
            ));
            log.differs("request", "no such address");
            return None;
        };
        log.at(format!("okta {} {template}", exchange.method));
        let method = exchange.method.to_ascii_lowercase();
        let Some(operation) = item.get(&method) else {
            log.differs("request", "no such method");
            return None;
        };
        let mut operation = operation.clone();
        // Parameters of the address apply to all of its methods.
        let shared = item.get("parameters").and_then(Value::as_array);
        let own = operation.get("parameters").and_then(Value::as_array);
        let both: Vec<Value> = own.into_iter().chain(shared).flatten().cloned().collect();
        let resolved: Vec<Value> = both
            .iter()
            .map(|one| self.resolved(one).as_ref().clone())
            .collect();
        operation["parameters"] = resolved.into();
        self.query(log, "query", &exchange.query, &operation);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let sent = url::form_urlencoded::parse(exchange.query.as_bytes()).any(|(found, _)| found == name);
            if parameter["in"] == "query" && parameter["required"] == true && !sent {
                log.differs(&format!("query {name}"), "required, but left out");
            }
        }
        Some(Arc::new(operation))
    }

    /// Compares the parameters of a query with those of an operation.
    fn query(&self, log: &mut Log, place: &str, query: &str, operation: &Value) {
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            log.value();
            let place = format!("{place} {name}");
            let described = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|parameter| parameter["in"] == "query" && parameter["name"] == *name);
            let Some(parameter) = described else {
                log.differs(&place, "no such parameter");
                continue;
            };
            let schema = self.resolved(&parameter["schema"]);
            let value = match schema["type"].as_str() {
                Some("integer" | "number" | "boolean") => {
                    serde_json::from_str(&value).unwrap_or_else(|_| json!(value))
                }
                _ => json!(value),
            };
            scalar(log, &place, &value, &schema);
        }
    }

    /// Compares the links to other pages: they are pages of the same list.
    fn links(&self, log: &mut Log, exchange: &Exchange, operation: &Value) {
        let links = exchange.answer_headers.iter().filter(|(name, _)| name == "link");
        for (_, link) in links {
            let target = link.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let parsed = target.and_then(|(target, _)| url::Url::parse(target).ok());
            let Some(target) = parsed.filter(|target| target.path().ends_with(&exchange.path)) else {
                log.differs("link", "not an address of the same list");
                continue;
            };
            self.query(log, "link", target.query().unwrap_or_default(), operation);
        }
    }
}
