//! The audit log: append-only and hash-chained per workspace.
//!
//! The log has one entry per authenticated request that can return or change workspace data. A change has no
//! second entry besides that of its call. An entry is committed before the first byte of the answer is sent.
//!
//! The chain shows that its rows belong together. It does not show that the writer was honest, and a chain that was
//! rewritten or cut off can be found only by comparing with an earlier export or [`checkpoint`].

pub mod checkpoint;
mod reduced;
pub mod tree;

pub use reduced::Reduced;

use crate::{
    access::{ChangeReceipt, OnceToken, WorkspaceScope},
    error::StoreError,
    text,
    value::{id::WorkspaceId, time::Timestamp, word::words},
};
use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The domain separator of the row hash. A change of the format requires a new one.
pub const CHAIN_VERSION: &str = "wp-audit-1";

words! {
    /// The outcome of an audited request.
    AuditOutcome {
        /// Answered, or changed as requested.
        Ok = "ok",
        /// Nothing was changed, because the requested state was in place already.
        Unchanged = "unchanged",
        /// The thing doesn't exist, or the caller may not see it.
        NotFound = "not_found",
        /// The caller lacks the permission.
        Denied = "denied",
        /// The arguments were invalid.
        Invalid = "invalid",
        /// The current state didn't allow the request.
        Conflict = "conflict",
        /// The request failed.
        Error = "error",
    }
    /// The kind of actor.
    ActorKind {
        /// An API key.
        Key = "key",
        /// A background job.
        Worker = "worker",
        /// The person at the machine.
        LocalOperator = "local_operator",
    }
}

/// The entity that an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditTarget {
    /// The kind of entity (`finding`, `app`, `key`, …); empty if there is none.
    pub kind: &'static str,
    /// The entity's id as text; empty if there is none.
    pub id: String,
}

impl AuditTarget {
    /// Creates a target from a kind and an id.
    pub fn new(kind: &'static str, id: &impl std::fmt::Display) -> Self {
        Self {
            kind,
            id: id.to_string(),
        }
    }
}

/// The request that an entry records, as provided by the entry points.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// The channel through which the request arrived: `mcp`, `rest`, `cli` or `job`.
    pub channel: &'static str,
    /// The requested operation: the name of a tool, an operation of the REST API, a command or a job kind.
    pub operation: Cow<'static, str>,
    /// The arguments as one JSON object in canonical text, already redacted: values outside the safe list are
    /// replaced by HMACs (see [`AuditKey::digest`]). Never contains a secret.
    pub arguments: String,
    /// The tokens that this call spends with its change. See [`OnceToken`].
    pub once: Vec<OnceToken>,
}

impl CallRecord {
    /// Creates the record of a request from its redacted arguments (the text of a JSON object).
    pub fn new(
        channel: &'static str,
        operation: impl Into<Cow<'static, str>>,
        arguments: impl Into<String>,
    ) -> Self {
        Self {
            channel,
            operation: operation.into(),
            arguments: arguments.into(),
            once: Vec::new(),
        }
    }
    /// Makes the call take effect at most once for this token. A call may have one token of each kind.
    #[must_use]
    pub fn once(mut self, token: OnceToken) -> Self {
        self.once.push(token);
        self
    }
}

/// The content of the audit entry of a request that changed nothing. See
/// [`Watchpost::record`](crate::service::Watchpost::record).
#[derive(Debug, Clone)]
pub struct ReadRecord {
    /// The action, as `noun.verb`.
    pub action: &'static str,
    /// The entity that the request was about.
    pub target: AuditTarget,
    /// The outcome of the request.
    pub outcome: AuditOutcome,
    /// The request.
    pub call: CallRecord,
}

/// The columns of an entry before it has a position in the chain. Created only by [`WorkspaceScope::observe`] and
/// by opening an [`crate::access::AuthorizedWrite`].
#[derive(Debug)]
pub struct PendingEntry {
    pub(crate) workspace: WorkspaceId,
    pub(crate) actor_kind: ActorKind,
    pub(crate) actor_id: String,
    pub(crate) action: &'static str,
    pub(crate) target: AuditTarget,
    pub(crate) outcome: AuditOutcome,
    pub(crate) call: CallRecord,
    pub(crate) change: bool,
}

