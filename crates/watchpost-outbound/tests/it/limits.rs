//! Malformed and hostile responses: bodies are limited, redirects aren't followed, and callers can't set reserved headers.

use crate::support::{allowing, client, deadline};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};
use watchpost_outbound::{HeaderName, HeaderValue, OutboundSettings, Request, RequestError};

/// Starts a server that answers each connection with `head`, followed by `body` repeated endlessly.
async fn endless_server(head: String, body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = head.clone();
            tokio::spawn(async move {
                let mut request = [0_u8; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while !body.is_empty() && stream.write_all(body).await.is_ok() {}
            });
        }
    });
    origin
}

async fn too_large(head: &str, body: &'static [u8]) -> RequestError {
    let origin = endless_server(head.to_owned(), body).await;
    let outbound = client(
        OutboundSettings {
            response_bytes_max: 3 << 20,
            ..allowing(&[&origin])
        },
        Arc::new(crate::support::NoNames),
    );
    let request = Request::get(origin.parse().unwrap());
    outbound.send(&request, deadline()).await.unwrap_err()
}

#[tokio::test]
async fn an_endless_response_is_rejected() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let error = too_large(head, &[b' '; 64 * 1024]).await;
    assert_eq!(error, RequestError::TooLarge { limit_mib: 3 });
}

#[tokio::test]
async fn the_limit_applies_to_the_decompressed_body() {
    // Eight MiB of zeroes in eight KiB: `head -c 8388608 /dev/zero | gzip -9n`.
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\n";
    let error = too_large(head, include_bytes!("zeroes.gz")).await;
    assert_eq!(error, RequestError::TooLarge { limit_mib: 3 });
}

#[tokio::test]
async fn the_endless_body_of_an_error_is_dropped() {
    let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n\r\n";
    let origin = endless_server(head.to_owned(), &[b' '; 64 * 1024]).await;
    let outbound = client(allowing(&[&origin]), Arc::new(crate::support::NoNames));
    let request = Request::get(origin.parse().unwrap());
    let response = outbound.send(&request, deadline()).await.unwrap();
    assert_eq!((response.status, response.body.len()), (400, 0));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = target.local_addr().unwrap();
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hits);
    tokio::spawn(async move {
        while target.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let head = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{address}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let origin = endless_server(head, b"").await;
    // Not even when both addresses are allowed.
    let settings = allowing(&[&origin, &format!("http://{address}")]);
    let outbound = client(settings, Arc::new(crate::support::NoNames));
    let request = Request::get(origin.parse().unwrap());
    let response = outbound.send(&request, deadline()).await.unwrap();
    assert_eq!(response.status, 302);
    assert_eq!(
        response.header("location"),
        Some(format!("http://{address}/").as_str())
    );
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

/// Starts a server that returns the head of each request through a channel.
async fn recorder() -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (sender, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0_u8; 4096];
            let read = stream.read(&mut request).await.unwrap_or_default();
            request.truncate(read);
            let _ = sender.send(String::from_utf8_lossy(&request).to_lowercase());
            let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            let _ = stream.write_all(ok).await;
        }
    });
    (origin, heads)
}

#[tokio::test]
async fn reserved_headers_are_rejected() {
    let (origin, mut heads) = recorder().await;
    let outbound = client(allowing(&[&origin]), Arc::new(crate::support::NoNames));
    let value = HeaderValue::from_static("internal.example");
    for name in [
        "host",
        "authorization",
        "proxy-authorization",
        "connection",
        "upgrade",
        "content-length",
        "content-type",
        "transfer-encoding",
        "accept",
        "user-agent",
    ] {
        let header = (HeaderName::from_static(name), value.clone());
        let request = Request::get(origin.parse().unwrap()).with_headers(&[header]);
        let sent = outbound.send(&request, deadline()).await;
        assert!(
            matches!(sent, Err(RequestError::Refused { .. })),
            "{name}: {sent:?}"
        );
    }
    assert!(heads.try_recv().is_err(), "nothing was sent");

    let mut request = Request::query(origin.parse().unwrap(), "{\"a\":1}".to_owned())
        .accepting("text/plain")
        .with_headers(&[(
            HeaderName::from_static("prefer"),
            HeaderValue::from_static("wait=1"),
        )]);
    request.authorize(HeaderValue::from_static("Bearer first"));
    request.authorize(HeaderValue::from_static("Bearer second"));
    assert!(outbound.send(&request, deadline()).await.unwrap().is_success());
    let head = heads.recv().await.unwrap();
    let host = origin.trim_start_matches("http://");
    for line in [
        "post / http/1.1\r\n",
        &format!("host: {host}\r\n"),
        "accept: text/plain\r\n",
        "content-type: application/json\r\n",
        "prefer: wait=1\r\n",
        "authorization: bearer second\r\n",
        "\r\n\r\n{\"a\":1}",
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    assert!(!head.contains("first"));
    let shown = format!("{request:?}");
    assert!(!shown.contains("second"), "{shown}");
}
