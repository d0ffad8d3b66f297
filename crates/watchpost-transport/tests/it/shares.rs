//! Limits on the share of one key, which leave room for others.

use crate::{
    app::{App, Bench, GOOD, OTHER},
    http_client::{HttpClient, Reply, Request},
    talk::{PING, call},
};
use std::time::Duration;

fn with_key(key: &str, message: impl Into<String>) -> Request {
    Request::post("/mcp", message).key(key)
}

fn echo(text: &str) -> String {
    let arguments = serde_json::json!({"name": "echo", "arguments": {"text": text}});
    serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}).to_string()
}

fn is_refused(reply: &Reply) {
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("1")),
        "{reply:?}"
    );
}

/// Sends pings over new connections until one is answered with 200. The server has to notice first that something ended.
async fn until_served(app: &App, key: &str) {
    for _ in 0..10_000 {
        let mut client = app.connect().await;
        if client.ask(&with_key(key, PING)).await.status == 200 {
            return;
        }
    }
    panic!("the key isn't served again");
}

#[tokio::test]
async fn the_connections_of_a_key_are_limited() {
    let app = App::with(|config| config.limits.connections_per_key = 2).await;
    let mut kept: Vec<HttpClient> = Vec::new();
    for _ in 0..2 {
        let mut client = app.connect().await;
        assert_eq!(client.ask(&with_key(GOOD, PING)).await.status, 200);
        kept.push(client);
    }
    let mut third = app.connect().await;
    is_refused(&third.ask(&with_key(GOOD, PING)).await);
    assert!(third.is_closed().await);
    let mut other = app.connect().await;
    assert_eq!(other.ask(&with_key(OTHER, PING)).await.status, 200, "another key");
    assert_eq!(kept[0].ask(&with_key(GOOD, PING)).await.status, 200);
    kept.pop();
    until_served(&app, GOOD).await;
}

#[tokio::test]
async fn the_calls_of_a_key_at_the_same_time_are_limited() {
    let app = App::with(|config| config.limits.calls_per_key = 1).await;
    let [mut waiting, mut second] = [app.connect().await, app.connect().await];
    waiting.send(with_key(GOOD, call(1, "wait")).bytes()).await;
    Bench::until(&app.bench.started, 1).await;
    is_refused(&second.ask(&with_key(GOOD, PING)).await);
    assert_eq!(
        second.ask(&with_key(OTHER, PING)).await.status,
        200,
        "another key"
    );
    app.bench.release.add_permits(1);
    assert_eq!(waiting.reply().await.status, 200);
    assert_eq!(second.ask(&with_key(GOOD, PING)).await.status, 200);
}

#[tokio::test]
async fn unread_answers_of_a_key_are_limited_and_are_freed_when_their_streams_end() {
    let app = App::with(|config| {
        config.limits.held_bytes_per_key = 210_000;
        config.timing.write_stall = Duration::from_millis(200);
    })
    .await;
    let mut sender = crate::http2::connect(&app, 0).await;
    // The answer repeats the arguments in a string, so it has twice as many backslashes.
    let (status, unread) = crate::http2::send(&mut sender, echo(&"\"".repeat(50_000))).await;
    assert_eq!(status, 200);
    let mut client = app.connect().await;
    is_refused(&client.ask(&with_key(GOOD, PING)).await);
    assert_eq!(
        client.ask(&with_key(OTHER, PING)).await.status,
        200,
        "another key"
    );
    assert!(crate::http2::read(unread, false).await.is_err());
    until_served(&app, GOOD).await;
}

#[tokio::test]
async fn large_bodies_of_a_key_are_limited() {
    let app = App::with(|config| config.limits.held_bytes_per_key = 100_000).await;
    let mut client = app.connect().await;
    is_refused(&client.ask(&with_key(GOOD, echo(&"a".repeat(500_000)))).await);
    let mut client = app.connect().await;
    assert_eq!(
        client
            .ask(&with_key(GOOD, echo(&"a".repeat(10_000))))
            .await
            .status,
        200
    );
    assert_eq!(client.ask(&with_key(GOOD, PING)).await.status, 200);
}

#[tokio::test]
async fn a_connection_without_a_place_is_told_so() {
    let app = App::with(|config| {
        config.limits.connections_total = 1;
        config.limits.connections_reserved = 0;
    })
    .await;
    let mut first = app.connect().await;
    assert_eq!(first.ask(&with_key(GOOD, PING)).await.status, 200);
    let mut second = app.connect().await;
    is_refused(&second.reply().await);
    assert!(second.is_closed().await);
    let occupancy = app.service.occupancy();
    assert_eq!((occupancy.connections, occupancy.connections_max), (1, 1));
}