impl PendingEntry {
    /// Sets the outcome of the request, which is known only inside the transaction of a change.
    pub fn set_outcome(&mut self, outcome: AuditOutcome) {
        self.outcome = outcome;
    }
    /// Sets the target, if it becomes known only inside the transaction (the id of a created key).
    pub fn set_target(&mut self, target: AuditTarget) {
        self.target = target;
    }
    /// Returns the workspace whose chain the entry belongs to.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
    /// Returns whether the entry records a change. A group of entries that contains a change is committed with
    /// full durability.
    pub fn is_change(&self) -> bool {
        self.change
    }
    /// Returns the actor: the kind, and the key's id, the job's id, or the empty string.
    pub fn actor(&self) -> (ActorKind, &str) {
        (self.actor_kind, &self.actor_id)
    }
    /// Returns the requested operation: the name of a tool, a command or a job kind.
    pub fn operation(&self) -> &str {
        &self.call.operation
    }
    /// Returns the tokens to spend in the transaction of the change.
    pub fn once(&self) -> &[OnceToken] {
        &self.call.once
    }
    /// Returns the row to store with the number `seq` after a row with the hash `previous`.
    pub fn to_row(&self, seq: u64, at: Timestamp, previous: [u8; 32]) -> AuditRow {
        let mut row = AuditRow {
            seq,
            at,
            actor_kind: self.actor_kind,
            actor_id: self.actor_id.clone(),
            action: Cow::Borrowed(self.action),
            target_kind: Cow::Borrowed(self.target.kind),
            target_id: self.target.id.clone(),
            outcome: self.outcome,
            channel: Cow::Borrowed(self.call.channel),
            operation: self.call.operation.clone(),
            arguments: self.call.arguments.clone(),
            prev_hash: previous,
            row_hash: [0; 32],
        };
        row.row_hash = row.expected_hash(self.workspace);
        row
    }
    /// Declares the entry stored as row `seq` and wraps the result of the change. A store calls this after it has
    /// added the row to the transaction of the change.
    pub fn stored<T>(self, seq: u64, value: T) -> crate::access::Audited<T> {
        crate::access::Audited::new(ChangeReceipt { seq, earlier: None }, value)
    }
    /// Declares the entry of a repeated call stored. `value` is the result of the first call, which was made at
    /// `earlier`.
    pub fn stored_again<T>(self, seq: u64, earlier: Timestamp, value: T) -> crate::access::Audited<T> {
        let receipt = ChangeReceipt {
            seq,
            earlier: Some(earlier),
        };
        crate::access::Audited::new(receipt, value)
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The sequence number: 1 for the first row of a workspace (the genesis entry), then without gaps.
    pub seq: u64,
    /// The time of the commit.
    pub at: Timestamp,
    /// The kind of actor.
    pub actor_kind: ActorKind,
    /// The key's id, the job's id, or the empty string.
    pub actor_id: String,
    /// The action, as `noun.verb`.
    pub action: Cow<'static, str>,
    /// The kind of entity that the request was about, or empty.
    pub target_kind: Cow<'static, str>,
    /// The entity's id, or empty.
    pub target_id: String,
    /// The outcome of the request.
    pub outcome: AuditOutcome,
    /// `mcp`, `rest`, `cli` or `job`.
    pub channel: Cow<'static, str>,
    /// The name of the tool, operation, command or job kind.
    pub operation: Cow<'static, str>,
    /// The redacted arguments, as the text of a JSON object.
    pub arguments: String,
    /// The hash of the previous row (zeros for the genesis entry).
    pub prev_hash: [u8; 32],
    /// This row's hash.
    pub row_hash: [u8; 32],
}

impl AuditRow {
    /// Computes the hash that the row must have: SHA-256 over the chain version, the previous hash, and each
    /// column in the order workspace, seq, at (milliseconds), actor kind, actor id, action, target kind, target
    /// id, outcome, channel, operation, arguments. Each column is hashed as a little-endian `u32` length followed
    /// by its bytes (numbers in decimal).
    pub fn expected_hash(&self, workspace: WorkspaceId) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(CHAIN_VERSION.as_bytes());
        hash.update(self.prev_hash);
        let mut column = |bytes: &[u8]| {
            hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
            hash.update(bytes);
        };
        column(workspace.as_bytes());
        column(self.seq.to_string().as_bytes());
        column(self.at.as_millis().to_string().as_bytes());
        column(self.actor_kind.as_str().as_bytes());
        column(self.actor_id.as_bytes());
        column(self.action.as_bytes());
        column(self.target_kind.as_bytes());
        column(self.target_id.as_bytes());
        column(self.outcome.as_str().as_bytes());
        column(self.channel.as_bytes());
        column(self.operation.as_bytes());
        column(self.arguments.as_bytes());
        hash.finalize().into()
    }

    /// Creates the first row of a workspace's chain.
    pub fn genesis(workspace: WorkspaceId, at: Timestamp) -> Self {
        let mut row = Self {
            seq: 1,
            at,
            actor_kind: ActorKind::LocalOperator,
            actor_id: String::new(),
            action: Cow::Borrowed("audit_chain.genesis"),
            target_kind: Cow::Borrowed("workspace"),
            target_id: workspace.to_string(),
            outcome: AuditOutcome::Ok,
            channel: Cow::Borrowed("cli"),
            operation: Cow::Borrowed("init"),
            arguments: "{}".into(),
            prev_hash: [0; 32],
            row_hash: [0; 32],
        };
        row.row_hash = row.expected_hash(workspace);
        row
    }
}

/// The instance's HMAC key for argument values that aren't stored in clear text.
#[derive(Clone)]
pub struct AuditKey([u8; 32]);

