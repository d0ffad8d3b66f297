//! The differences between what was sent and what a description says, and the accepted ones among them.

use std::collections::{BTreeMap, BTreeSet};

/// The amount of what was compared for one API.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) endpoints: BTreeSet<String>,
    pub(crate) answers: u64,
    pub(crate) errors: u64,
    /// The values in requests and answers that were compared with their type.
    pub(crate) values: u64,
}

/// Collects differences. Each is one line without ids, so that equal ones of many rows are one.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) counts: Counts,
    /// The endpoint that is compared.
    endpoint: String,
    pub(crate) differences: BTreeMap<String, u64>,
}

impl Log {
    /// Sets the endpoint to which the next differences belong.
    pub(crate) fn at(&mut self, endpoint: String) {
        self.counts.endpoints.insert(endpoint.clone());
        self.endpoint = endpoint;
    }

    /// Counts a value that is compared.
    pub(crate) fn value(&mut self) {
        self.counts.values += 1;
    }

    /// Adds a difference.
    pub(crate) fn differs(&mut self, place: &str, what: &str) {
        let line = format!("{}: {place}: {what}", self.endpoint);
        *self.differences.entry(line).or_default() += 1;
    }

    /// Returns the number of differences so far, and starts a trial whose differences can be dropped.
    pub(crate) fn trial(&self) -> Self {
        Self {
            endpoint: self.endpoint.clone(),
            ..Self::default()
        }
    }

    /// Adds what a trial found.
    pub(crate) fn keep(&mut self, trial: Self) {
        self.counts.values += trial.counts.values;
        for (line, times) in trial.differences {
            *self.differences.entry(line).or_default() += times;
        }
    }
}

/// An accepted difference: its line, or the beginning of its line followed by `*`, and the reason.
pub(crate) type Exception = (&'static str, &'static str);

fn covers(pattern: &str, line: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => line.starts_with(beginning),
        None => line == pattern,
    }
}

/// Returns what is wrong: differences that aren't accepted, and exceptions that accept nothing.
pub(crate) fn wrong(differences: &BTreeMap<String, u64>, exceptions: &[Exception]) -> Vec<String> {
    let open = differences
        .iter()
        .filter(|(line, _)| !exceptions.iter().any(|(pattern, _)| covers(pattern, line)))
        .map(|(line, times)| format!("{line} ({times} times)"));
    let unused = exceptions
        .iter()
        .filter(|(pattern, _)| !differences.keys().any(|line| covers(pattern, line)))
        .map(|(pattern, _)| format!("this exception is not used: {pattern}"));
    open.chain(unused).collect()
}

#[test]
fn a_difference_needs_an_exception_and_an_exception_a_difference() {
    let mut log = Log::default();
    log.at("GET /a".to_owned());
    log.differs("answer.x", "no such property");
    log.differs("answer.x", "no such property");
    let line = "GET /a: answer.x: no such property";
    assert_eq!(wrong(&log.differences, &[]), [format!("{line} (2 times)")]);
    assert_eq!(wrong(&log.differences, &[(line, "why")]), [""; 0]);
    assert_eq!(wrong(&log.differences, &[("GET /a: *", "why")]), [""; 0]);
    assert_eq!(
        wrong(&log.differences, &[(line, "why"), ("GET /b*", "why")]),
        ["this exception is not used: GET /b*"]
    );
}
