//! Limits the frames of HTTP/2 that carry no request and no response.
//!
//! The HTTP/2 library limits resets of streams that it didn't accept yet, continuations and small DATA frames, and it keeps at
//! most one PING and one SETTINGS frame unanswered. Nothing limits how many of the others a client sends, and each costs
//! processor time. So a connection has a credit for them. Time and transferred responses restore it.

use std::time::Duration;
use tokio::time::Instant;

/// The maximum credit, in frames.
const CREDIT_MAX: u64 = 2_000;
/// The credit that time restores, per second.
const CREDIT_PER_SECOND: u64 = 100;
/// The number of bytes of responses that restore a credit of one frame. A client may announce room for each frame of a
/// response, for the stream and for the connection.
const BYTES_PER_CREDIT: usize = 64;
/// The credit that the head of a response restores.
const CREDIT_PER_RESPONSE: u64 = 4;
/// The cost of a SETTINGS frame. It can change the windows of all streams.
const COST_OF_SETTINGS: u64 = 4;

const HEADER_BYTES: usize = 9;
const PREFACE_BYTES: usize = 24;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;

/// Finds the headers of frames in a sequence of bytes.
#[derive(Debug)]
struct Frames {
    /// The number of bytes before the next frame header.
    skip: usize,
    header: [u8; HEADER_BYTES],
    received: usize,
}

impl Frames {
    fn after(preface: usize) -> Self {
        Self {
            skip: preface,
            header: [0; HEADER_BYTES],
            received: 0,
        }
    }

    /// Calls `found` with the type and the payload's length of each frame whose header ends in `bytes`.
    fn scan(&mut self, mut bytes: &[u8], mut found: impl FnMut(u8, usize)) {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
            let wanted = (HEADER_BYTES - self.received).min(bytes.len());
            let (part, rest) = bytes.split_at(wanted);
            if let Some(place) = self.header.get_mut(self.received..self.received + wanted) {
                place.copy_from_slice(part);
            }
            self.received += wanted;
            bytes = rest;
            if self.received == HEADER_BYTES {
                self.received = 0;
                let [high, middle, low, kind, ..] = self.header;
                self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                found(kind, self.skip);
            }
        }
    }
}

/// The frames of a connection, in both directions.
#[derive(Debug)]
pub(crate) struct FrameCredit {
    received: Frames,
    sent: Frames,
    credit: u64,
    restored: Instant,
    /// The bytes of responses that didn't restore a credit yet.
    bytes: usize,
}

impl FrameCredit {
    pub(crate) fn new() -> Self {
        Self {
            received: Frames::after(PREFACE_BYTES),
            sent: Frames::after(0),
            credit: CREDIT_MAX,
            restored: Instant::now(),
            bytes: 0,
        }
    }

    /// Charges received bytes. Returns `false` if the credit is used up.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> bool {
        let mut cost = 0;
        self.received.scan(bytes, |kind, _| {
            cost += match kind {
                DATA | HEADERS => 0,
                SETTINGS => COST_OF_SETTINGS,
                _ => 1,
            };
        });
        if cost > self.credit {
            self.restore(Instant::now());
        }
        let Some(left) = self.credit.checked_sub(cost) else {
            return false;
        };
        self.credit = left;
        true
    }

    /// Restores credit for bytes that were written.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let (mut sent, mut responses) = (0, 0);
        self.sent.scan(bytes, |kind, length| match kind {
            DATA => sent += length,
            HEADERS => responses += 1,
            _ => {}
        });
        self.bytes += sent;
        let earned = (self.bytes / BYTES_PER_CREDIT) as u64 + responses * CREDIT_PER_RESPONSE;
        self.bytes %= BYTES_PER_CREDIT;
        self.credit = CREDIT_MAX.min(self.credit + earned);
    }

    fn restore(&mut self, now: Instant) {
        const INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / CREDIT_PER_SECOND);
        let intervals = now.duration_since(self.restored).as_nanos() / INTERVAL.as_nanos();
        let earned = u64::try_from(intervals).unwrap_or(CREDIT_MAX).min(CREDIT_MAX);
        if earned > 0 {
            self.restored = now;
            self.credit = CREDIT_MAX.min(self.credit + earned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: u8 = 6;
    const WINDOW_UPDATE: u8 = 8;

    fn frame(kind: u8, payload: usize) -> Vec<u8> {
        let length = u32::try_from(payload).unwrap().to_be_bytes();
        let mut bytes = vec![length[1], length[2], length[3], kind, 0, 0, 0, 0, 0];
        bytes.resize(HEADER_BYTES + payload, 0xff);
        bytes
    }

    fn preface() -> FrameCredit {
        let mut credit = FrameCredit::new();
        assert!(credit.receive(&[b'x'; PREFACE_BYTES]));
        credit
    }

    #[test]
    fn frames_are_found_wherever_the_bytes_are_cut() {
        let bytes = [
            frame(PING, 8),
            frame(DATA, 0),
            frame(HEADERS, 300),
            frame(SETTINGS, 6),
        ]
        .concat();
        for cut in 0..=bytes.len() {
            let mut frames = Frames::after(0);
            let mut found = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                frames.scan(part, |kind, length| found.push((kind, length)));
            }
            assert_eq!(
                found,
                [(PING, 8), (DATA, 0), (HEADERS, 300), (SETTINGS, 6)],
                "{cut}"
            );
        }
    }

    #[test]
    fn a_flood_uses_up_the_credit() {
        for (kind, payload, max) in [(PING, 8, 2_000), (WINDOW_UPDATE, 4, 2_000), (SETTINGS, 6, 500)] {
            let mut credit = preface();
            let accepted = (0..5_000)
                .take_while(|_| credit.receive(&frame(kind, payload)))
                .count();
            // Time restores some credit while this runs.
            assert!((max..max + 1_000).contains(&accepted), "{kind}: {accepted}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_restores_credit() {
        let mut credit = preface();
        while credit.receive(&frame(PING, 8)) {}
        tokio::time::advance(Duration::from_secs(1)).await;
        let accepted = (0..1_000).take_while(|_| credit.receive(&frame(PING, 8))).count();
        assert_eq!(accepted as u64, CREDIT_PER_SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_responses_is_not_limited() {
        let mut credit = preface();
        for _ in 0..10_000 {
            credit.send(&frame(HEADERS, 100));
            credit.send(&frame(DATA, 300));
            for _ in 0..4 {
                assert!(credit.receive(&frame(WINDOW_UPDATE, 4)));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn room_for_single_bytes_does_not_restore_what_it_costs() {
        let mut credit = preface();
        let mut accepted = 0;
        while credit.receive(&frame(WINDOW_UPDATE, 4)) && accepted < 5_000 {
            credit.send(&frame(DATA, 1));
            accepted += 1;
        }
        assert!(accepted < 2_100, "{accepted}");
    }
}
