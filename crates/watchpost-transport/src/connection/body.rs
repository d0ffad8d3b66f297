//! Reads a request body within its bounds.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use tokio::time::{Instant, Sleep};

use crate::config::{Limits, Timing};

/// The least a body may bring per second once its grace is over.
const BYTES_PER_SECOND_MIN: u64 = 1024;

/// Why a body couldn't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    /// The peer broke off or its framing makes no sense.
    Broken,
}

/// The whole body. One that came in one piece, the usual case, isn't copied.
pub(crate) async fn read<B>(body: B, limits: &Limits, timing: &Timing) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut body = body;
    let max = limits.message_bytes;
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLarge);
    }
    let mut whole = Pieces::None;
    let mut pace = Pace {
        started: None,
        sleep: None,
    };
    loop {
        let received = whole.len();
        let frame = poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(Ok(frame)),
            Poll::Pending => pace.poll(received, timing, cx).map(Err),
        })
        .await?;
        match frame {
            None => return Ok(whole.into_bytes()),
            Some(Err(_)) => return Err(BodyError::Broken),
            Some(Ok(frame)) => {
                // Trailers carry nothing for us.
                let Ok(piece) = frame.into_data() else { continue };
                if whole.len() + piece.len() > max {
                    return Err(BodyError::TooLarge);
                }
                whole.push(piece, &body);
                if body.is_end_stream() {
                    return Ok(whole.into_bytes());
                }
            }
        }
    }
}

enum Pieces {
    None,
    One(Bytes),
    Many(BytesMut),
}

impl Pieces {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(piece) => piece.len(),
            Self::Many(all) => all.len(),
        }
    }

    fn push<B: Body>(&mut self, piece: Bytes, rest: &B) {
        *self = match std::mem::replace(self, Self::None) {
            Self::None => Self::One(piece),
            Self::One(first) => {
                // The declared rest is within the limit, since the whole was.
                let more = usize::try_from(rest.size_hint().lower()).unwrap_or(0);
                let mut all = BytesMut::with_capacity(first.len() + piece.len() + more);
                all.extend_from_slice(&first);
                all.extend_from_slice(&piece);
                Self::Many(all)
            }
            Self::Many(mut all) => {
                all.extend_from_slice(&piece);
                Self::Many(all)
            }
        };
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::None => Bytes::new(),
            Self::One(piece) => piece,
            Self::Many(all) => all.freeze(),
        }
    }
}

/// Made only for bodies that don't arrive with their headers.
struct Pace {
    started: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    fn poll(&mut self, received: usize, timing: &Timing, cx: &mut std::task::Context<'_>) -> Poll<BodyError> {
        let started = *self.started.get_or_insert_with(Instant::now);
        let earned = Duration::from_millis(
            u64::try_from(received).unwrap_or(u64::MAX).saturating_mul(1000) / BYTES_PER_SECOND_MIN,
        );
        let deadline = started + timing.body.min(timing.body_grace + earned);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx).map(|()| BodyError::TooSlow)
    }
}
