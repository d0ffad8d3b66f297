//! Measures an assistant's queries about scans on a store with many scans: `cargo bench -p watchpost-runtime --bench scans`. `SCANS` (default
//! 1,000) is the number of scans, each of which evaluates the stored settings of the demo's company.
//!
//! Without a framework: each figure is the median of many calls over the protocol in this process, one after the other, each with its audit
//! entry. Successive calls have different arguments, so that no cached reply is measured.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints and may fail"
)]

use serde_json::{Value, json};
use std::{sync::Arc, time::Instant};
use tokio::sync::watch;
use watchpost_core::{
    access::WorkspaceScope,
    audit::CallRecord,
    check::ScanType,
    service::{ScanOrder, ScanTarget},
    value::word::Platform,
};
use watchpost_mcp::McpServer;
use watchpost_protocol::{Incoming, Link, Server, TransportFacts, TransportKind};
use watchpost_runtime::{
    config::Settings,
    demo::{Demo, DemoOptions},
    metrics::Counters,
    worker::Worker,
};

async fn ask(server: &Server<McpServer>, scope: &Arc<WorkspaceScope>, tool: &str, arguments: Value) -> Value {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {}
        }}
    });
    let bytes = serde_json::to_vec(&message).unwrap().into();
    let Incoming::Request(request) = server.decode(&bytes, &TransportFacts::new(TransportKind::Stdio, None))
    else {
        panic!("a request")
    };
    let reply = server.handle(scope, &request, Link::default()).await;
    let answer: Value = serde_json::from_slice(&reply.body.unwrap()).unwrap();
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    answer["result"]["structuredContent"].clone()
}

fn main() {
    let scans: u64 = std::env::var("SCANS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000);
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(DemoOptions {
        data_dir: Some(folder.path().join("data")),
        now: None,
        settings: Settings::default(),
    })
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        demo.build_history().await.unwrap();
        let instance = demo.instance();
        let workspace = instance.workspace(None).await.unwrap();
        let scope = instance.operator(&workspace);
        let watchpost = instance.watchpost_with_connectors().unwrap();
        let worker = Worker::with_watchpost(instance, watchpost.clone(), Arc::new(Counters::default()));
        let (_stopping, stop) = watch::channel(false);
        let order = ScanOrder {
            target: ScanTarget {
                integration: None,
                platform: Some(Platform::M365),
            },
            scan_type: ScanType::Compliance,
            fresh: false,
            again: true,
        };
        let begun = Instant::now();
        for _ in 0..scans {
            let call = CallRecord::new("cli", "scan start", "{}");
            watchpost.start_scan(&scope, order, call).await.unwrap();
            worker.drain(&stop).await.unwrap();
        }
        let each = begun.elapsed().as_secs_f64() * 1e3 / (scans.max(1) as f64);
        println!(
            "{:<50} {each:>8.1} ms",
            "a scan of stored settings, with its writes"
        );
        let server = Server::new(instance.mcp().unwrap());
        let page = ask(
            &server,
            &scope,
            "list_scans",
            json!({"scan_type": "compliance", "limit": 50}),
        )
        .await;
        let ids: Vec<Value> = page["scans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scan| scan["scan_id"].clone())
            .collect();
        println!("{} compliance scans are stored", page["total"]);
        for (tool, arguments) in [
            ("list_check_results", json!({"result": ["failed"], "limit": 100})),
            (
                "list_check_results",
                json!({"framework": ["cis"], "service": ["exchange"], "limit": 25}),
            ),
            ("compare_scans", json!({})),
            ("get_scan", json!({})),
        ] {
            let mut took: Vec<f64> = Vec::new();
            for id in &ids {
                let mut arguments = arguments.clone();
                arguments["scan_id"] = id.clone();
                let begun = Instant::now();
                ask(&server, &scope, tool, arguments).await;
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            took.sort_by(f64::total_cmp);
            let at = |part: usize| took[(took.len() - 1) * part / 100];
            println!(
                "{:<50} {:>8.2} ms, p99 {:.2} ms",
                format!("{tool} {arguments}"),
                at(50),
                at(99)
            );
        }
    });
}
