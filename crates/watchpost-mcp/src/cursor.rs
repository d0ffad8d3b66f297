//! Cursors of lists: a position in the list with a MAC over workspace and query, so that a cursor is valid only for the
//! query it was made for. The server stores nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use watchpost_core::{
    access::WorkspaceScope,
    finding::{EntityFilter, FindingPosition, FindingQuery},
    value::{
        id::{FindingId, WorkspaceId},
        time::Timestamp,
        word::Severity,
    },
};

const POSITION_BYTES: usize = 1 + 8 + 16;
const MAC_BYTES: usize = 16;
/// The length of every cursor: 41 bytes in base64url without padding.
pub(crate) const CURSOR_CHARS: usize = 55;

/// The key of cursors: 32 bytes derived from the master key for this purpose alone, the same in all processes on one
/// store.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// Creates the key from the derived bytes.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Returns the cursor for a position in the answer to a query. The page size isn't part of it and may change from page
    /// to page.
    pub(crate) fn seal(&self, scope: &WorkspaceScope, query: &FindingQuery, at: &FindingPosition) -> String {
        self.seal_in(scope.workspace(), query, at)
    }

    /// As [`CursorKey::seal`], for a workspace's id.
    pub(crate) fn seal_in(
        &self,
        workspace: WorkspaceId,
        query: &FindingQuery,
        at: &FindingPosition,
    ) -> String {
        let mut bytes = [0_u8; POSITION_BYTES + MAC_BYTES];
        let position = position_bytes(at);
        let (head, tail) = bytes.split_at_mut(POSITION_BYTES);
        head.copy_from_slice(&position);
        tail.copy_from_slice(&self.mac(workspace, query, &position));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the position in a cursor of this workspace and query; `None` for any other text.
    pub(crate) fn open(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
        text: &str,
    ) -> Option<FindingPosition> {
        self.open_in(scope.workspace(), query, text)
    }

    /// As [`CursorKey::open`], for a workspace's id.
    pub(crate) fn open_in(
        &self,
        workspace: WorkspaceId,
        query: &FindingQuery,
        text: &str,
    ) -> Option<FindingPosition> {
        if text.len() != CURSOR_CHARS {
            return None;
        }
        let mut bytes = [0_u8; POSITION_BYTES + MAC_BYTES];
        let written = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        if written != bytes.len() {
            return None;
        }
        let (position, mac) = bytes.split_at(POSITION_BYTES);
        let position: [u8; POSITION_BYTES] = position.try_into().ok()?;
        if !bool::from(self.mac(workspace, query, &position).ct_eq(mac)) {
            return None;
        }
        let (severity, rest) = position.split_first()?;
        let (at, id) = rest.split_at(8);
        Some(FindingPosition {
            severity: Severity::from_code(*severity)?,
            first_seen_at: Timestamp::from_millis(i64::from_be_bytes(at.try_into().ok()?)),
            id: FindingId::from_bytes(id.try_into().ok()?),
        })
    }

    /// Returns the MAC of a task's parts, under a separate key that is derived from this one.
    pub(crate) fn task_mac(&self, parts: &[&[u8]]) -> [u8; MAC_BYTES] {
        let mut out = [0_u8; MAC_BYTES];
        // HMAC accepts keys of any length.
        let Ok(derive) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0) else {
            return out;
        };
        let key = derive.chain_update(b"watchpost task 1").finalize().into_bytes();
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&key) else {
            return out;
        };
        for part in parts {
            mac.update(part);
        }
        for (to, from) in out.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        out
    }

    fn mac(
        &self,
        workspace: WorkspaceId,
        query: &FindingQuery,
        position: &[u8; POSITION_BYTES],
    ) -> [u8; MAC_BYTES] {
        let mut out = [0_u8; MAC_BYTES];
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0) else {
            return out; // HMAC accepts keys of any length.
        };
        mac.update(b"wp-cursor-1");
        mac.update(workspace.as_bytes());
        // Each list is preceded by its length, so that no two queries give the same bytes.
        let mut list = |codes: &mut dyn ExactSizeIterator<Item = u8>| {
            mac.update(&[u8::try_from(codes.len()).unwrap_or(u8::MAX)]);
            for code in codes {
                mac.update(&[code]);
            }
        };
        list(&mut query.severities.iter().map(|word| word.code()));
        list(&mut query.categories.iter().map(|word| word.code()));
        list(&mut query.statuses.iter().map(|word| word.code()));
        list(&mut query.platforms.iter().map(|word| word.code()));
        list(&mut query.services.iter().map(|word| word.code()));
        list(&mut query.frameworks.iter().map(|word| word.code()));
        match &query.entity {
            None => mac.update(&[0]),
            Some(EntityFilter::Identity(id)) => {
                mac.update(&[1]);
                mac.update(id.as_bytes());
            }
            Some(EntityFilter::App(id)) => {
                mac.update(&[2]);
                mac.update(id.as_bytes());
            }
            Some(EntityFilter::Integration(id)) => {
                mac.update(&[3]);
                mac.update(id.as_bytes());
            }
        }
        for text in [&query.text, &query.rule_id] {
            let text = text.as_deref().unwrap_or_default();
            mac.update(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            mac.update(text.as_bytes());
        }
        // Its presence is part of it: a time alone could be that of the epoch.
        mac.update(&[u8::from(query.since.is_some())]);
        mac.update(&query.since.map_or(0, Timestamp::as_millis).to_le_bytes());
        mac.update(position);
        for (to, from) in out.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        out
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

fn position_bytes(at: &FindingPosition) -> [u8; POSITION_BYTES] {
    let mut out = [0_u8; POSITION_BYTES];
    let fields = std::iter::once(at.severity.code())
        .chain(at.first_seen_at.as_millis().to_be_bytes())
        .chain(at.id.as_bytes().iter().copied());
    for (to, from) in out.iter_mut().zip(fields) {
        *to = from;
    }
    out
}
