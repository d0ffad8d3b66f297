//! Benchmarks the protocol's part of a tool call: decoding, dispatch to a handler with a prepared result, and
//! encoding.

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use std::{
    borrow::Cow,
    future::Future,
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use watchpost_protocol::{
    Call, Capabilities, ClientCapabilities, ClientInfo, Completed, Handler, Header, Incoming, Link, Offer,
    Outcome, Reply, Revision, Server, ServerInfo, SessionState, ToolResult, TransportFacts, TransportKind,
};

struct Ready {
    info: ServerInfo,
    result: ToolResult,
}

impl Handler for Ready {
    type Principal = ();

    fn info(&self) -> &ServerInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            tools: Offer::Fixed,
            ..Capabilities::default()
        }
    }

    fn instructions(&self, (): &()) -> Option<Cow<'_, str>> {
        None
    }

    async fn call(&self, (): &(), call: Call<'_>) -> Outcome {
        black_box(&call.method);
        Outcome::Complete(Completed::Tool(self.result.clone()))
    }
}

fn run_ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the handler never awaits"),
    }
}

fn serve(server: &Server<Ready>, body: &Bytes, facts: &TransportFacts<'_>) -> Reply {
    let Incoming::Request(request) = server.decode(body, facts) else {
        unreachable!("the message is a request")
    };
    run_ready(server.handle(&(), &request, Link::default()))
}

fn benches(c: &mut Criterion) {
    let structured = Bytes::from(format!("{{\"rows\":\"{}\"}}", "x".repeat(2000)));
    let info = ServerInfo {
        name: "desk".to_owned(),
        title: Some("The Desk".to_owned()),
        version: "1.0.0".to_owned(),
        description: None,
        website_url: None,
        icon: None,
    };
    let result = ToolResult {
        structured: Some(structured),
        ..ToolResult::text("Two sentences.")
    };
    let server = Server::new(Ready { info, result });
    let modern = Bytes::from_static(
        br#"{"jsonrpc":"2.0","id":41,"method":"tools/call","params":{"name":"list_findings","arguments":{"severity":["high","critical"],"limit":50,"text":"admin"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"deskhost","version":"3.1.0"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}}}"#,
    );
    let legacy = Bytes::from_static(
        br#"{"jsonrpc":"2.0","id":41,"method":"tools/call","params":{"name":"list_findings","arguments":{"severity":["high","critical"],"limit":50,"text":"admin"}}}"#,
    );
    let session = Arc::new(SessionState {
        revision: Revision::V2025_11_25,
        client: ClientInfo {
            name: "deskhost".to_owned(),
            version: "3.1.0".to_owned(),
        },
        capabilities: ClientCapabilities::default(),
    });
    let headers = TransportFacts {
        version: Header::One(b"2026-07-28"),
        method: Header::One(b"tools/call"),
        name: Header::One(b"list_findings"),
        ..TransportFacts::new(TransportKind::Http, None)
    };
    let in_session = TransportFacts::new(TransportKind::Http, Some(&session));
    for (name, body, facts) in [
        ("tools/call modern", &modern, &headers),
        ("tools/call legacy", &legacy, &in_session),
    ] {
        let counted = allocation_counter::measure(|| drop(serve(&server, body, facts)));
        eprintln!(
            "{name}: {} allocations, {} bytes",
            counted.count_total, counted.bytes_total
        );
    }
    c.bench_function("tools/call modern", |b| {
        b.iter(|| serve(&server, black_box(&modern), &headers));
    });
    c.bench_function("tools/call legacy", |b| {
        b.iter(|| serve(&server, black_box(&legacy), &in_session));
    });
    c.bench_function("decode modern", |b| {
        b.iter(|| server.decode(black_box(&modern), &headers));
    });
}

criterion_group!(hot_path, benches);
criterion_main!(hot_path);
