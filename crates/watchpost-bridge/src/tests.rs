//! The bridge between a scripted client and a scripted server, over real sockets.

use super::*;
use reqwest::header::HeaderMap;
use serde_json::json;
use std::{collections::HashMap, sync::Mutex, time::Instant};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, DuplexStream, Lines, ReadHalf, WriteHalf},
    net::TcpListener,
    task::JoinHandle,
};

/// A request that the server received.
#[derive(Debug, Clone)]
struct Heard {
    method: String,
    headers: HashMap<String, String>,
    body: Value,
}

impl Heard {
    fn session(&self) -> &str {
        self.headers.get("mcp-session-id").map_or("", String::as_str)
    }

    /// Returns what the request is about: the method of HTTP, or that of the message.
    fn about(&self) -> String {
        match self.body["method"].as_str() {
            Some(method) => method.to_owned(),
            None => self.method.clone(),
        }
    }
}

/// The server's reaction to a request.
enum Reaction {
    /// A whole response.
    Whole(String),
    /// The beginning of a stream, which then ends.
    Ending(String),
    /// The beginning of a stream, which stays open.
    Open(String),
    /// No response.
    Silence,
}

fn json_of(session: Option<&str>, body: &Value) -> Reaction {
    let session = session.map_or(String::new(), |id| format!("mcp-session-id: {id}\r\n"));
    let body = body.to_string();
    Reaction::Whole(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{session}content-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn status(line: &str, body: &str) -> Reaction {
    Reaction::Whole(format!(
        "HTTP/1.1 {line}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn events(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{text}")
}

fn answer(heard: &Heard, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": heard.body["id"], "result": result})
}

fn welcome(heard: &Heard) -> Value {
    answer(
        heard,
        &json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}),
    )
}

type Script = dyn Fn(&Heard, usize) -> Reaction + Send + Sync;

/// A client's side of a bridge whose server plays a script.
struct Talk {
    input: Option<WriteHalf<DuplexStream>>,
    output: Lines<tokio::io::BufReader<ReadHalf<DuplexStream>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
    bridge: JoinHandle<Result<(), BridgeError>>,
}

async fn serve(mut socket: tokio::net::TcpStream, heard: Arc<Mutex<Vec<Heard>>>, script: Arc<Script>) {
    let mut buffer = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if socket.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8(buffer.drain(..head_end).collect()).unwrap();
        let mut lines = head.lines();
        let method = lines.next().unwrap().split(' ').next().unwrap().to_owned();
        let headers: HashMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length: usize = headers
            .get("content-length")
            .map_or(0, |text| text.parse().unwrap());
        while buffer.len() < length {
            socket.read_buf(&mut buffer).await.unwrap();
        }
        let body: Vec<u8> = buffer.drain(..length).collect();
        let request = Heard {
            method,
            headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        let count = {
            let mut all = heard.lock().unwrap();
            all.push(request.clone());
            all.len() - 1
        };
        match script(&request, count) {
            Reaction::Whole(text) => socket.write_all(text.as_bytes()).await.unwrap(),
            Reaction::Ending(text) => {
                socket.write_all(text.as_bytes()).await.unwrap();
                return;
            }
            Reaction::Open(text) => {
                socket.write_all(text.as_bytes()).await.unwrap();
                return std::future::pending().await;
            }
            Reaction::Silence => return std::future::pending().await,
        }
    }
}

impl Talk {
    async fn with(
        timing: Timing,
        script: impl Fn(&Heard, usize) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let script: Arc<Script> = Arc::new(script);
        let all = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&all), Arc::clone(&script)));
            }
        });
        Self::to(&url, timing, heard)
    }

    /// Starts a bridge to the server with an address, which adds the requests to `heard`.
    fn to(url: &str, timing: Timing, heard: Arc<Mutex<Vec<Heard>>>) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(theirs);
        let server = Server::new(Url::parse(url).unwrap(), HeaderMap::new(), timing, output).unwrap();
        let bridge = tokio::spawn(bridge(
            Arc::new(server),
            BufReader::new(input),
            std::future::pending(),
        ));
        let (output, input) = tokio::io::split(ours);
        Self {
            input: Some(input),
            output: tokio::io::BufReader::new(output).lines(),
            heard,
            bridge,
        }
    }

    async fn start(script: impl Fn(&Heard, usize) -> Reaction + Send + Sync + 'static) -> Self {
        let timing = Timing {
            retry: Duration::from_millis(1),
            ..Timing::default()
        };
        Self::with(timing, script).await
    }

    async fn send(&mut self, line: impl AsRef<[u8]>) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_ref()).await.unwrap();
        input.write_all(b"\n").await.unwrap();
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(20), self.output.next_line());
        let line = line.await.expect("a line arrives in time").unwrap();
        serde_json::from_str(&line.expect("the bridge hasn't ended")).unwrap()
    }

    /// Opens a session.
    async fn open(&mut self) {
        self.send(request(0, "initialize").to_string()).await;
        assert_eq!(self.next().await["id"], 0);
        self.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string())
            .await;
    }

    /// Ends the input. Returns the rest of the output and the time until the end.
    async fn end(mut self) -> (Vec<String>, Duration) {
        let started = Instant::now();
        self.input.take().unwrap().shutdown().await.unwrap();
        self.bridge.await.unwrap().unwrap();
        let took = started.elapsed();
        let mut rest = Vec::new();
        while let Ok(Some(line)) = self.output.next_line().await {
            rest.push(line);
        }
        (rest, took)
    }

    fn heard(&self) -> Vec<(String, String)> {
        let all = self.heard.lock().unwrap();
        all.iter()
            .map(|heard| (heard.about(), heard.session().to_owned()))
            .collect()
    }
}

