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
mod routes;
mod shared;
#[path = "../it/support.rs"]
#[expect(
    dead_code,
    reason = "this target doesn't look into what the connectors return"
)]
mod support;
mod traffic;
mod wire;

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

/// Prints the number of the simulator's routes, and fails if some weren't compared.
fn reached(name: &str, (total, missing): (usize, Vec<String>)) {
    println!("{name}: {total} routes of the simulator");
    assert!(total > 20, "the routes weren't found: {total}");
    assert!(missing.is_empty(), "not compared:\n{}", missing.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn requests_to_okta_and_its_simulated_answers_are_as_described() {
    let Some(document) = okta::okta() else {
        return;
    };
    let mut log = Log::default();
    let exchanges = traffic::okta().await;
    for exchange in &exchanges {
        document.compare_exchange(&mut log, exchange);
    }
    conclude("Okta", &log, exceptions::OKTA);
    let routes = [("okta/mod.rs", "fn answer", 2)];
    reached("Okta", routes::missing(&exchanges, "/okta", &routes));
}

#[tokio::test(start_paused = true)]
async fn requests_to_graph_and_its_simulated_answers_are_as_described() {
    let Some(graph) = graph::graph() else {
        return;
    };
    let (mut log, mut others) = (Log::default(), Log::default());
    let exchanges = traffic::m365().await;
    for exchange in &exchanges {
        if exchange.api == "/graph" {
            graph.compare(&mut log, exchange);
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
    let routes = [
        ("graph/mod.rs", "fn routed", 1),
        ("graph/settings.rs", "fn path", 1),
        ("graph/snapshots.rs", "fn answer", 3),
    ];
    reached("Microsoft Graph", routes::missing(&exchanges, "/graph", &routes));
}
