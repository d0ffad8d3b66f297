//! Notifies listening clients of changes in the store, including those of other processes. Polls the store twice a
//! second while a client listens, and not at all otherwise.

use crate::serve::event_loop;
use std::{thread, time::Duration};
use tokio::{sync::watch, time::Instant};
use watchpost_mcp::ChangeFeed;

/// Minimum time between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Polling takes at most one part in this many of the time: with many streams, the store is polled less often.
const SHARE: u32 = 10;

/// Polls on a separate thread until `stop` is set, so that no request waits for a poll.
///
/// # Errors
/// If the system provides no thread or no event loop.
pub(crate) fn spawn(feed: ChangeFeed, stop: watch::Receiver<bool>) -> anyhow::Result<thread::JoinHandle<()>> {
    let runtime = event_loop()?;
    Ok(thread::Builder::new()
        .name("watchpost-changes".into())
        .spawn(move || runtime.block_on(poll(&feed, stop)))?)
}

async fn poll(feed: &ChangeFeed, mut stop: watch::Receiver<bool>) {
    let mut pause = POLL_INTERVAL;
    loop {
        let next = async {
            feed.wait_for_subscriber().await;
            tokio::time::sleep(pause).await;
        };
        tokio::select! {
            () = next => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let begun = Instant::now();
        feed.publish().await;
        pause = POLL_INTERVAL.max(begun.elapsed().saturating_mul(SHARE - 1));
    }
}
