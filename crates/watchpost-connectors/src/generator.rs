//! An asynchronous generator: sequential code that yields items, one for each call of `next`.

use std::{future::Future, pin::Pin};
use tokio::sync::mpsc;
use watchpost_core::integration::connector::ConnectorError;

type Body = Pin<Box<dyn Future<Output = Result<(), ConnectorError>> + Send>>;

/// Runs a future that yields items through a channel. The future is polled only inside [`Generator::next`] and is at most
/// one item ahead, so that nothing is read before it is requested. Dropping the generator drops the future.
pub(crate) struct Generator<T> {
    items: mpsc::Receiver<T>,
    body: Option<Body>,
    /// The body's error. It is returned once the items that were yielded before it have been returned.
    error: Option<ConnectorError>,
}

impl<T: Send + 'static> Generator<T> {
    /// Creates a generator. `body` receives the channel for its items.
    pub(crate) fn new<F>(body: impl FnOnce(mpsc::Sender<T>) -> F) -> Self
    where
        F: Future<Output = Result<(), ConnectorError>> + Send + 'static,
    {
        let (sender, items) = mpsc::channel(1);
        Self {
            items,
            body: Some(Box::pin(body(sender))),
            error: None,
        }
    }

    /// Returns the next item; `None` after the last.
    ///
    /// # Errors
    /// Returns the body's error, once.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, ConnectorError> {
        while let Some(body) = &mut self.body {
            tokio::select! {
                biased;
                Some(item) = self.items.recv() => return Ok(Some(item)),
                result = body => {
                    self.body = None;
                    self.error = result.err();
                }
            }
        }
        match self.items.try_recv() {
            Ok(item) => Ok(Some(item)),
            Err(_) => self.error.take().map_or(Ok(None), Err),
        }
    }
}
