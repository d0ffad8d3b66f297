//! Resumable streams of single requests (MCP 2025-11-25, Transports > Resumability and Redelivery).
//!
//! The call runs in a task of its own and writes its events here. Readers can disconnect and return. An event's
//! id consists of the name of its stream and its sequence number.

use crate::streams::{frame, guarded::Source};
use bytes::Bytes;
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

/// The reconnection time for a client whose connection broke.
const RETRY: Duration = Duration::from_millis(1_000);

/// The id of an event: `{stream}-{sequence}`, with the stream in 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventId {
    pub(crate) stream: u64,
    pub(crate) sequence: u64,
}

impl EventId {
    /// Parses a `Last-Event-ID`. Returns `None` if it doesn't have the format of this server.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (stream, sequence) = text.split_once('-')?;
        let is_ours = stream.len() == 16
            && stream
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && !sequence.is_empty()
            && sequence.len() <= 10
            && sequence.bytes().all(|byte| byte.is_ascii_digit());
        if !is_ours {
            return None;
        }
        Some(Self {
            stream: u64::from_str_radix(stream, 16).ok()?,
            sequence: sequence.parse().ok()?,
        })
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}-{}", self.stream, self.sequence)
    }
}

/// The events of one stream.
#[derive(Debug)]
pub(crate) struct Replay {
    stream: u64,
    inner: Mutex<Inner>,
    bytes_max: usize,
    /// The number of bytes kept by all streams together.
    kept: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The sequence number of the oldest event that is kept.
    first: u64,
    events: VecDeque<Bytes>,
    bytes: usize,
    /// The sequence number after the last event that a reader has taken.
    taken: u64,
    closed: bool,
    /// Whether the current reader should disconnect.
    leave: bool,
    reader: u64,
    waker: Option<Waker>,
}

impl Replay {
    /// Creates a stream with its opening event, which has an id but no data.
    fn new(stream: u64, bytes_max: usize, kept: Arc<AtomicUsize>) -> Arc<Self> {
        let replay = Arc::new(Self {
            stream,
            inner: Mutex::default(),
            bytes_max,
            kept,
        });
        replay.push(&frame::retry(RETRY));
        replay
    }

    /// Adds an encoded event. Events that no reader has taken are never dropped: a stream that exceeds its
    /// limit ends instead.
    pub(crate) fn push(&self, event: &[u8]) {
        let mut inner = self.lock();
        if inner.closed {
            return;
        }
        let sequence = inner.first + inner.events.len() as u64;
        let id = EventId {
            stream: self.stream,
            sequence,
        };
        let event = frame::with_id(&id.to_string(), event);
        inner.bytes += event.len();
        self.kept.fetch_add(event.len(), Ordering::Relaxed);
        inner.events.push_back(event);
        while inner.bytes > self.bytes_max && inner.first < inner.taken {
            self.drop_oldest(&mut inner);
        }
        if inner.bytes > self.bytes_max && inner.events.len() > 1 {
            inner.closed = true;
            while !inner.events.is_empty() {
                self.drop_oldest(&mut inner);
            }
        }
        wake(inner);
    }

    fn drop_oldest(&self, inner: &mut Inner) {
        if let Some(event) = inner.events.pop_front() {
            inner.first += 1;
            inner.bytes -= event.len();
            self.kept.fetch_sub(event.len(), Ordering::Relaxed);
        }
    }