impl AuditKey {
    /// Creates a key from 32 bytes that are derived from the master key for this purpose only.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }
    /// Returns the text to store instead of `value`: `hmac:` and 32 hexadecimal digits (half of HMAC-SHA-256).
    /// Equal values have equal texts, so that an auditor can recognize the same value in several entries.
    pub fn digest(&self, value: &str) -> String {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(37);
        text.push_str("hmac:");
        let mut mac = self.mac();
        mac.update(value.as_bytes());
        for byte in mac.finalize().into_bytes().iter().take(16) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Computes HMAC-SHA-256 over a purpose and parts, each part preceded by its length.
    pub(crate) fn tag(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac();
        mac.update(purpose);
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn mac(&self) -> Hmac<Sha256> {
        // A key shorter than the block of the hash is padded with zeros (RFC 2104, section 2).
        let mut block = [0_u8; 64];
        for (at, byte) in block.iter_mut().zip(self.0) {
            *at = byte;
        }
        <Hmac<Sha256> as KeyInit>::new(&block.into())
    }
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditKey(…)")
    }
}

/// Conditions on audit entries. All must hold.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// The action; with a trailing `.`, the prefix of the action.
    pub action: Option<String>,
    /// The id of the actor.
    pub actor_id: Option<String>,
    /// The earliest time, inclusive.
    pub from: Option<Timestamp>,
    /// The latest time, exclusive.
    pub to: Option<Timestamp>,
    /// Only rows with a lower sequence number, for the next page.
    pub before_seq: Option<u64>,
    /// Maximum number of rows, 1 to 1,000.
    pub limit: usize,
}

/// Storage of the audit log.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Stores the entry of a request that changed nothing. Returns after the commit.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`] if the entry can't be written. The request must then not be answered.
    async fn append(&self, entry: PendingEntry) -> Result<crate::access::Audited<()>, StoreError>;
    /// Returns entries, newest first.
    async fn list_entries(
        &self,
        scope: &WorkspaceScope,
        query: &AuditQuery,
    ) -> Result<Vec<AuditRow>, StoreError>;
    /// Returns up to `limit` rows with a sequence number above `after_seq`, oldest first, exactly as stored: for
    /// verification and export. A row with unreadable columns yields [`StoreError::Corrupt`] with its number in
    /// the source.
    async fn audit_page(
        &self,
        scope: &WorkspaceScope,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError>;
}

/// The result of verifying a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainVerdict {
    /// Every row is valid.
    Intact {
        /// The number of rows.
        rows: u64,
        /// The hash of the last row. Compare it with an earlier export to detect a truncated end.
        tip: [u8; 32],
    },
    /// A row is invalid. Only the first one is reported.
    Broken {
        /// The row's sequence number, or the number that is missing.
        seq: u64,
        /// The problem with the row.
        problem: &'static str,
    },
}

/// Verifies a chain row by row. The rows must be passed in order.
#[derive(Debug)]
pub struct ChainVerifier {
    workspace: WorkspaceId,
    next_seq: u64,
    previous: [u8; 32],
}

impl ChainVerifier {
    /// Creates a verifier of one workspace's chain, which starts at the first row.
    pub const fn new(workspace: WorkspaceId) -> Self {
        Self {
            workspace,
            next_seq: 1,
            previous: [0; 32],
        }
    }
    /// Creates a verifier that goes on after the row `seq` with the hash `tip`.
    pub const fn resume(workspace: WorkspaceId, seq: u64, tip: [u8; 32]) -> Self {
        Self {
            workspace,
            next_seq: seq.saturating_add(1),
            previous: tip,
        }
    }
    /// Returns the hash of the last row that was checked.
    pub const fn tip(&self) -> [u8; 32] {
        self.previous
    }
    /// Checks the next row.
    ///
    /// # Errors
    /// The verdict on the first invalid row.
    pub fn check(&mut self, row: &AuditRow) -> Result<(), ChainVerdict> {
        let broken = |problem| {
            Err(ChainVerdict::Broken {
                seq: row.seq.min(self.next_seq),
                problem,
            })
        };
        if row.seq != self.next_seq {
            return broken(text::audit::ROW_MISSING);
        }
        if row.prev_hash != self.previous {
            return broken(text::audit::LINK_BROKEN);
        }
        if row.row_hash != row.expected_hash(self.workspace) {
            return broken(text::audit::HASH_MISMATCH);
        }
        self.previous = row.row_hash;
        self.next_seq = self.next_seq.saturating_add(1);
        Ok(())
    }
    /// Returns the verdict after every row was checked.
    pub const fn finish(self) -> ChainVerdict {
        if self.next_seq == 1 {
            return ChainVerdict::Broken {
                seq: 1,
                problem: text::audit::GENESIS_MISSING,
            };
        }
        ChainVerdict::Intact {
            rows: self.next_seq - 1,
            tip: self.previous,
        }
    }
}
