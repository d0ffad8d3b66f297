//! Tests of retries: the requests that are retried, and the waits before a retry.

use crate::support::{NoNames, allowing, client, deadline};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::Instant,
};
use watchpost_outbound::{RateLimitHeaders, Request, RequestError};

/// Starts a server that gives these answers, one for each connection, and repeats the last. An empty answer closes the
/// connection. Returns the server's origin and its count of connections.
async fn scripted_server(answers: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let at = counted.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            let mut request = [0_u8; 4096];
            let _ = stream.read(&mut request).await;
            if !answers[at].is_empty() {
                let head = format!(
                    "HTTP/1.1 {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                    answers[at]
                );
                let _ = stream.write_all(head.as_bytes()).await;
            }
        }
    });
    (origin, count)
}

const OK: &str = "200 OK";
const BUSY: &str = "503 Busy\r\nretry-after: 7";
const BROKEN: &str = "500 Broken";
const HANG_UP: &str = "";

#[tokio::test(start_paused = true)]
async fn only_safe_requests_are_retried() {
    type Make = fn(url::Url) -> Request;
    let get: Make = Request::get;
    let delete: Make = Request::delete;
    let form: Make = |url| Request::form(url, "a=b".into());
    let query: Make = |url| Request::query(url, "{}".to_owned());
    let create: Make = |url| Request::create(url, "{}".to_owned());
    let server = |status| Err(RequestError::Server { status });
    let hung_up = Err(RequestError::Transport {
        reason: "the connection was lost",
    });
    for (make, answers, expected, connections) in [
        (get, &[BUSY, OK][..], Ok(200), 2),
        (get, &[BROKEN, OK], Ok(200), 2),
        (get, &[HANG_UP, OK], Ok(200), 2),
        (get, &[BROKEN], server(500), 5),
        (get, &["429 Too Many Requests"], Err(RequestError::Throttled), 5),
        (get, &["404 Not Found"], Ok(404), 1),
        (form, &[HANG_UP, OK], Ok(200), 2),
        (query, &[BROKEN, OK], Ok(200), 2),
        (delete, &[HANG_UP, OK], Ok(200), 2),
        // The server reports that nothing was done.
        (create, &[BUSY, OK], Ok(200), 2),
        // Whether something was created is unknown.
        (create, &[BROKEN, OK], server(500), 1),
        (create, &[HANG_UP, OK], hung_up, 1),
    ] {
        let (origin, count) = scripted_server(answers).await;
        let outbound = client(allowing(&[&origin]), Arc::new(NoNames));
        let request = make(origin.parse().unwrap());
        let sent = outbound.send(&request, deadline()).await;
        assert_eq!(
            sent.map(|response| response.status),
            expected,
            "{request:?} {answers:?}"
        );
        assert_eq!(
            count.load(Ordering::SeqCst),
            connections,
            "{request:?} {answers:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_waits_as_long_as_the_server_asks() {
    static LIMIT: RateLimitHeaders = RateLimitHeaders {
        limit: "x-limit",
        remaining: "x-left",
        reset: "x-reset",
    };
    // The reset is ten seconds after the test clock's origin, and the client adds one second.
    let limited = "429 Too Many Requests\r\nx-limit: 600\r\nx-left: 0\r\nx-reset: 1772442010";
    for (answers, least) in [([BUSY, OK], 7), ([limited, OK], 11)] {
        let (origin, _) = scripted_server(Vec::from(answers).leak()).await;
        let outbound = client(allowing(&[&origin]), Arc::new(NoNames));
        let request = Request::get(origin.parse().unwrap()).limited_by(&LIMIT);
        let began = Instant::now();
        assert!(outbound.send(&request, deadline()).await.unwrap().is_success());
        let took = began.elapsed().as_secs();
        assert!((least..least + 2).contains(&took), "{answers:?}: {took} s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_never_waits_past_the_deadline() {
    let (origin, count) = scripted_server(&["503 Busy\r\nretry-after: 3600"]).await;
    let outbound = client(allowing(&[&origin]), Arc::new(NoNames));
    let request = Request::get(origin.parse().unwrap());
    let sent = outbound.send(&request, deadline()).await;
    let wait = Duration::from_secs(3600);
    assert_eq!(sent.unwrap_err(), RequestError::OutOfTime { wait });
    assert_eq!(count.load(Ordering::SeqCst), 1);

    let sent = outbound.send(&request, Instant::now()).await;
    let wait = Duration::ZERO;
    assert_eq!(sent.unwrap_err(), RequestError::OutOfTime { wait });
    assert_eq!(count.load(Ordering::SeqCst), 1, "nothing was sent");
}
