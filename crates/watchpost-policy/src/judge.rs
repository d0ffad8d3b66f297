//! The evaluator of one thread: turns documents into hits and failures.

use crate::{
    limits::Limits,
    metadata::Metadata,
    pack::{Pack, Prepared},
    program::{Compiled, Stop},
    text,
    value::{name, to_value},
    verdict::{self, Verdict},
};
use regorus::{Rc, Value, rvm::vm::RegoVM};
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, Ordering},
};
use watchpost_core::{
    integration::fact::Dataset,
    rule::{
        EngineError, Evaluation, Hit, RuleFailure,
        document::{Document, DocumentType, IntegrationRef},
    },
    value::word::Platform,
};

/// The rules that are paused because they exceeded their limits, shared by all threads.
#[derive(Debug)]
pub(crate) struct Strikes(Vec<(AtomicU32, AtomicI64)>);

impl Strikes {
    pub(crate) fn new(rules: usize) -> Self {
        Self(
            (0..rules)
                .map(|_| (AtomicU32::new(0), AtomicI64::new(i64::MIN)))
                .collect(),
        )
    }

    fn is_paused(&self, rule: usize, now_ms: i64) -> bool {
        self.0
            .get(rule)
            .is_some_and(|(_, until)| now_ms < until.load(Ordering::Relaxed))
    }

    fn strike(&self, rule: usize, now_ms: i64, limits: &Limits) {
        let Some((count, until)) = self.0.get(rule) else {
            return;
        };
        if count.fetch_add(1, Ordering::Relaxed).saturating_add(1) >= limits.strikes {
            count.store(0, Ordering::Relaxed);
            let pause_ms = i64::try_from(limits.pause.as_millis()).unwrap_or(i64::MAX);
            until.store(now_ms.saturating_add(pause_ms), Ordering::Relaxed);
        }
    }
}

/// The virtual machines of one thread.
pub(crate) struct Judge {
    prepared: Arc<Prepared>,
    limits: Limits,
    machines: Vec<RegoVM>,
}

/// The reason of a rule that lacks a fact about the entity.
const UNREADABLE: &str = "unreadable";

/// The outcome of evaluating one rule.
type Judged = Result<Verdict, String>;

impl Judge {
    pub(crate) fn new(pack: &Pack) -> Result<Self, EngineError> {
        let prepared = pack.prepared()?;
        let mut judge = Self {
            prepared,
            limits: *pack.limits(),
            machines: Vec::new(),
        };
        judge.make_machines().map_err(EngineError::Load)?;
        Ok(judge)
    }

