//! Reads a request body within its bounds.

use crate::{
    config::Timing,
    response::{self, Response},
};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body::Body;
use hyper::body::Incoming;
use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};
use tokio::time::{Instant, Sleep};

/// The least a body may bring per second once its grace is over.
const BYTES_PER_SECOND_MIN: u64 = 1024;

/// Why a body couldn't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It has more bytes than its route allows.
    TooLarge,
    /// It took too long, or came too slowly.
    TooSlow,
    /// The peer broke off or its framing makes no sense.
    Incomplete,
}

impl BodyError {
    /// What the client is told: 413, 408 or 400.
    pub fn response(self) -> Response {
        match self {
            Self::TooLarge => response::error(StatusCode::PAYLOAD_TOO_LARGE, "The message is too large"),
            Self::TooSlow => response::error(StatusCode::REQUEST_TIMEOUT, "The body took too long"),
            Self::Incomplete => response::error(StatusCode::BAD_REQUEST, "The body is incomplete"),
        }
    }
}

/// A body that hasn't been read, with the bounds of its route.
#[derive(Debug)]
pub struct RequestBody<'a> {
    incoming: Incoming,
    bytes_max: usize,
    timing: &'a Timing,
}

impl<'a> RequestBody<'a> {
    pub(crate) fn new(incoming: Incoming, bytes_max: usize, timing: &'a Timing) -> Self {
        Self {
            incoming,
            bytes_max,
            timing,
        }
    }

    /// Whether it says itself that it is too large.
    pub(crate) fn is_too_large(&self) -> bool {
        self.incoming.size_hint().lower() > u64::try_from(self.bytes_max).unwrap_or(u64::MAX)
    }

    /// All of it, within the bounds of its route. A body that came in one piece, the usual case, isn't copied.
    ///
    /// # Errors
    /// If it is too large, too slow or cut off; [`BodyError::response`] answers each.
    pub async fn read(self) -> Result<Bytes, BodyError> {
        if self.is_too_large() {
            return Err(BodyError::TooLarge);
        }
        let Self {
            incoming: mut body,
            bytes_max,
            timing,
        } = self;
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
                Some(Err(_)) => return Err(BodyError::Incomplete),
                Some(Ok(frame)) => {
                    // Trailers carry nothing for us.
                    let Ok(piece) = frame.into_data() else { continue };
                    if whole.len() + piece.len() > bytes_max {
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
