//! Compares every request that the connectors send, and every answer of the simulator, with the vendors' own descriptions of
//! their APIs: the metadata of Microsoft Graph and the OpenAPI description of Okta. The connectors and the simulator are
//! written by the same people, so their agreement alone shows nothing.
//!
//! A difference fails the test unless `exceptions.rs` lists it with a reason; an exception that accepts nothing fails, too.
#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
#![expect(clippy::print_stdout, reason = "reports what was compared")]

mod csdl;
mod exceptions;
mod graph;
mod log;
mod mutations;
mod okta;
mod openapi;
mod reads;
mod rego;
mod resources;
mod shared;
#[path = "../it/support.rs"]
#[expect(
    dead_code,
    reason = "this target doesn't look into what the connectors return"
)]
mod support;
mod traffic;

use crate::log::{Exception, Log, wrong};

/// Prints the counts, and fails if there is a difference without an exception or the reverse.
fn conclude(name: &str, log: &Log, exceptions: &[Exception]) {
    let counts = &log.counts;
    println!(
        "{name}: {} requests to {} endpoints, {} answers ({} of them errors), {} values compared, {} exceptions",
        counts.requests,
        counts.endpoints.len(),
        counts.answers,
        counts.errors,
        counts.values,
        exceptions.len()
    );
    for (pattern, reason) in exceptions {
        println!("  accepted: {pattern} ({reason})");
    }
    let wrong = wrong(&log.differences, exceptions);
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn requests_to_okta_and_its_simulated_answers_are_as_described() {
    let Some(document) = okta::okta() else {
        return;
    };
    let mut log = Log::default();
    for exchange in traffic::okta().await {
        document.compare_exchange(&mut log, &exchange);
    }
    conclude("Okta", &log, exceptions::OKTA);
}

#[tokio::test(start_paused = true)]
async fn requests_to_graph_and_its_simulated_answers_are_as_described() {
    let Some(graph) = graph::graph() else {
        return;
    };
    let (mut log, mut others) = (Log::default(), Log::default());
    for exchange in traffic::m365().await {
        if exchange.api == "/graph" {
            graph.compare(&mut log, &exchange);
        } else {
            others.counts.requests += 1;
            others.counts.answers += 1;
            others.counts.errors += u64::from(exchange.status >= 400);
            let path = graph::without_ids(&exchange.path);
            others.at(format!("{} {} {path}", exchange.api, exchange.method));
            others.differs("request", "no description");
        }
    }
    conclude("Microsoft Graph", &log, exceptions::GRAPH);
    conclude("other hosts of Microsoft 365", &others, exceptions::HOSTS);
}
