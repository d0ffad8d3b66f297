//! Bounded concurrency.

use tokio::task::JoinSet;

/// Runs the futures, at most `at_once` concurrently. Returns their results in the order of the futures. Dropping the
/// returned future cancels all of them.
pub(crate) async fn gather<F, R>(work: impl IntoIterator<Item = F>, at_once: usize) -> Vec<R>
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let mut work = work.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut done: Vec<(usize, R)> = Vec::new();
    loop {
        while running.len() < at_once
            && let Some((index, future)) = work.next()
        {
            running.spawn(async move { (index, future.await) });
        }
        match running.join_next().await {
            Some(Ok(result)) => done.push(result),
            // A panic is passed on to the caller. Tasks of this set can't end abnormally in any other way.
            Some(Err(error)) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
            None => break,
        }
    }
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    #[tokio::test(start_paused = true)]
    async fn results_are_in_order_and_concurrency_is_bounded() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..20_u64).map(|n| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20 - n)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                n
            }
        });
        assert_eq!(gather(work, 4).await, (0..20).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 4);
    }
}
