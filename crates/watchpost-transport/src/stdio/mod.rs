//! One local client on standard input and output.
//!
//! One message per line. Requests are served at the same time; only this module writes, so lines never mix.

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

/// Notifications that wait for the writer; more are dropped.
const NOTIFICATIONS_MAX: usize = 256;

/// Serves one client until its input ends or `stop` resolves; then calls in progress get
/// [`Timing::stop_grace`] to finish.
///
/// # Errors
/// When `input` can't be read or `output` can't be written.
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
        // A client that has gone needs no last word.
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

/// Writes whole lines.
struct Output<W> {
    output: W,
    line: BytesMut,
    /// What calls say before their answers.
    notified: mpsc::Receiver<Bytes>,
}

/// Lines up to this size keep their buffer for the next one.
const LINE_KEPT: usize = 64 << 10;

impl<W: AsyncWrite + Unpin> Output<W> {
    /// What calls have said goes out before an answer.
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
