//! Compares exchanges with Microsoft Graph with its metadata.

use crate::{
    csdl::{Model, TypeRef, path::Target, query::Asked, value::Values},
    log::Log,
    resources,
    shared::description,
};
use serde_json::{Map, Value};
use std::sync::OnceLock;
use watchpost_simulator::Exchange;

/// The metadata of both versions. The beta version's is that of a government cloud, since no other is published with the
/// data: it lacks a few things that the worldwide one has.
pub(crate) struct Graph {
    pub(crate) v1: Model,
    pub(crate) beta: Model,
}

/// Returns the metadata, which is read once. Returns `None` if it isn't there.
pub(crate) fn graph() -> Option<&'static Graph> {
    static GRAPH: OnceLock<Option<Graph>> = OnceLock::new();
    let read = || {
        Some(Graph {
            v1: Model::parse(&description("graph-v1.0.csdl.gz")?),
            beta: Model::parse(&description("graph-beta-usnat.csdl.gz")?),
        })
    };
    GRAPH.get_or_init(read).as_ref()
}

/// A request, either sent alone or as a step of a batch.
struct Step<'a> {
    method: &'a str,
    /// The path with its version, percent-encoded.
    path: &'a str,
    query: &'a str,
    body: Option<Value>,
    later_members: bool,
}

impl Graph {
    pub(crate) fn model(&self, version: &str) -> Option<&Model> {
        match version {
            "v1.0" => Some(&self.v1),
            "beta" => Some(&self.beta),
            _ => None,
        }
    }

    pub(crate) fn compare(&self, log: &mut Log, exchange: &Exchange) {
        log.counts.requests += 1;
        let answer = serde_json::from_slice::<Value>(&exchange.answer).ok();
        let body = serde_json::from_slice::<Value>(&exchange.body).ok();
        let prefer = exchange.header("prefer").unwrap_or_default();
        let later_members = prefer.contains("include-unknown-enum-members");
        if let Some(version) = exchange.path.strip_suffix("/$batch") {
            self.batch(log, version, body.as_ref(), answer.as_ref(), later_members);
            return;
        }
        let step = Step {
            method: &exchange.method,
            path: &exchange.path,
            query: &exchange.query,
            body,
            later_members,
        };
        if exchange.faulty && answer.is_none() {
            // A fault cut the body off or replaced it by a page of HTML.
            self.request(log, &step);
            return;
        }
        self.step(log, &step, exchange.status, answer.as_ref());
    }

    /// Compares a request, and returns what it leads to.
    fn request(&self, log: &mut Log, step: &Step<'_>) -> Option<(Target<'_>, Asked)> {
        let decoded = percent_decoded(step.path);
        let segments: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
        let (version, rest) = segments.split_first()?;
        let plain = |log: &mut Log| log.at(format!("graph {} {}", step.method, without_ids(&decoded)));
        let Some(model) = self.model(version) else {
            plain(log);
            log.differs("request", "no such version");
            return None;
        };
        let target = match model.resolve(rest) {
            Ok(target) => target,
            Err(what) => {
                plain(log);
                log.differs("request", &what);
                return None;
            }
        };
        log.at(format!("graph {} /{version}{}", step.method, target.template));
        if matches!(step.method, "POST") != target.action.is_some() {
            log.differs("request", "actions are called by POST, and nothing else is");
        }
        if let Some(action) = target.action {
            let values = Values {
                model,
                later_members: true,
            };
            let fields = step.body.as_ref().and_then(Value::as_object);
            for (name, value) in fields.into_iter().flatten() {
                let place = format!("request.{name}");
                match action.parameters.get(name) {
                    Some(parameter) => values.compare(log, &place, value, &parameter.of),
                    None => log.differs(&place, "no such parameter"),
                }
            }
            if target.template.ends_with("/createSnapshot") {
                resources::compare_order(log, step.body.as_ref().unwrap_or(&Value::Null));
            }
        }
        let of = target.of.clone().unwrap_or_default();
        let asked = model.compare_query(log, step.query, &of);
        Some((target, asked))
    }

    fn step(&self, log: &mut Log, step: &Step<'_>, status: u16, answer: Option<&Value>) {
        let found = self.request(log, step);
        log.counts.answers += 1;
        if status >= 400 {
            log.counts.errors += 1;
            compare_error(log, answer);
            return;
        }
        let Some((target, asked)) = found else {
            return;
        };
        if step.method == "DELETE" {
            if status != 204 || answer.is_some() {
                log.differs("answer", "a deletion is answered by 204 without a body");
            }
            return;
        }
        let (Some(of), Some(Value::Object(answer))) = (&target.of, answer) else {
            log.differs("answer", "not an object");
            return;
        };
        let version = step.path.split('/').nth(1).unwrap_or_default();
        let Some(model) = self.model(version) else {
            return;
        };
        let values = Values {
            model,
            later_members: step.later_members,
        };
        context(log, model, version, answer);
        if of.collection {
            list(log, &values, answer, of, &asked);
        } else {
            let mut fields = answer.clone();
            fields.remove("@odata.context");
            values.structure(log, "answer", &fields, &of.name);
            selected(log, "answer", &fields, &asked);
            if target.template.ends_with("/configurationSnapshots/{id}") {
                for resource in fields
                    .get("resources")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    resources::compare(log, resource);
                }
            }
        }
    }

    fn batch(
        &self,
        log: &mut Log,
        version: &str,
        body: Option<&Value>,
        answer: Option<&Value>,
        later_members: bool,
    ) {
        log.at(format!("graph POST {version}/$batch"));
        let steps = body.and_then(|body| body["requests"].as_array());
        let Some(steps) = steps.filter(|steps| (1..=20).contains(&steps.len())) else {
            log.differs("request", "a batch has 1 to 20 requests");
            return;
        };
        let responses = answer.and_then(|answer| answer["responses"].as_array());
        for sent in steps {
            log.at(format!("graph POST {version}/$batch"));
            let text = |name: &str| sent[name].as_str().unwrap_or_default();
            let url = text("url");
            if text("id").is_empty() || !url.starts_with('/') {
                log.differs("request", "a step has an id and an address below the version");
            }
            let (path, query) = url.split_once('?').unwrap_or((url, ""));
            let step = Step {
                method: text("method"),
                path: &format!("{version}{path}"),
                query,
                body: None,
                later_members,
            };
            let response = responses
                .into_iter()
                .flatten()
                .find(|response| response["id"] == sent["id"]);
            match response {
                Some(response) => {
                    let status = response["status"].as_u64().unwrap_or_default();
                    let status = u16::try_from(status).unwrap_or_default();
                    self.step(log, &step, status, response.get("body"));
                }
                None => {
                    self.request(log, &step);
                }
            }
        }
    }
}

