use crate::{
    app::{Bench, FakeGate, GOOD, bench, stdio_service},
    talk::{INITIALIZED, PING, call, call_with_progress, cancel, initialize},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    sync::oneshot,
    task::JoinHandle,
};
use watchpost_transport::{Refusal, serve_stdio};

pub(crate) struct Process {
    input: Option<WriteHalf<DuplexStream>>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
    pub(crate) bench: Arc<Bench>,
    gate: Arc<FakeGate>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Process {
    pub(crate) fn start(admission: Result<Arc<str>, Refusal>) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(theirs);
        let bench = bench();
        let gate = FakeGate::new();
        let mut service = stdio_service(&bench, &gate, admission);
        service.limits.message_bytes = 4_096;
        service.timing.stop_grace = Duration::from_millis(200);
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            serve_stdio(service, input, output, async {
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            })
            .await
        });
        let (output, input) = tokio::io::split(ours);
        let output = BufReader::new(output).lines();
        Self {
            input: Some(input),
            output,
            bench,
            gate,
            stop: Some(stop),
            serving,
        }
    }

    pub(crate) fn admitted() -> Self {
        Self::start(Ok(GOOD.into()))
    }

    pub(crate) async fn send(&mut self, line: impl AsRef<str>) {
        let line = format!("{}\n", line.as_ref());
        self.input
            .as_mut()
            .unwrap()
            .write_all(line.as_bytes())
            .await
            .unwrap();
    }

    pub(crate) async fn next(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(Duration::from_secs(20), self.output.next_line());
        let line = line.await.expect("a line arrives in time").unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    pub(crate) async fn ask(&mut self, line: impl AsRef<str>) -> Value {
        self.send(line).await;
        self.next().await.expect("there is a response")
    }

    pub(crate) fn signal_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Ends the input and waits for the process to end.
    async fn end(mut self) {
        let mut input = self.input.take().unwrap();
        input.shutdown().await.unwrap();
        self.serving.await.unwrap().unwrap();
    }
}

fn enveloped(id: i64, method: &str) -> String {
    serde_json::json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }}})
    .to_string()
}

/// INI-09.
#[tokio::test]
async fn a_second_handshake_starts_a_new_session() {
    let mut process = Process::admitted();
    process.ask(initialize("2025-06-18")).await;
    process.send(INITIALIZED).await;
    process.send(call(1, "wait")).await;
    Bench::until(&process.bench.started, 1).await;
    // The calls of the old session end without an answer, and their ids can be used again.
    let answer = process.ask(initialize("2024-11-05")).await;
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
    let answer = process.ask(call(1, "echo")).await;
    assert_eq!(
        (&answer["id"], &answer["result"]["isError"]),
        (&1.into(), &false.into())
    );
    // An invalid handshake changes nothing.
    let invalid = r#"{"jsonrpc":"2.0","id":2,"method":"initialize","params":{}}"#;
    assert_eq!(process.ask(invalid).await["error"]["code"], -32602);
    assert_eq!(process.ask(call(3, "echo")).await["id"], 3);
}

/// ERA-02, ERA-04.
#[tokio::test]
async fn both_eras_are_served_on_one_stream() {
    let mut process = Process::admitted();
    assert_eq!(
        process.ask(enveloped(1, "server/discover")).await["result"]["supportedVersions"][0],
        "2026-07-28"
    );
    assert_eq!(
        process.ask(call(2, "echo")).await["error"]["code"],
        -32602,
        "there was neither an envelope nor a handshake"
    );
    assert_eq!(
        process.ask(initialize("2025-11-25")).await["result"]["protocolVersion"],
        "2025-11-25"
    );
    process.send(INITIALIZED).await;
    assert_eq!(process.ask(call(3, "echo")).await["id"], 3);
    assert_eq!(
        process.ask(enveloped(4, "tools/list")).await["result"]["resultType"],
        "complete"
    );
    process.end().await;
}

/// STD-04.
#[tokio::test]
async fn invalid_and_oversized_lines_are_answered_and_the_next_one_is_served() {
    let mut process = Process::admitted();
    process.ask(initialize("2025-11-25")).await;
    for broken in ["nonsense", "{", "[1,", "\u{0}", "\"text\""] {
        let answer = process.ask(broken).await;
        assert!(
            matches!(answer["error"]["code"].as_i64(), Some(-32700 | -32600)),
            "{broken:?}: {answer}"
        );
        assert_eq!(process.ask(PING).await["id"], 1);
    }
    let answer = process.ask("x".repeat(100_000)).await;
    assert_eq!(answer["error"]["code"], -32600);
    assert_eq!(process.ask(format!("  {PING}\r")).await["id"], 1);
    process.send("\n\n").await;
    assert_eq!(process.ask(PING).await["id"], 1);
    process.end().await;
}

