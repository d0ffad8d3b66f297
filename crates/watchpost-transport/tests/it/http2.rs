//! HTTP/2 clients that don't take their responses, or that send frames without end.

use crate::{
    app::{App, GOOD},
    http_client::HttpClient,
    talk::{PING, call, post},
};
use bytes::Bytes;
use h2::{Reason, RecvStream, client::SendRequest};
use std::time::Duration;
use tokio::net::TcpStream;

/// A client whose streams start with room for `window` bytes. Its connection answers pings and sends some until the sender of
/// requests is dropped.
pub(crate) async fn connect(app: &App, window: u32) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(app.address).await.unwrap();
    let (sender, mut connection) = h2::client::Builder::new()
        .initial_window_size(window)
        .handshake::<_, Bytes>(stream)
        .await
        .unwrap();
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(connection);
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(Duration::from_millis(10));
        loop {
            interval.tick().await;
            if pings.ping(h2::Ping::opaque()).await.is_err() {
                return;
            }
        }
    });
    sender.ready().await.unwrap()
}

/// Sends a message and returns the status and the body, of which nothing has been read.
pub(crate) async fn send(sender: &mut SendRequest<Bytes>, message: impl Into<String>) -> (u16, RecvStream) {
    let message = Bytes::from(message.into());
    let request = http::Request::post("http://localhost/mcp")
        .header("x-api-key", GOOD)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("content-length", message.len())
        .body(())
        .unwrap();
    let (response, mut body) = sender.send_request(request, false).unwrap();
    body.send_data(message, true).unwrap();
    let response = response.await.unwrap();
    (response.status().as_u16(), response.into_body())
}

/// Reads the body. Makes room for more only if `takes`.
pub(crate) async fn read(mut body: RecvStream, takes: bool) -> Result<Vec<u8>, h2::Error> {
    let mut all = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        if takes {
            body.flow_control().release_capacity(piece.len()).unwrap();
        }
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

fn echo(bytes: usize) -> String {
    let arguments = serde_json::json!({"name": "echo", "arguments": {"text": "a".repeat(bytes)}});
    serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}).to_string()
}

#[tokio::test]
async fn a_stream_whose_client_makes_no_room_is_reset_although_the_connection_is_busy() {
    let app = App::with(|config| config.timing.write_stall = Duration::from_millis(100)).await;
    for (window, bytes) in [(0, 10), (0, 100_000), (1, 10), (1, 100_000), (40_000, 100_000)] {
        let mut sender = connect(&app, window).await;
        let (status, body) = send(&mut sender, echo(bytes)).await;
        assert_eq!(status, 200);
        let error = read(body, false).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::CANCEL), "{window} {bytes}");
        // The connection goes on.
        let notification = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let (status, _) = send(&mut sender, notification).await;
        assert_eq!(status, 202);
    }
}

#[tokio::test]
async fn an_event_stream_whose_client_makes_no_room_is_reset() {
    let app = App::with(|config| config.timing.write_stall = Duration::from_millis(100)).await;
    let mut sender = connect(&app, 0).await;
    let request = http::Request::get("http://localhost/sse")
        .header("x-api-key", GOOD)
        .header("accept", "text/event-stream")
        .body(())
        .unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    let error = read(response.into_body(), false).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
    assert_eq!(app.service.open_streams(), 0);
}

#[tokio::test]
async fn a_client_with_little_room_gets_the_whole_response() {
    let app = App::start().await;
    let reference = app.connect().await.ask(&post(echo(100_000))).await;
    for window in [1_000, 16_384, 65_535, 1 << 20] {
        let mut sender = connect(&app, window).await;
        let (status, body) = send(&mut sender, echo(100_000)).await;
        let body = read(body, true).await.unwrap();
        assert_eq!(
            (status, body.as_slice()),
            (200, reference.body.as_bytes()),
            "{window}"
        );
    }
    let mut sender = connect(&app, 1 << 20).await;
    let (status, body) = send(&mut sender, PING).await;
    assert_eq!(
        (status, read(body, true).await.unwrap()),
        (200, br#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_vec())
    );
}

#[tokio::test]
async fn a_slow_call_is_not_mistaken_for_a_slow_client() {
    let app = App::with(|config| config.timing.write_stall = Duration::from_millis(20)).await;
    let mut sender = connect(&app, 0).await;
    let request = async {
        let (status, _) = send(&mut sender, call(1, "wait")).await;
        assert_eq!(status, 200);
    };
    let release = async {
        crate::app::Bench::until(&app.bench.started, 1).await;
        // Longer than the time after which a client counts as slow.
        let timer = tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>());
        assert!(timer.await.is_err());
        app.bench.release.add_permits(1);
    };
    tokio::join!(request, release);
    assert_eq!(*app.bench.finished.borrow(), 1);
}

/// A connection after the preface and its own SETTINGS frame.
async fn raw(app: &App) -> HttpClient {
    let mut client = app.connect().await;
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.send(frame(4, 0, &[])).await;
    client
}

fn frame(kind: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, 0, 0, 0, 0, stream], payload].concat()
}

#[tokio::test]
async fn a_flood_of_frames_without_requests_closes_the_connection() {
    let app = App::start().await;
    for frame in [
        // PING
        frame(6, 0, &[7; 8]),
        // SETTINGS
        frame(4, 0, &[0, 4, 0, 1, 0, 0]),
        // WINDOW_UPDATE
        frame(8, 0, &[0, 0, 0, 1]),
        // PRIORITY
        frame(2, 1, &[0, 0, 0, 0, 16]),
        // unknown
        frame(99, 0, &[1, 2, 3]),
    ] {
        let mut client = raw(&app).await;
        for _ in 0..100 {
            client.try_send(frame.repeat(100)).await;
        }
        // Fails if the server just waits for more.
        client.until_closed().await;
    }
}

#[tokio::test]
async fn a_client_may_send_some_frames_of_each_kind() {
    let app = App::start().await;
    let mut client = raw(&app).await;
    for _ in 0..100 {
        client.send(frame(6, 0, &[7; 8])).await;
        client.send(frame(4, 0, &[0, 4, 0, 1, 0, 0])).await;
        client.send(frame(8, 0, &[0, 0, 0, 1])).await;
        client.send(frame(2, 1, &[0, 0, 0, 0, 16])).await;
    }
    // GET /healthz, with indexed and literal headers that need no table.
    let mut head = vec![0x82, 0x86, 0x04, 8];
    head.extend_from_slice(b"/healthz");
    head.extend_from_slice(&[0x01, 9]);
    head.extend_from_slice(b"localhost");
    let mut headers = frame(1, 3, &head);
    headers[4] = 0x5;
    client.send(headers).await;
    // Answers to the frames above come first.
    loop {
        let head = client.bytes(9).await;
        let length = usize::from(head[1]) << 8 | usize::from(head[2]);
        let payload = client.bytes(length).await;
        if head[3] == 0 && head[8] == 3 {
            assert!(br#"{"status":"ok"}"#.starts_with(&payload), "{payload:?}");
            break;
        }
        assert_ne!(head[3], 7, "GOAWAY: {payload:?}");
    }
}