/// Compares a list: its envelope, then each row.
fn list(log: &mut Log, values: &Values<'_>, answer: &Map<String, Value>, of: &TypeRef, asked: &Asked) {
    for (name, value) in answer {
        let right = match name.as_str() {
            "value" => value.is_array(),
            "@odata.context" => value.is_string(),
            "@odata.nextLink" | "@odata.deltaLink" => {
                value.as_str().is_some_and(|link| url::Url::parse(link).is_ok())
            }
            "@odata.count" => value.is_u64(),
            _ => false,
        };
        if !right {
            log.differs(&format!("answer.{name}"), "a list has no such field");
        }
    }
    let rows = answer.get("value").and_then(Value::as_array);
    if rows.is_none() {
        log.differs("answer", "a list without `value`");
    }
    for row in rows.into_iter().flatten() {
        log.value();
        match row {
            Value::Object(fields) => {
                values.structure(log, "answer[]", fields, &of.name);
                selected(log, "answer[]", fields, asked);
            }
            other => {
                let one = TypeRef {
                    collection: false,
                    ..of.clone()
                };
                values.compare(log, "answer[]", other, &one);
            }
        }
    }
}

/// Compares the fields of an object with those that the request selected.
fn selected(log: &mut Log, place: &str, fields: &Map<String, Value>, asked: &Asked) {
    let Some(names) = &asked.selected else {
        return;
    };
    for name in fields.keys().filter(|name| !name.contains('@')) {
        if name != "id" && !names.contains(name) && !asked.expanded.contains(name) {
            log.differs(&format!("{place}.{name}"), "not selected");
        }
    }
    for name in names {
        // Graph leaves this out for accounts that never signed in.
        if name != "signInActivity" && !fields.contains_key(name) {
            log.differs(&format!("{place}.{name}"), "selected, but left out");
        }
    }
}

/// Compares the context of an answer: `{base}/{version}/$metadata#{what}`.
fn context(log: &mut Log, model: &Model, version: &str, answer: &Map<String, Value>) {
    let text = answer.get("@odata.context").and_then(Value::as_str);
    let Some(text) = text else {
        log.differs("answer.@odata.context", "left out");
        return;
    };
    let parts = text.split_once(&format!("/{version}/$metadata#"));
    let what = parts.map(|(_, what)| what).unwrap_or_default();
    let end = what.find(['/', '(']).unwrap_or(what.len());
    let (first, _) = what.split_at(end);
    let collection = what
        .strip_prefix("Collection(")
        .and_then(|rest| rest.split_once(')'))
        .is_some_and(|(name, _)| model.structure(name).is_some());
    if !collection && !model.roots.contains_key(first) && model.structure(first).is_none() {
        log.differs(
            "answer.@odata.context",
            &format!("no such context: {version} #{what}"),
        );
    }
}

/// Compares an error with the form that all of Graph's errors have.
fn compare_error(log: &mut Log, answer: Option<&Value>) {
    let Some(Value::Object(error)) = answer.and_then(|answer| answer.get("error")) else {
        log.differs("error", "without `error`");
        return;
    };
    if answer
        .and_then(Value::as_object)
        .is_some_and(|answer| answer.len() != 1)
    {
        log.differs("error", "more than `error`");
    }
    for (name, value) in error {
        log.value();
        let right = match name.as_str() {
            "code" => value.as_str().is_some_and(|code| !code.is_empty()),
            "message" | "target" => value.is_string(),
            "details" => value.is_array(),
            "innerError" | "innererror" => value.is_object(),
            _ => false,
        };
        if !right {
            log.differs(&format!("error.{name}"), "no such field, or not its type");
        }
    }
    for name in ["code", "message"] {
        if !error.contains_key(name) {
            log.differs(&format!("error.{name}"), "left out");
        }
    }
}

fn percent_decoded(text: &str) -> String {
    // A plus sign is itself in a path.
    let text = text.replace('+', "%2B");
    let pair = format!("={text}");
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map_or(text, |(_, value)| value.into_owned())
}

/// Replaces the parts of a path that look like ids.
pub(crate) fn without_ids(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        if part.len() >= 12 && digits >= 3 {
            "{id}"
        } else {
            part
        }
    });
    parts.collect::<Vec<_>>().join("/")
}