fn request(id: i64, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {}})
}

/// Answers everything, with sessions `s1`, `s2`, …; `alive` tells whether a session exists.
fn server(heard: &Heard, new: &str, alive: impl Fn(&str) -> bool) -> Reaction {
    match heard.about().as_str() {
        "initialize" => json_of(Some(new), &welcome(heard)),
        _ if !alive(heard.session()) => status("404 Not Found", r#"{"error":"Session not found"}"#),
        "notifications/initialized" | "DELETE" => status("202 Accepted", ""),
        "GET" => status("405 Method Not Allowed", ""),
        _ => json_of(None, &answer(heard, &json!({"ok": true}))),
    }
}

#[tokio::test]
async fn a_lost_session_is_started_again_unseen_by_the_client() {
    // The server is restarted with another key after the third request.
    let mut talk = Talk::start(|heard, count| {
        let new = if count < 5 { "s1" } else { "s2" };
        server(heard, new, |id| id == new)
    })
    .await;
    talk.open().await;
    talk.send(
        json!({"jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": {"uri": "a"}})
            .to_string(),
    )
    .await;
    assert_eq!(talk.next().await["id"], 1);
    talk.send(request(2, "tools/list").to_string()).await;
    assert_eq!(talk.next().await["result"]["ok"], true);
    talk.send(request(3, "tools/list").to_string()).await;
    assert_eq!(
        talk.next().await,
        json!({"jsonrpc": "2.0", "id": 3, "result": {"ok": true}})
    );
    let heard = talk.heard();
    let of = |about: &str, session: &str| heard.contains(&(about.to_owned(), session.to_owned()));
    assert!(of("tools/list", "s1") && of("tools/list", "s2"), "{heard:?}");
    assert!(
        of("notifications/initialized", "s2") && of("resources/subscribe", "s2"),
        "{heard:?}"
    );
    let (rest, _) = talk.end().await;
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn a_session_that_cannot_be_started_again_is_an_error_with_the_next_step() {
    let mut talk = Talk::start(|heard, count| match heard.about().as_str() {
        "initialize" if count > 0 => status("503 Service Unavailable", ""),
        _ => server(heard, "s1", |_| false),
    })
    .await;
    talk.send(request(0, "initialize").to_string()).await;
    talk.next().await;
    talk.send(request(1, "tools/list").to_string()).await;
    let error = talk.next().await["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        error.contains("404") && error.contains("restart the client"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stream_that_ends_without_the_answer_is_answered() {
    let progress = r#"data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#;
    let mut talk = Talk::start(move |heard, _| match heard.about().as_str() {
        "tools/call" => Reaction::Ending(events(&format!("{progress}\n\n"))),
        _ => server(heard, "s1", |_| true),
    })
    .await;
    talk.open().await;
    talk.send(request(1, "tools/call").to_string()).await;
    assert_eq!(talk.next().await["method"], "notifications/progress");
    let error = talk.next().await;
    let text = error["error"]["message"].as_str().unwrap();
    assert_eq!(error["id"], 1);
    assert!(text.contains("ended before the answer"), "{text}");
}

#[tokio::test]
async fn a_stream_that_ends_early_is_resumed_where_the_server_allows_it() {
    let mut talk = Talk::start(|heard, _| match heard.about().as_str() {
        "tools/call" => Reaction::Ending(events("id: e1\nretry: 1\ndata:\n\n")),
        "GET" if heard.headers.get("last-event-id").is_some_and(|id| id == "e1") => {
            let done = json!({"jsonrpc": "2.0", "id": 1, "result": {"late": true}});
            Reaction::Ending(events(&format!("id: e2\ndata: {done}\n\n")))
        }
        _ => server(heard, "s1", |_| true),
    })
    .await;
    talk.open().await;
    talk.send(request(1, "tools/call").to_string()).await;
    assert_eq!(talk.next().await["result"]["late"], true);
}

#[tokio::test]
async fn a_server_that_is_not_running_is_named_with_the_next_step() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/mcp");
    let mut talk = Talk::to(&url, Timing::default(), Arc::default());
    talk.send(request(1, "initialize").to_string()).await;
    let error = talk.next().await;
    assert_eq!(error["id"], 1);
    let text = error["error"]["message"].as_str().unwrap();
    for part in [
        &format!("no connection to {address} (Connection refused"),
        "`--url`",
        "safe to repeat",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_sends_nothing_is_an_error() {
    let timing = Timing {
        silence: Duration::from_millis(700),
        ..Timing::default()
    };
    let mut talk = Talk::with(timing, |heard, _| match heard.about().as_str() {
        "tools/call" => Reaction::Silence,
        "tools/list" => Reaction::Open(events(": hello\n\n")),
        _ => server(heard, "s1", |_| true),
    })
    .await;
    talk.open().await;
    for (id, method) in [(1, "tools/call"), (2, "tools/list")] {
        talk.send(request(id, method).to_string()).await;
        let error = talk.next().await;
        assert_eq!(error["id"], id);
        let text = error["error"]["message"].as_str().unwrap();
        assert!(text.contains("sent nothing"), "{text}");
    }
}

#[tokio::test]
async fn notifications_of_the_standing_stream_reach_the_client() {
    let changed = r#"data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let mut talk = Talk::start(move |heard, _| match heard.about().as_str() {
        // The stream ends after each notification, and is opened again.
        "GET" => Reaction::Ending(events(&format!("retry: 1\n{changed}\n\n"))),
        _ => server(heard, "s1", |_| true),
    })
    .await;
    talk.open().await;
    for _ in 0..3 {
        assert_eq!(talk.next().await["method"], "notifications/tools/list_changed");
    }
    let streams: Vec<_> = talk
        .heard()
        .into_iter()
        .filter(|(about, _)| about == "GET")
        .collect();
    assert!(streams.len() >= 3 && streams.iter().all(|(_, session)| session == "s1"));
}

#[tokio::test]
async fn the_bridge_ends_with_its_input_whatever_is_open() {
    let mut talk = Talk::start(|heard, _| match heard.about().as_str() {
        "GET" => Reaction::Open(events(": hello\n\n")),
        "tools/call" => Reaction::Open(events(": working\n\n")),
        "tools/list" | "DELETE" => Reaction::Silence,
        _ => server(heard, "s1", |_| true),
    })
    .await;
    talk.open().await;
    talk.send(request(1, "tools/call").to_string()).await;
    talk.send(request(2, "tools/list").to_string()).await;
    while talk.heard().len() < 5 {
        tokio::task::yield_now().await;
    }
    let (_, took) = talk.end().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn the_answers_to_the_last_requests_of_the_input_arrive() {
    let mut talk = Talk::start(|heard, _| server(heard, "s1", |_| true)).await;
    talk.open().await;
    for id in 1..=20 {
        talk.send(request(id, "tools/list").to_string()).await;
    }
    let (rest, _) = talk.end().await;
    assert_eq!(rest.len(), 20);
}

#[tokio::test]
async fn messages_that_are_almost_valid_are_forwarded() {
    let mut talk = Talk::start(|heard, _| match heard.about().as_str() {
        "tools/call" => json_of(None, &answer(heard, &heard.body["params"]["a"])),
        _ => server(heard, "s1", |_| true),
    })
    .await;
    talk.send("\u{feff}").await;
    talk.send(format!("\u{feff}{}", request(0, "initialize"))).await;
    assert_eq!(talk.next().await["id"], 0);
    talk.send(br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":"\ud83d"}}"#)
        .await;
    assert_eq!(talk.next().await["result"], "\u{fffd}");
}

#[tokio::test]
async fn a_refusal_repeats_what_the_server_says() {
    let mut talk = Talk::start(|_, count| match count {
        0 => status("403 Forbidden", r#"{"error":"Host not allowed: a.example"}"#),
        1 => status("401 Unauthorized", r#"{"error":"Invalid API key"}"#),
        2 => status("429 Too Many Requests", "{}"),
        _ => status("502 Bad Gateway", "<html>"),
    })
    .await;
    for (code, expected) in [
        (-32603, "Host not allowed: a.example"),
        (401, "Invalid API key"),
        (429, "too many requests"),
        (-32603, "502 Bad Gateway"),
    ] {
        talk.send(request(1, "tools/list").to_string()).await;
        let error = talk.next().await["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        let text = error["message"].as_str().unwrap();
        assert!(text.contains(expected), "{text}");
    }
}
