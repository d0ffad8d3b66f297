//! The audit log: append-only, hash-chained per workspace.
//!
//! One entry per authenticated request that can return or change workspace data. A change's entry *is* the call's
//! entry. An entry is committed before its answer's first byte leaves.
//!
//! The chain shows that rows were not altered afterwards. It does not show that the writer was honest, and cutting
//! off its end is only found by comparing with an earlier export.

use crate::{
    access::{Made, Once, WorkspaceScope},
    error::StoreError,
    value::{id::WorkspaceId, time::Timestamp, word::words},
};
use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The domain separator of the row hash; a changed format gets a new one.
pub const CHAIN_VERSION: &str = "wp-audit-1";

words! {
    /// How an audited request ended.
    AuditOutcome {
        /// Answered, or changed as asked.
        Ok = "ok",
        /// Nothing was changed because it was so already.
        Unchanged = "unchanged",
        /// There was no such thing that the caller may see.
        NotFound = "not_found",
        /// The caller may not do this.
        Denied = "denied",
        /// The arguments were wrong.
        Invalid = "invalid",
        /// The state of things forbade it.
        Conflict = "conflict",
        /// It failed.
        Error = "error",
    }
    /// Who acted.
    ActorKind {
        /// An API key.
        Key = "key",
        /// A background job.
        Worker = "worker",
        /// The person at the machine.
        LocalOperator = "local_operator",
    }
}

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditTarget {
    /// The kind of thing (`finding`, `app`, `key`, …); empty if there is none.
    pub kind: &'static str,
    /// Its id as text; empty if there is none.
    pub id: String,
}

impl AuditTarget {
    /// A target of a kind.
    pub fn new(kind: &'static str, id: &impl std::fmt::Display) -> Self {
        Self {
            kind,
            id: id.to_string(),
        }
    }
}

/// The request that an entry records, as the entry points know it.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// Where the request came in: `mcp`, `cli`, `job`.
    pub channel: &'static str,
    /// What was asked: a tool's name, a command, a job kind.
    pub operation: Cow<'static, str>,
    /// The arguments as one JSON object in canonical text, already reduced: values outside the safe list are HMACs
    /// (see [`AuditKey::digest`]). Never holds a secret.
    pub arguments: String,
    /// Tokens that this call spends with its change. See [`Once`].
    pub once: Vec<Once>,
}

impl CallRecord {
    /// A request with its reduced arguments (a JSON object's text).
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
    /// Makes the call take effect at most once for this token. A call may have one of each kind.
    #[must_use]
    pub fn once(mut self, token: Once) -> Self {
        self.once.push(token);
        self
    }
}

/// What the entry of a request says that changed nothing: see
/// [`Watchpost::record`](crate::service::Watchpost::record).
#[derive(Debug, Clone)]
pub struct ReadRecord {
    /// What was done, `noun.verb`.
    pub action: &'static str,
    /// What it is about.
    pub target: AuditTarget,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// The request.
    pub call: CallRecord,
}

/// The columns of an entry before it has a place in the chain. Made by [`WorkspaceScope::observe`] and by opening
/// an [`crate::access::AuthorizedWrite`]; there is no other way.
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
    /// Sets how the request ended, which a change only knows inside its transaction.
    pub fn set_outcome(&mut self, outcome: AuditOutcome) {
        self.outcome = outcome;
    }
    /// Names the target where it only became known inside the transaction (a created key's id).
    pub fn set_target(&mut self, target: AuditTarget) {
        self.target = target;
    }
    /// The workspace whose chain the entry belongs to.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
    /// Whether the entry records a change: a group of entries with a change in it is committed with full durability.
    pub fn is_change(&self) -> bool {
        self.change
    }
    /// Who acts: the kind, and the acting key's id, job's id, or the empty string.
    pub fn actor(&self) -> (ActorKind, &str) {
        (self.actor_kind, &self.actor_id)
    }
    /// What was asked: a tool's name, a command, a job kind.
    pub fn operation(&self) -> &str {
        &self.call.operation
    }
    /// The tokens to spend in the transaction of the change.
    pub fn once(&self) -> &[Once] {
        &self.call.once
    }
    /// The row to store as number `seq` after a row with hash `previous`.
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
    /// Declares the entry stored as row `seq` and hands out the change's result. A store calls this after it has
    /// put the row into the same transaction as the change.
    pub fn stored<T>(self, seq: u64, value: T) -> crate::access::Audited<T> {
        crate::access::Audited::new(Made { seq, earlier: None }, value)
    }
    /// The same for a repeat: `value` is what the first call came to, which was made at `earlier`.
    pub fn stored_again<T>(self, seq: u64, earlier: Timestamp, value: T) -> crate::access::Audited<T> {
        let made = Made {
            seq,
            earlier: Some(earlier),
        };
        crate::access::Audited::new(made, value)
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// 1 for the first row of a workspace (the genesis entry), then without gaps.
    pub seq: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// Who acted.
    pub actor_kind: ActorKind,
    /// The acting key's id, job's id, or the empty string.
    pub actor_id: String,
    /// What was done, `noun.verb`.
    pub action: Cow<'static, str>,
    /// The kind of thing that it was about, or empty.
    pub target_kind: Cow<'static, str>,
    /// Its id, or empty.
    pub target_id: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// `mcp`, `cli` or `job`.
    pub channel: Cow<'static, str>,
    /// The tool, command or job kind.
    pub operation: Cow<'static, str>,
    /// Reduced arguments, a JSON object's text.
    pub arguments: String,
    /// The hash of the row before (zeros for the genesis entry).
    pub prev_hash: [u8; 32],
    /// This row's hash.
    pub row_hash: [u8; 32],
}

