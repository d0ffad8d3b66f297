//! Straight-line code that yields things one by one to somebody who asks for the next.

use std::{future::Future, pin::Pin};
use tokio::sync::mpsc;
use watchpost_core::integration::connector::ConnectorError;

type Driver = Pin<Box<dyn Future<Output = Result<(), ConnectorError>> + Send>>;

/// Runs a driver only while somebody waits for the next thing, and no further than one thing ahead: what isn't asked
/// for isn't read, and dropping this ends everything.
pub(crate) struct Driven<T> {
    things: mpsc::Receiver<T>,
    driver: Option<Driver>,
    /// How the driver failed; told once what it yielded before is out.
    failed: Option<ConnectorError>,
}

impl<T: Send + 'static> Driven<T> {
    /// `drive` gets where things go.
    pub(crate) fn new<F>(drive: impl FnOnce(mpsc::Sender<T>) -> F) -> Self
    where
        F: Future<Output = Result<(), ConnectorError>> + Send + 'static,
    {
        let (sender, things) = mpsc::channel(1);
        Self {
            things,
            driver: Some(Box::pin(drive(sender))),
            failed: None,
        }
    }

    /// The next thing; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, ConnectorError> {
        while let Some(driver) = &mut self.driver {
            tokio::select! {
                biased;
                Some(thing) = self.things.recv() => return Ok(Some(thing)),
                end = driver => {
                    self.driver = None;
                    self.failed = end.err();
                }
            }
        }
        match self.things.try_recv() {
            Ok(thing) => Ok(Some(thing)),
            Err(_) => self.failed.take().map_or(Ok(None), Err),
        }
    }
}
