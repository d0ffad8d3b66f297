//! Reads a request body within its limits.

use crate::{
    admission::shares::Hold,
    config::Timing,
    response::{self, RETRY_SOON, Response},
    text,
};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body::Body;
use hyper::body::Incoming;
use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration};
use tokio::time::{Instant, Sleep};

/// The minimum number of bytes per second after the grace period.
const BYTES_PER_SECOND_MIN: u64 = 1024;

/// The size of the buffer of a small body without a declared length, in bytes. A larger one gets a buffer for the largest that
/// its route allows.
const SMALL_BYTES: usize = 64 << 10;

/// The reason why a request body couldn't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// The body is larger than its route allows.
    TooLarge,
    /// The body took too long or arrived too slowly.
    TooSlow,
    /// The client closed the connection, or the body's framing is invalid.
    Incomplete,
    /// The client sends too many large bodies at the same time.
    NoRoom,
}

impl BodyError {
    /// Returns the response for the client: 413, 408, 400 or 503.
    pub fn response(self) -> Response {
        match self {
            Self::TooLarge => response::error(StatusCode::PAYLOAD_TOO_LARGE, text::MESSAGE_TOO_LARGE),
            Self::TooSlow => response::error(StatusCode::REQUEST_TIMEOUT, text::BODY_TOO_SLOW),
            Self::Incomplete => response::error(StatusCode::BAD_REQUEST, text::BODY_INCOMPLETE),
            Self::NoRoom => {
                response::later(StatusCode::SERVICE_UNAVAILABLE, text::TOO_MUCH_UNREAD, RETRY_SOON)
            }
        }
    }
}

/// A request body that hasn't been read yet, with the limits of its route.
#[derive(Debug)]
pub struct RequestBody<'a> {
    incoming: Incoming,
    bytes_max: usize,
    timing: &'a Timing,
    /// The share of the request. `None` on public routes.
    hold: Option<Arc<Hold>>,
}

impl<'a> RequestBody<'a> {
    pub(crate) fn new(
        incoming: Incoming,
        bytes_max: usize,
        timing: &'a Timing,
        hold: Option<Arc<Hold>>,
    ) -> Self {
        Self {
            incoming,
            bytes_max,
            timing,
            hold,
        }
    }

    /// Returns the share of the request.
    pub(crate) fn hold(&self) -> Option<Arc<Hold>> {
        self.hold.clone()
    }

    /// Whether the declared size exceeds the limit.
    pub(crate) fn is_too_large(&self) -> bool {
        self.incoming.size_hint().lower() > u64::try_from(self.bytes_max).unwrap_or(u64::MAX)
    }

    /// Reads the whole body within the limits of its route. A body that arrives in one piece, the usual case,
    /// isn't copied.
    ///
    /// # Errors
    /// Returns an error if the body is too large, too slow or incomplete. [`BodyError::response`] is the
    /// response for each.
    pub async fn read(self) -> Result<Bytes, BodyError> {
        if self.is_too_large() {
            return Err(BodyError::TooLarge);
        }
        let Self {
            incoming: mut body,
            bytes_max,
            timing,
            hold,
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
                    // Trailers are ignored.
                    let Ok(piece) = frame.into_data() else { continue };
                    if whole.len() + piece.len() > bytes_max {
                        return Err(BodyError::TooLarge);
                    }
                    let before = whole.capacity();
                    whole.push(piece, &body, bytes_max);
                    let grown = whole.capacity().saturating_sub(before);
                    if grown > 0 && hold.as_ref().is_some_and(|hold| !hold.grow(grown)) {
                        return Err(BodyError::NoRoom);
                    }
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

    /// The size of the buffer that was allocated for the body, in bytes.
    fn capacity(&self) -> usize {
        match self {
            Self::None | Self::One(_) => 0,
            Self::Many(all) => all.capacity(),
        }
    }

    /// Adds a piece. All pieces together are within `bytes_max`.
    fn push<B: Body>(&mut self, piece: Bytes, rest: &B, bytes_max: usize) {
        *self = match std::mem::replace(self, Self::None) {
            Self::None => Self::One(piece),
            Self::One(first) => {
                // The remaining declared size is within the limit, because the total size is.
                let more = usize::try_from(rest.size_hint().lower()).unwrap_or(0);
                let mut all = BytesMut::with_capacity(first.len() + piece.len() + more);
                all.extend_from_slice(&first);
                all.extend_from_slice(&piece);
                Self::Many(all)
            }
            Self::Many(mut all) => {
                let needed = all.len() + piece.len();
                if needed > all.capacity() {
                    all = enlarged(&all, needed, bytes_max);
                }
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

/// Copies the beginning of a body without a declared length into a larger buffer. There are only two sizes: the allocator keeps
/// some memory of each size, and the system provides what is written to, not the whole buffer.
fn enlarged(all: &BytesMut, needed: usize, bytes_max: usize) -> BytesMut {
    let capacity = if needed <= SMALL_BYTES {
        SMALL_BYTES
    } else {
        bytes_max.max(needed)
    };
    let mut larger = BytesMut::with_capacity(capacity);
    larger.extend_from_slice(all);
    larger
}

/// The time limits of a body. Needed only for bodies that don't arrive together with their headers.
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