    /// Marks the end of the events.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        wake(inner);
    }

    /// Disconnects the current reader after it has taken all events. It should return after `retry`.
    pub(crate) fn disconnect(&self, retry: Duration) {
        self.push(&frame::retry(retry));
        let mut inner = self.lock();
        inner.leave = true;
        wake(inner);
    }

    /// Returns the first reader.
    pub(crate) fn from_start(self: &Arc<Self>) -> Reader {
        let mut inner = self.lock();
        inner.reader += 1;
        Reader {
            replay: Arc::clone(self),
            turn: inner.reader,
            next: 0,
        }
    }

    /// Returns a reader that starts at `sequence`, and disconnects the previous reader. Returns `None` if an
    /// event from there on has been dropped, or doesn't exist yet.
    pub(crate) fn read(self: &Arc<Self>, sequence: u64) -> Option<Reader> {
        let mut inner = self.lock();
        if sequence < inner.first || sequence > inner.first + inner.events.len() as u64 {
            return None;
        }
        inner.reader += 1;
        inner.leave = false;
        let turn = inner.reader;
        wake(inner);
        Some(Reader {
            replay: Arc::clone(self),
            turn,
            next: sequence,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let bytes = self.lock().bytes;
        self.kept.fetch_sub(bytes, Ordering::Relaxed);
    }
}

fn wake(mut inner: MutexGuard<'_, Inner>) {
    let waker = inner.waker.take();
    drop(inner);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A connection that reads a stream.
#[derive(Debug)]
pub(crate) struct Reader {
    replay: Arc<Replay>,
    turn: u64,
    next: u64,
}

impl Source for Reader {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut inner = self.replay.lock();
        if inner.reader != self.turn || self.next < inner.first {
            return Poll::Ready(None);
        }
        let at = usize::try_from(self.next - inner.first).unwrap_or(usize::MAX);
        if let Some(event) = inner.events.get(at).cloned() {
            self.next += 1;
            inner.taken = inner.taken.max(self.next);
            return Poll::Ready(Some(event));
        }
        if inner.closed || inner.leave {
            return Poll::Ready(None);
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn may_stop(&self) -> bool {
        false
    }
}

/// The resumable streams, by session. If there are too many streams or bytes, the oldest are removed.
#[derive(Debug)]
pub(crate) struct Replays<S> {
    inner: Mutex<Kept<S>>,
    streams_max: usize,
    bytes_max: usize,
    bytes: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Kept<S> {
    streams: HashMap<(S, u64), Arc<Replay>>,
    order: VecDeque<(S, u64)>,
}

impl<S: Hash + Eq + Copy> Replays<S> {
    pub(crate) fn new(streams_max: usize, bytes_max: usize) -> Self {
        Self {
            inner: Mutex::new(Kept {
                streams: HashMap::new(),
                order: VecDeque::new(),
            }),
            streams_max,
            bytes_max,
            bytes: Arc::default(),
        }
    }

    /// Creates a stream for a session. `stream` must be a new random name.
    pub(crate) fn open(&self, session: S, stream: u64, bytes_max: usize) -> Arc<Replay> {
        let mut inner = self.lock();
        while inner.order.len() >= self.streams_max || self.bytes.load(Ordering::Relaxed) > self.bytes_max {
            let Some(oldest) = inner.order.pop_front() else {
                break;
            };
            inner.streams.remove(&oldest);
        }
        let replay = Replay::new(stream, bytes_max, Arc::clone(&self.bytes));
        inner.streams.insert((session, stream), Arc::clone(&replay));
        inner.order.push_back((session, stream));
        replay
    }

    /// Returns a reader of the events after `event`. Returns `None` for an unknown event or one of another
    /// session, without telling them apart.
    pub(crate) fn after(&self, session: S, event: EventId) -> Option<Reader> {
        let replay = self.lock().streams.get(&(session, event.stream)).cloned()?;
        replay.read(event.sequence.checked_add(1)?)
    }

    /// Removes the streams of a session that has ended.
    pub(crate) fn forget(&self, session: &S) {
        let mut inner = self.lock();
        inner.order.retain(|(other, _)| other != session);
        inner.streams.retain(|(other, _), replay| {
            let is_kept = other != session;
            if !is_kept {
                replay.close();
            }
            is_kept
        });
    }

    fn lock(&self) -> MutexGuard<'_, Kept<S>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(reader: &mut Reader) -> Poll<Option<String>> {
        reader
            .poll_next(&mut Context::from_waker(Waker::noop()))
            .map(|event| event.map(|event| String::from_utf8(event.to_vec()).unwrap()))
    }

    fn text(poll: Poll<Option<String>>) -> String {
        match poll {
            Poll::Ready(Some(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    // SHT-11, SHT-13
    #[test]
    fn a_returning_reader_gets_the_missed_events_of_its_own_stream() {
        let replays = Replays::new(8, 1 << 20);
        let (mine, other) = (replays.open('s', 1, 1 << 10), replays.open('s', 2, 1 << 10));
        let mut reader = mine.read(0).unwrap();
        assert_eq!(
            text(next(&mut reader)),
            "id: 0000000000000001-0\nretry: 1000\ndata: \n\n"
        );
        assert_eq!(next(&mut reader), Poll::Pending);
        mine.push(b"data: a\n\n");
        other.push(b"data: x\n\n");
        mine.disconnect(Duration::from_millis(50));
        assert_eq!(text(next(&mut reader)), "id: 0000000000000001-1\ndata: a\n\n");
        assert_eq!(
            text(next(&mut reader)),
            "id: 0000000000000001-2\nretry: 50\ndata: \n\n"
        );
        assert_eq!(next(&mut reader), Poll::Ready(None), "the reader is disconnected");
        mine.push(b"data: b\n\n");
        mine.close();
        let mut back = replays
            .after('s', EventId::parse("0000000000000001-1").unwrap())
            .unwrap();
        assert!(text(next(&mut back)).contains("retry"));
        assert_eq!(text(next(&mut back)), "id: 0000000000000001-3\ndata: b\n\n");
        assert_eq!(next(&mut back), Poll::Ready(None));
        let unknown = |session: char, id: &str| replays.after(session, EventId::parse(id).unwrap()).is_none();
        assert!(unknown('t', "0000000000000001-1"), "of another session");
        assert!(unknown('s', "0000000000000003-0"), "of an unknown stream");
        assert!(unknown('s', "0000000000000001-99"), "in the future");
        replays.forget(&'s');
        assert!(unknown('s', "0000000000000001-1"), "of an ended session");
    }

    #[test]
    fn a_second_reader_disconnects_the_first() {
        let replay = Replay::new(1, 1 << 10, Arc::default());
        let mut first = replay.read(0).unwrap();
        let mut second = replay.read(0).unwrap();
        assert_eq!(next(&mut first), Poll::Ready(None));
        assert!(next(&mut second).is_ready());
    }

    #[test]
    fn streams_are_bounded_in_bytes_and_number() {
        let replays = Replays::new(2, 200);
        let big = replays.open('s', 1, 100);
        let mut reader = big.read(0).unwrap();
        assert!(next(&mut reader).is_ready());
        big.push(&[b'x'; 90]);
        assert!(
            text(next(&mut reader)).contains("xxx"),
            "a single large event is accepted"
        );
        big.push(&[b'y'; 20]);
        big.push(&[b'z'; 90]);
        assert_eq!(
            next(&mut reader),
            Poll::Ready(None),
            "too many events that no reader has taken"
        );
        for stream in 2..5 {
            replays.open('s', stream, 100);
        }
        assert!(
            replays
                .after(
                    's',
                    EventId {
                        stream: 2,
                        sequence: 0
                    }
                )
                .is_none()
        );
        assert!(
            replays
                .after(
                    's',
                    EventId {
                        stream: 4,
                        sequence: 0
                    }
                )
                .is_some()
        );
        drop((big, reader));
        replays.forget(&'s');
        assert_eq!(replays.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn only_valid_event_ids_are_parsed() {
        let check = |text: &str, is_ours: bool| assert_eq!(EventId::parse(text).is_some(), is_ours, "{text}");
        check("00000000000000ff-12", true);
        check("00000000000000FF-12", false);
        check("ff-12", false);
        check("00000000000000ff-", false);
        check("00000000000000ff--1", false);
        check("00000000000000ff-99999999999", false);
        check("", false);
        check("+0000000000000ff-1", false);
    }
}
