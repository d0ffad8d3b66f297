//! Tells clients that listen what changed in the store, whichever process changed it: looks twice a second while
//! somebody listens, and not at all otherwise.

use crate::serve::event_loop;
use std::{thread, time::Duration};
use tokio::{sync::watch, time::Instant};
use watchpost_mcp::ChangeFeed;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);
/// A look may take this part of the time at the most: what many streams ask for is looked at less often.
const SHARE: u32 = 10;

/// Looks on a thread of its own until `stop` says so, so that no request waits behind a look.
///
/// # Errors
/// If the system gives no thread or no event loop.
pub(crate) fn spawn(feed: ChangeFeed, stop: watch::Receiver<bool>) -> anyhow::Result<thread::JoinHandle<()>> {
    let runtime = event_loop()?;
    Ok(thread::Builder::new()
        .name("watchpost-changes".into())
        .spawn(move || runtime.block_on(tell(&feed, stop)))?)
}

async fn tell(feed: &ChangeFeed, mut stop: watch::Receiver<bool>) {
    let mut pause = EVERY;
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
        pause = EVERY.max(begun.elapsed().saturating_mul(SHARE - 1));
    }
}