    fn make_machines(&mut self) -> Result<(), String> {
        self.machines = self
            .prepared
            .programs
            .iter()
            .map(|(_, compiled)| compiled.machine(&self.prepared.data, &self.limits))
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Replaces all machines after one of them panicked.
    fn renew(&mut self, position: usize, input: &Value) {
        if self.make_machines().is_err() {
            self.machines.clear();
        }
        if let Some(machine) = self.machines.get_mut(position) {
            machine.set_input(input.clone());
        }
    }

    /// Evaluates all rules for the document's type. Adds hits, failures and rules that could not judge
    /// to `out` in the order of the rules.
    pub(crate) fn judge(
        &mut self,
        pack: &Pack,
        strikes: &Strikes,
        document: &Document,
        now_ms: i64,
        out: &mut Evaluation,
    ) {
        let entity = document.entity();
        let mut verdicts = match document {
            Document::Identity(doc) => self.all(document.document_type(), doc.as_ref(), strikes, now_ms),
            Document::App(doc) => self.all(document.document_type(), doc.as_ref(), strikes, now_ms),
            Document::Integration(doc) => self.all(document.document_type(), doc.as_ref(), strikes, now_ms),
        };
        verdicts.sort_by_key(|(rule, _)| *rule);
        for (rule, judged) in verdicts {
            let readable = pack
                .entries()
                .get(rule)
                .is_some_and(|entry| may_judge(&entry.metadata, document));
            match judged {
                Ok(Verdict::Failed {
                    title,
                    evidence,
                    apps,
                }) if readable => out.hits.push(Hit {
                    rule,
                    entity,
                    title,
                    evidence,
                    apps,
                }),
                // The datasets are complete, but a fact about the entity is unknown. Where they aren't, the findings stay
                // anyway.
                Ok(Verdict::Skipped(reason)) if readable && reason == UNREADABLE => {
                    out.unjudged.push((rule, entity));
                }
                Ok(_) => {}
                Err(reason) => out.failures.push(RuleFailure { rule, entity, reason }),
            }
        }
    }

    /// Evaluates all rules for a type on one document.
    pub(crate) fn all<T: Serialize>(
        &mut self,
        document_type: DocumentType,
        document: &T,
        strikes: &Strikes,
        now_ms: i64,
    ) -> Vec<(usize, Judged)> {
        let prepared = Arc::clone(&self.prepared);
        let input = match to_value(document) {
            Ok(doc) => input(doc, now_ms),
            Err(error) => {
                let reason = error.to_string();
                let of_type = prepared.programs.iter().filter(|(of, _)| *of == document_type);
                return of_type
                    .flat_map(|(_, compiled)| compiled.rules.iter().map(|rule| (*rule, Err(reason.clone()))))
                    .collect();
            }
        };
        let mut verdicts = Vec::new();
        for (position, (of, compiled)) in prepared.programs.iter().enumerate() {
            if *of == document_type {
                self.program(position, compiled, &input, strikes, now_ms, &mut verdicts);
            }
        }
        verdicts
    }

    fn program(
        &mut self,
        position: usize,
        compiled: &Compiled,
        input: &Value,
        strikes: &Strikes,
        now_ms: i64,
        verdicts: &mut Vec<(usize, Judged)>,
    ) {
        if let Some(machine) = self.machines.get_mut(position) {
            machine.set_input(input.clone());
        }
        for (entry, &rule) in compiled.rules.iter().enumerate() {
            if strikes.is_paused(rule, now_ms) {
                verdicts.push((rule, Err(text::RULE_PAUSED.to_owned())));
                continue;
            }
            let Some(machine) = self.machines.get_mut(position) else {
                verdicts.push((rule, Err(text::ENGINE_NOT_RESTARTED.to_owned())));
                continue;
            };
            let judged = match compiled.run(machine, entry) {
                Ok(value) => verdict::read(&value),
                Err(stop) => {
                    if !matches!(stop, Stop::Failed(_)) {
                        strikes.strike(rule, now_ms, &self.limits);
                    }
                    if matches!(stop, Stop::Panicked) {
                        self.renew(position, input);
                    }
                    Err(stop.reason())
                }
            };
            verdicts.push((rule, judged));
        }
    }
}

/// Builds a rule's `input`.
fn input(doc: Value, now_ms: i64) -> Value {
    Value::Object(Rc::new(
        [(name("doc"), doc), (name("now_ms"), Value::from(now_ms))]
            .into_iter()
            .collect(),
    ))
}

/// Whether the data that a rule needs could be read. A second check: rules also check this themselves.
fn may_judge(metadata: &Metadata, document: &Document) -> bool {
    let readable = |unreadable: &[Dataset]| !metadata.required.iter().any(|need| unreadable.contains(need));
    let of_rule = |platform: Platform| {
        metadata.rule.platforms.is_empty() || metadata.rule.platforms.contains(&platform)
    };
    let source =
        |integration: &IntegrationRef| of_rule(integration.platform) && readable(&integration.unreadable);
    match document {
        Document::Identity(doc) => doc.accounts.iter().any(|account| source(&account.integration)),
        Document::App(doc) => source(&doc.integration),
        Document::Integration(doc) => of_rule(doc.platform) && readable(&doc.unreadable),
    }
}
