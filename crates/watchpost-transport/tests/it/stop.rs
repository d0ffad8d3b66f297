use crate::{
    app::{App, Bench, GOOD},
    http_client::{HttpClient, Request},
    talk::{PING, call, post},
};
use std::time::Duration;

#[tokio::test]
async fn a_stop_lets_calls_finish_and_ends_streams_and_idle_connections() {
    let mut app = App::start().await;
    let mut idle = app.connect().await;
    assert_eq!(idle.ask(&post(PING)).await.status, 200);
    let mut stream = app.connect().await;
    assert!(
        stream
            .ask(&Request::new("GET", "/sse").key(GOOD))
            .await
            .is_events()
    );
    stream.event().await.unwrap();
    let mut calling = app.connect().await;
    calling.send(post(call(1, "wait")).bytes()).await;
    Bench::until(&app.bench.started, 1).await;

    let serving = app.stop();
    assert!(idle.is_closed().await);
    assert_eq!(stream.message().await, None);
    assert!(!serving.is_finished(), "a call is still running");
    app.bench.release.add_permits(1);
    let reply = calling.reply().await;
    assert_eq!(reply.json()["result"]["content"][0]["text"], "done");
    serving.await.unwrap();
    assert!(
        tokio::net::TcpStream::connect(app.address).await.is_err(),
        "the server no longer listens"
    );
}

#[tokio::test]
async fn a_call_that_never_ends_is_cancelled_after_the_grace_period() {
    let mut app = App::with(|config| config.timing.stop_grace = Duration::from_millis(50)).await;
    let mut calling = app.connect().await;
    calling.send(post(call(1, "wait")).bytes()).await;
    Bench::until(&app.bench.started, 1).await;
    app.stop().await.unwrap();
    assert!(calling.try_reply().await.is_none());
}

#[tokio::test]
async fn several_runtimes_serve_one_socket() {
    let mut app = App::start().await;
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (socket, service) = (socket.try_clone().unwrap(), app.service.clone());
            let mut stopped = stopped.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let listener = tokio::net::TcpListener::from_std(socket).unwrap();
                    watchpost_transport::serve(listener, service, async {
                        let _ = stopped.wait_for(|stopped| *stopped).await;
                    })
                    .await;
                });
            })
        })
        .collect();
    for _ in 0..8 {
        assert_eq!(
            HttpClient::connect(address).await.ask(&post(PING)).await.status,
            200
        );
    }
    stop.send(true).unwrap();
    tokio::task::spawn_blocking(|| threads.into_iter().for_each(|thread| thread.join().unwrap()))
        .await
        .unwrap();
    app.stop().await.unwrap();
}