impl AuditRow {
    /// What the row's hash must be: SHA-256 over the chain version, the previous hash, and each column in the order
    /// workspace, seq, at (milliseconds), actor kind, actor id, action, target kind, target id, outcome, channel,
    /// operation, arguments, each as a little-endian `u32` length and its bytes (numbers in decimal).
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

    /// The first row of a workspace's chain.
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

/// The instance's key for argument values that aren't stored in the clear.
#[derive(Clone)]
pub struct AuditKey([u8; 32]);

impl AuditKey {
    /// From 32 bytes derived from the master key for this purpose alone.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }
    /// The text stored in place of `value`: `hmac:` and 32 hexadecimal digits (half of HMAC-SHA-256). Equal values
    /// give equal texts, so that an auditor can tell "the same person again".
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

    /// HMAC-SHA-256 over a purpose and parts, each with its length before it.
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
        // A key shorter than the hash's block is filled with zeros, by definition.
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

/// Which entries to list. All conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Only this action, or, ending in `.`, actions with this prefix.
    pub action: Option<String>,
    /// Only this actor's id.
    pub actor_id: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Only rows with a smaller number (for the next page).
    pub before_seq: Option<u64>,
    /// Rows at the most (1 to 1,000).
    pub limit: usize,
}

/// The audit log's port.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Stores the entry of a request that changed nothing. Returns once it is committed.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`] if it can't be written; the request must then not be answered.
    async fn append(&self, entry: PendingEntry) -> Result<crate::access::Audited<()>, StoreError>;
    /// Entries, newest first.
    async fn list_entries(
        &self,
        scope: &WorkspaceScope,
        query: &AuditQuery,
    ) -> Result<Vec<AuditRow>, StoreError>;
    /// Up to `limit` rows with a number above `after_seq`, oldest first, exactly as stored: for verifying and export.
    /// A row whose columns can't even be read is [`StoreError::Corrupt`] and names its number in the source.
    async fn audit_page(
        &self,
        scope: &WorkspaceScope,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError>;
}

/// What verifying a chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainVerdict {
    /// Every row fits.
    Intact {
        /// How many rows there are.
        rows: u64,
        /// The last row's hash: compare it with an earlier export to find a cut-off end.
        tip: [u8; 32],
    },
    /// The first row that doesn't fit.
    Broken {
        /// Its number, or the number that is missing.
        seq: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Verifies a chain row by row; feed it pages in order.
#[derive(Debug)]
pub struct ChainVerifier {
    workspace: WorkspaceId,
    next_seq: u64,
    previous: [u8; 32],
}

impl ChainVerifier {
    /// For one workspace's chain, from its first row.
    pub const fn new(workspace: WorkspaceId) -> Self {
        Self {
            workspace,
            next_seq: 1,
            previous: [0; 32],
        }
    }
    /// Checks the next row.
    ///
    /// # Errors
    /// The verdict that names the broken place.
    pub fn check(&mut self, row: &AuditRow) -> Result<(), ChainVerdict> {
        let broken = |problem| {
            Err(ChainVerdict::Broken {
                seq: row.seq.min(self.next_seq),
                problem,
            })
        };
        if row.seq != self.next_seq {
            return broken("a row is missing or out of order");
        }
        if row.prev_hash != self.previous {
            return broken("the link to the row before is broken");
        }
        if row.row_hash != row.expected_hash(self.workspace) {
            return broken("the row's content doesn't fit its hash");
        }
        self.previous = row.row_hash;
        self.next_seq = self.next_seq.saturating_add(1);
        Ok(())
    }
    /// The verdict once every row was checked.
    pub const fn finish(self) -> ChainVerdict {
        if self.next_seq == 1 {
            return ChainVerdict::Broken {
                seq: 1,
                problem: "the genesis entry is missing",
            };
        }
        ChainVerdict::Intact {
            rows: self.next_seq - 1,
            tip: self.previous,
        }
    }
}
