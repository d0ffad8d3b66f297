//! Reading on a separate thread, a bounded number of steps ahead of the consumer.

use super::read::read;
use async_trait::async_trait;
use std::io::Read;
use tokio::sync::mpsc;
use watchpost_core::{
    check::{Check, CheckDocument},
    import::{
        ImportBatchHeader, ImportCounts, ImportError, ImportFeed, ImportLimits, ImportSink, ImportStep,
        ImportedRow,
    },
};

/// The maximum number of rows in one step.
const STEP_ROWS_MAX: usize = 500;
/// The approximate size of the text in one step from which on it is sent, in bytes.
const STEP_BYTES: usize = 512 * 1024;
/// The number of steps that the reader may be ahead.
const STEPS_AHEAD: usize = 4;

type StepResult = Result<ImportStep, ImportError>;

/// A result file that is being read on a separate thread.
#[derive(Debug)]
pub struct Feed(mpsc::Receiver<StepResult>);

/// Starts reading a result file as [`read`] does. If the feed is dropped, reading stops at the next step.
///
/// # Errors
/// Returns [`ImportError::Read`] if the thread can't be started.
pub fn feed(
    source: impl Read + Send + 'static,
    limits: ImportLimits,
    checks: Vec<Check>,
) -> Result<Feed, ImportError> {
    let (sender, receiver) = mpsc::channel(STEPS_AHEAD);
    std::thread::Builder::new()
        .name("import-reader".into())
        .spawn(move || {
            let mut sink = ChannelSink {
                sender,
                rows: Vec::new(),
                bytes: 0,
            };
            let last = read(source, &limits, &checks, &mut sink)
                .and_then(|report| sink.flush().map(|()| ImportStep::Done(report)));
            // Fails if the feed has been dropped.
            let _ = sink.sender.blocking_send(last);
        })
        .map_err(ImportError::Read)?;
    Ok(Feed(receiver))
}

/// The error of a reader whose feed was dropped, or of a feed whose reader panicked.
#[derive(Debug, thiserror::Error)]
#[error("reading the file was interrupted")]
struct Stopped;

fn stopped() -> ImportError {
    ImportError::Sink(Box::new(Stopped))
}

#[async_trait]
impl ImportFeed for Feed {
    async fn next(&mut self) -> Result<ImportStep, ImportError> {
        self.0.recv().await.unwrap_or_else(|| Err(stopped()))
    }
}

/// A sink that sends its rows to the feed in steps.
struct ChannelSink {
    sender: mpsc::Sender<StepResult>,
    rows: Vec<(usize, ImportedRow)>,
    bytes: usize,
}

impl ChannelSink {
    fn send(&self, step: ImportStep) -> Result<(), ImportError> {
        self.sender.blocking_send(Ok(step)).map_err(|_| stopped())
    }
    fn flush(&mut self) -> Result<(), ImportError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        self.send(ImportStep::Rows(rows))
    }
}

impl ImportSink for ChannelSink {
    fn begin_batch(&mut self, _batch: usize, header: &ImportBatchHeader) -> Result<(), ImportError> {
        self.flush()?;
        self.send(ImportStep::Begin(Box::new(header.clone())))
    }
    fn row(&mut self, batch: usize, row: ImportedRow) -> Result<(), ImportError> {
        self.bytes = self
            .bytes
            .saturating_add(row.details.untrusted().len())
            .saturating_add(row.title.untrusted().len());
        self.rows.push((batch, row));
        if self.rows.len() >= STEP_ROWS_MAX || self.bytes >= STEP_BYTES {
            self.flush()?;
        }
        Ok(())
    }
    fn settings(&mut self, batch: usize, document: CheckDocument) -> Result<(), ImportError> {
        self.flush()?;
        let document = Box::new(document);
        self.send(ImportStep::Settings { batch, document })
    }
    fn end_batch(&mut self, _batch: usize, _counts: &ImportCounts) -> Result<(), ImportError> {
        // The report on the whole file contains the counts.
        self.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Cursor, sync::mpsc as blocking, time::Duration};

    fn lines(rows: usize) -> Cursor<Vec<u8>> {
        let mut text = String::new();
        for row in 0..rows {
            text.push_str(&format!(
                "{{\"class_uid\":2004,\"category_uid\":2,\"metadata\":{{\"event_code\":\"c{row}\",\"product\":\
                 {{\"name\":\"Prowler\"}}}},\"status_code\":\"PASS\",\"cloud\":{{\"account\":{{\"uid\":\"t1\"}}}}}}\n"
            ));
        }
        Cursor::new(text.into_bytes())
    }

    #[tokio::test]
    async fn rows_are_in_order_and_the_report_comes_last() {
        let mut feed = feed(lines(1_203), ImportLimits::FILE, Vec::new()).unwrap();
        assert!(matches!(feed.next().await.unwrap(), ImportStep::Begin(_)));
        let mut controls = Vec::new();
        let report = loop {
            match feed.next().await.unwrap() {
                ImportStep::Rows(rows) => {
                    assert!(rows.len() <= STEP_ROWS_MAX);
                    controls.extend(rows.into_iter().map(|(batch, row)| (batch, row.control)));
                }
                ImportStep::Done(report) => break report,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(controls.len(), 1_203);
        assert!(
            controls
                .iter()
                .enumerate()
                .all(|(at, row)| *row == (0, format!("c{at}")))
        );
        assert_eq!(report.batches[0].counts.rows_ok, 1_203);
        assert!(feed.next().await.is_err(), "nothing follows the report");
    }

    #[tokio::test]
    async fn an_unreadable_file_ends_with_an_error() {
        let mut feed = feed(Cursor::new(b"{\"a\":1}"), ImportLimits::FILE, Vec::new()).unwrap();
        assert!(matches!(
            feed.next().await,
            Err(ImportError::UnknownFormat { .. })
        ));
    }

    /// A reader that sends a message when it is dropped.
    struct Watched(Cursor<Vec<u8>>, blocking::Sender<()>);
    impl Read for Watched {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Drop for Watched {
        fn drop(&mut self) {
            let _ = self.1.send(());
        }
    }

    #[tokio::test]
    async fn dropping_the_feed_stops_the_reader() {
        let (sender, dropped) = blocking::channel();
        let feed = feed(Watched(lines(20_000), sender), ImportLimits::FILE, Vec::new()).unwrap();
        drop(feed);
        dropped
            .recv_timeout(Duration::from_secs(20))
            .expect("the reader ended");
    }
}