/// STD-01, STD-06, RPC-16.
#[tokio::test]
async fn calls_run_concurrently_and_progress_precedes_its_result() {
    let mut process = Process::admitted();
    process.ask(initialize("2025-11-25")).await;
    process.send(call_with_progress(7, "step")).await;
    assert_eq!(process.next().await.unwrap()["method"], "notifications/progress");
    assert_eq!(process.ask(PING).await["id"], 1);
    assert_eq!(
        process.ask(call(7, "echo")).await["error"]["code"],
        -32600,
        "the id is in use"
    );
    process.bench.release.add_permits(1);
    assert_eq!(process.next().await.unwrap()["id"], 7);
    process.end().await;
}

/// CAN-01, CAN-02, CAN-03, CAN-05.
#[tokio::test]
async fn a_cancelled_call_is_stopped_and_not_answered_in_either_era() {
    let mut process = Process::admitted();
    process.ask(initialize("2025-11-25")).await;
    process.send(call(5, "wait")).await;
    Bench::until(&process.bench.started, 1).await;
    process.send(cancel(5)).await;
    Bench::until(&process.bench.dropped, 1).await;
    let mut modern: Value = serde_json::from_str(&enveloped(6, "tools/call")).unwrap();
    modern["params"]["name"] = "wait".into();
    process.send(modern.to_string()).await;
    Bench::until(&process.bench.started, 2).await;
    process.send(cancel(6)).await;
    Bench::until(&process.bench.dropped, 2).await;
    // Cancellations of a finished and of an unknown request.
    for id in [5, 6, 99] {
        process.send(cancel(id)).await;
    }
    assert_eq!(process.ask(PING).await["id"], 1, "no other message came before");
    process.end().await;
}

#[tokio::test]
async fn a_refused_client_stays_connected_and_gets_the_reason_for_every_request() {
    for (refusal, code, message) in [
        (Refusal::Invalid, 401, "Invalid API key"),
        (Refusal::Missing, 401, "API key required"),
        (
            Refusal::Unavailable {
                retry_after: Duration::from_secs(1),
            },
            503,
            "Service unavailable",
        ),
    ] {
        let mut process = Process::start(Err(refusal));
        for (line, id) in [
            (initialize("2025-11-25"), Value::from(0)),
            (call("x", "echo"), Value::from("x")),
            (enveloped(3, "server/discover"), Value::from(3)),
            (enveloped(4, "no/such/method"), Value::from(4)),
            (PING.to_owned(), Value::from(1)),
        ] {
            let answer = process.ask(&line).await;
            let expected =
                serde_json::json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
            assert_eq!(answer, expected, "{line}");
        }
        process.send(INITIALIZED).await;
        assert_eq!(process.ask("nonsense").await["error"]["code"], -32700);
        process.end().await;
    }
}

#[tokio::test]
async fn requests_are_rejected_after_the_key_is_revoked() {
    let mut process = Process::admitted();
    process.ask(initialize("2025-11-25")).await;
    assert_eq!(process.ask(call(1, "echo")).await["id"], 1);
    process.gate.revoke(GOOD);
    assert_eq!(
        process.ask(call(2, "echo")).await["error"]["message"],
        "Invalid API key"
    );
    process.end().await;
}

/// STD-03.
#[tokio::test]
async fn the_end_of_input_lets_calls_finish() {
    let mut process = Process::admitted();
    process.ask(initialize("2025-11-25")).await;
    process.send(call(5, "wait")).await;
    Bench::until(&process.bench.started, 1).await;
    process.input.take().unwrap().shutdown().await.unwrap();
    process.bench.release.add_permits(1);
    assert_eq!(process.next().await.unwrap()["id"], 5);
    assert_eq!(process.next().await, None);
    process.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_stop_signal_ends_the_process_after_the_grace_period() {
    let mut process = Process::admitted();
    process.ask(initialize("2025-11-25")).await;
    process.send(call(5, "wait")).await;
    Bench::until(&process.bench.started, 1).await;
    process.stop.take().unwrap().send(()).unwrap();
    process.serving.await.unwrap().unwrap();
    assert_eq!(*process.bench.finished.borrow(), 0);
}
