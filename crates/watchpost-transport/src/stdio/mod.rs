//! Serves one local client on standard input and output.
//!
//! Each message is one line. Requests are processed concurrently. Only this module writes, so lines are never
//! interleaved.

mod lines;
mod listening;
pub(crate) mod service;
mod session;

use crate::{
    config::{Limits, Timing},
    gate::Gate,
};
use bytes::{Bytes, BytesMut};
use lines::Lines;
use service::StdioService;
use session::{Event, StdioSession};
use std::{future::Future, io, pin::pin};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    time::MissedTickBehavior,
};
use watchpost_protocol::Handler;

/// The maximum number of notifications that wait to be written. More are dropped.
const NOTIFICATIONS_MAX: usize = 256;

/// Serves one client until its input ends or `stop` resolves. Then waits up to [`Timing::stop_grace`] for calls
/// in progress.
///
/// # Errors
/// Returns an error if reading `input` or writing `output` fails.
pub async fn serve_stdio<G, H, R, W>(
    service: StdioService<G, H>,
    input: R,
    output: W,
    stop: impl Future<Output = ()>,
) -> io::Result<()>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (notifications, notified) = mpsc::channel(NOTIFICATIONS_MAX);
    let (limits, timing) = (service.limits.clone(), service.timing.clone());
    let mut session = StdioSession::new(service, notifications);
    let mut lines = Lines::new(input, limits.message_bytes.min(session.message_bytes_max()));
    let mut output = Output {
        output,
        line: BytesMut::new(),
        notified,
    };
    serve_lines(&mut session, &mut lines, &mut output, (&limits, &timing), stop).await?;
    for message in session.end_listening() {
        // An error means that the client has gone. It doesn't need the message then.
        let _ = output.write(&message).await;
    }
    let drained = async {
        while let Some(messages) = session.next_finished().await {
            output.write_answer(messages).await?;
        }
        io::Result::Ok(())
    };
    tokio::time::timeout(timing.stop_grace, drained)
        .await
        .unwrap_or(Ok(()))?;
    session.abort_calls();
    output.output.flush().await
}

async fn serve_lines<G, H, R, W>(
    session: &mut StdioSession<G, H>,
    lines: &mut Lines<R>,
    output: &mut Output<W>,
    (limits, timing): (&Limits, &Timing),
    stop: impl Future<Output = ()>,
) -> io::Result<()>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut check = tokio::time::interval(timing.revocation_check);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = pin!(stop);
    loop {
        let is_full = session.calls() >= limits.calls_per_stream;
        let is_listening = session.is_listening();
        tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            event = session.next_event() => match event {
                Event::Finished(messages) => output.write_answer(messages).await?,
                Event::Changed(message) => output.write(&message).await?,
            },
            Some(notification) = output.notified.recv() => output.write(&notification).await?,
            _ = check.tick(), if is_listening => {
                for message in session.check_listening().await {
                    output.write(&message).await?;
                }
            }
            line = lines.next(), if !is_full => match line? {
                None => return Ok(()),
                Some(line) => {
                    let messages = session.handle_line(line).await;
                    output.write_answer(messages).await?;
                }
            },
        }
    }
}

/// Writes complete lines.
struct Output<W> {
    output: W,
    line: BytesMut,
    /// Messages that calls send before their results.
    notified: mpsc::Receiver<Bytes>,
}

/// The maximum size of the line buffer that is kept for the next line, in bytes.
const LINE_KEPT: usize = 64 << 10;

impl<W: AsyncWrite + Unpin> Output<W> {
    /// Writes messages after the notifications that calls sent before them.
    async fn write_answer(&mut self, messages: Vec<Bytes>) -> io::Result<()> {
        while let Ok(notification) = self.notified.try_recv() {
            self.write(&notification).await?;
        }
        for message in messages {
            self.write(&message).await?;
        }
        Ok(())
    }

    async fn write(&mut self, message: &Bytes) -> io::Result<()> {
        self.line.clear();
        self.line.reserve(message.len() + 1);
        self.line.extend_from_slice(message);
        self.line.extend_from_slice(b"\n");
        self.output.write_all(&self.line).await?;
        self.output.flush().await?;
        if self.line.capacity() > LINE_KEPT {
            self.line = BytesMut::new();
        }
        Ok(())
    }
}
