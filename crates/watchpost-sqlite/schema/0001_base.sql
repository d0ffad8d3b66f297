-- The first schema. The primary key of every tenant table begins with workspace_id, a small number that stands for the
-- workspace's id in this file. Likewise, `integration` is a small number within its workspace; it is never reused.
-- Words are stored as their code (the position in the closed list), ids as 16 bytes, times as milliseconds since 1970.
-- No request depends on a partial index: see the crate's root documentation.

CREATE TABLE instance (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  master_check BLOB NOT NULL,
  ready_at INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE workspaces (
  workspace_id INTEGER NOT NULL PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  generation INTEGER NOT NULL DEFAULT 1,
  key_generation INTEGER NOT NULL DEFAULT 1,
  identities INTEGER NOT NULL DEFAULT 0,
  last_integration INTEGER NOT NULL DEFAULT 0,
  last_sync INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE api_keys (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id BLOB NOT NULL,
  hash BLOB NOT NULL,
  prefix TEXT NOT NULL,
  label TEXT NOT NULL,
  scope INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  expires_at INTEGER,
  revoked_at INTEGER,
  PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE audit_entries (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  actor_kind INTEGER NOT NULL,
  actor_id TEXT NOT NULL,
  action TEXT NOT NULL,
  target_kind TEXT NOT NULL,
  target_id TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  channel TEXT NOT NULL,
  operation TEXT NOT NULL,
  arguments TEXT NOT NULL,
  prev_hash BLOB NOT NULL,
  row_hash BLOB NOT NULL,
  PRIMARY KEY (workspace_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_entries_keep BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END;

CREATE TABLE integrations (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  integration INTEGER NOT NULL,
  id BLOB NOT NULL,
  platform INTEGER NOT NULL,
  name TEXT NOT NULL,
  tenant_key TEXT,
  status INTEGER NOT NULL,
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_completed_at INTEGER,
  last_started_at INTEGER,
  failure_reason TEXT,
  failure_since INTEGER,
  -- 1 from the start of a removal. The row is deleted after all facts of the integration.
  removed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, integration)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX integrations_id ON integrations (workspace_id, id);

CREATE TABLE integration_secrets (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  field TEXT NOT NULL,
  key_version INTEGER NOT NULL,
  nonce BLOB NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (workspace_id, integration, field),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT, WITHOUT ROWID;

CREATE TABLE collections (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  dataset INTEGER NOT NULL,
  state INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  row_errors INTEGER NOT NULL,
  detail TEXT,
  finished_at INTEGER NOT NULL,
  completions INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, integration, dataset),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT, WITHOUT ROWID;

CREATE TABLE syncs (
  workspace_id INTEGER NOT NULL,
  sync INTEGER NOT NULL,
  id BLOB NOT NULL,
  integration INTEGER NOT NULL,
  state INTEGER NOT NULL,
  reason TEXT,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (workspace_id, sync),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX syncs_id ON syncs (workspace_id, id);
CREATE INDEX syncs_integration ON syncs (workspace_id, integration, sync);

CREATE TABLE jobs (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id BLOB NOT NULL,
  kind INTEGER NOT NULL,
  -- The integration of a sync, else empty. At most one job of a kind and subject is queued.
  subject BLOB NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  queued_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  owner TEXT,
  lease_until INTEGER,
  finished_at INTEGER,
  reason TEXT,
  progress TEXT,
  -- The API key that requested the job. NULL if the schedule or another caller has requested it too.
  key_id BLOB,
  PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX jobs_queued ON jobs (workspace_id, kind, subject) WHERE state = 0;
CREATE INDEX jobs_state ON jobs (state, queued_at);

CREATE TABLE identities (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id BLOB NOT NULL,
  email TEXT,
  display_name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  break_glass INTEGER NOT NULL DEFAULT 0,
  tagged_at INTEGER,
  -- The number of accounts that aren't retired.
  accounts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE identity_addresses (
  workspace_id INTEGER NOT NULL,
  address TEXT NOT NULL,
  identity_id BLOB NOT NULL,
  PRIMARY KEY (workspace_id, address),
  FOREIGN KEY (workspace_id, identity_id) REFERENCES identities (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_addresses_identity ON identity_addresses (workspace_id, identity_id);

-- Facts. `seen` is the last sync that saw the row, `content` a hash of its values. Accounts and apps that are gone are
-- retired but kept, since other rows refer to their ids; rows of the other tables are deleted.

CREATE TABLE accounts (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  vendor_id TEXT NOT NULL,
  id BLOB NOT NULL,
  identity_id BLOB NOT NULL,
  seen INTEGER NOT NULL,
  content INTEGER NOT NULL,
  retired INTEGER NOT NULL DEFAULT 0,
  login TEXT NOT NULL,
  email TEXT,
  aliases TEXT NOT NULL,
  display_name TEXT NOT NULL,
  status INTEGER NOT NULL,
  status_changed_at INTEGER,
  kind INTEGER NOT NULL,
  last_active_at INTEGER,
  last_active_known INTEGER NOT NULL,
  created_at INTEGER,
  department TEXT,
  title TEXT,
  manager_email TEXT,
  password_never_expires INTEGER,
  password_changed_at INTEGER,
  synced INTEGER,
  on_premises_id INTEGER,
  invitation_pending INTEGER,
  mailbox INTEGER,
  PRIMARY KEY (workspace_id, integration, vendor_id),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration),
  FOREIGN KEY (workspace_id, identity_id) REFERENCES identities (workspace_id, id)
) STRICT;
CREATE INDEX accounts_identity ON accounts (workspace_id, identity_id);

CREATE TABLE account_mfa (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  dataset INTEGER NOT NULL,
  vendor_id TEXT NOT NULL,
  seen INTEGER NOT NULL,
  content INTEGER NOT NULL,
  mfa INTEGER NOT NULL,
  methods TEXT NOT NULL,
  phishing_resistant INTEGER NOT NULL,
  weak_only INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, integration, dataset, vendor_id),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT;

CREATE TABLE roles (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  dataset INTEGER NOT NULL,
  vendor_id TEXT NOT NULL,
  seen INTEGER NOT NULL,
  content INTEGER NOT NULL,
  principal_vendor_id TEXT NOT NULL,
  role_key TEXT NOT NULL,
  role_name TEXT NOT NULL,
  privileged INTEGER NOT NULL,
  super_admin INTEGER NOT NULL,
  hold INTEGER NOT NULL,
  via_group TEXT,
  ends_at INTEGER,
  PRIMARY KEY (workspace_id, integration, dataset, vendor_id),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT;
CREATE INDEX roles_principal ON roles (workspace_id, integration, principal_vendor_id);

CREATE TABLE apps (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  vendor_id TEXT NOT NULL,
  id BLOB NOT NULL,
  seen INTEGER NOT NULL,
  content INTEGER NOT NULL,
  retired INTEGER NOT NULL DEFAULT 0,
  policy INTEGER NOT NULL DEFAULT 0,
  policy_set_at INTEGER,
  first_seen_at INTEGER NOT NULL,
  name TEXT NOT NULL,
  -- The name and the client id in the form in which they are compared: trimmed, in lower case.
  name_key TEXT NOT NULL,
  client_key TEXT,
  client_id TEXT,
  publisher TEXT,
  publisher_verified INTEGER,
  first_party INTEGER NOT NULL,
  own_registration INTEGER,
  enabled INTEGER NOT NULL,
  created_at INTEGER,
  sign_on_mode TEXT,
  deprovisioning INTEGER,
  credentials TEXT NOT NULL,
  -- The usage. Computed whenever a collection of a dataset that determines it ends.
  accounts INTEGER NOT NULL DEFAULT 0,
  grants INTEGER NOT NULL DEFAULT 0,
  risk INTEGER,
  scopes TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (workspace_id, integration, vendor_id),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT;
CREATE UNIQUE INDEX apps_id ON apps (workspace_id, id);
CREATE INDEX apps_name ON apps (workspace_id, name_key, id);
CREATE INDEX apps_client ON apps (workspace_id, client_key);

CREATE TABLE app_owners (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  dataset INTEGER NOT NULL,
  vendor_id TEXT NOT NULL,
  seen INTEGER NOT NULL,
  content INTEGER NOT NULL,
  app_vendor_id TEXT NOT NULL,
  account_vendor_id TEXT NOT NULL,
  PRIMARY KEY (workspace_id, integration, dataset, vendor_id),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT;
CREATE INDEX app_owners_app ON app_owners (workspace_id, integration, app_vendor_id);

CREATE TABLE grants (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  dataset INTEGER NOT NULL,
  vendor_id TEXT NOT NULL,
  seen INTEGER NOT NULL,
  content INTEGER NOT NULL,
  app_vendor_id TEXT,
  account_vendor_id TEXT,
  kind INTEGER NOT NULL,
  name TEXT,
  scopes TEXT NOT NULL,
  risk INTEGER NOT NULL,
  created_at INTEGER,
  last_used_at INTEGER,
  last_used_known INTEGER NOT NULL,
  expires_at INTEGER,
  never_expires INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, integration, dataset, vendor_id),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT;
CREATE INDEX grants_account ON grants (workspace_id, integration, account_vendor_id, risk);
CREATE INDEX grants_app ON grants (workspace_id, integration, app_vendor_id, kind, risk);

CREATE TABLE settings (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  dataset INTEGER NOT NULL,
  vendor_id TEXT NOT NULL,
  seen INTEGER NOT NULL,
  content INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (workspace_id, integration, dataset, vendor_id),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT;

-- Findings. `findings` holds what lists show. `finding_details` holds what is needed only for a single finding or by the
-- analysis, and what each analysis writes, so that the rows of `findings` stay small.

CREATE TABLE findings (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id BLOB NOT NULL,
  status INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  category INTEGER NOT NULL,
  scored INTEGER NOT NULL,
  first_seen_at INTEGER NOT NULL,
  entity_type INTEGER NOT NULL,
  entity_id BLOB NOT NULL,
  rule_id TEXT NOT NULL,
  -- The platforms of the finding, one bit each.
  platforms INTEGER NOT NULL,
  -- The number of the finding's rows in finding_apps.
  apps INTEGER NOT NULL,
  title TEXT NOT NULL,
  subject_name TEXT NOT NULL,
  subject_email TEXT,
  status_changed_at INTEGER NOT NULL,
  snoozed_until INTEGER,
  dismiss_reason INTEGER,
  auto_resolved INTEGER NOT NULL DEFAULT 0,
  reopen_count INTEGER NOT NULL DEFAULT 0,
  fingerprint BLOB NOT NULL,
  PRIMARY KEY (workspace_id, id)
) STRICT;
CREATE UNIQUE INDEX findings_fingerprint ON findings (workspace_id, fingerprint);
CREATE INDEX findings_order ON findings (workspace_id, status, severity, scored, first_seen_at DESC, id);
CREATE INDEX findings_category ON findings (workspace_id, category, status, severity, scored, first_seen_at DESC, id);
CREATE INDEX findings_entity ON findings (workspace_id, entity_type, entity_id);
CREATE INDEX findings_snoozed ON findings (workspace_id, snoozed_until) WHERE snoozed_until IS NOT NULL;

CREATE TABLE finding_details (
  workspace_id INTEGER NOT NULL,
  finding_id BLOB NOT NULL,
  seen_by BLOB NOT NULL,
  last_seen_at INTEGER NOT NULL,
  misses INTEGER NOT NULL DEFAULT 0,
  marks BLOB NOT NULL,
  evidence TEXT NOT NULL,
  note TEXT,
  PRIMARY KEY (workspace_id, finding_id),
  FOREIGN KEY (workspace_id, finding_id) REFERENCES findings (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding_apps (
  workspace_id INTEGER NOT NULL,
  finding_id BLOB NOT NULL,
  app_id BLOB NOT NULL,
  PRIMARY KEY (workspace_id, finding_id, app_id),
  FOREIGN KEY (workspace_id, finding_id) REFERENCES findings (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_apps_app ON finding_apps (workspace_id, app_id);

CREATE TABLE finding_counts (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  status INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  category INTEGER NOT NULL,
  scored INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, status, severity, category, scored)
) STRICT, WITHOUT ROWID;

-- The full-text index of findings, by their rowid. It keeps no copy of the text.
CREATE VIRTUAL TABLE findings_text USING fts5 (
  words, rule, platforms,
  content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE snapshots (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  at INTEGER NOT NULL,
  analysis_id BLOB NOT NULL,
  score INTEGER NOT NULL,
  live_critical INTEGER NOT NULL,
  live_high INTEGER NOT NULL,
  live_medium INTEGER NOT NULL,
  live_low INTEGER NOT NULL,
  live_info INTEGER NOT NULL,
  identities INTEGER NOT NULL,
  mfa_on INTEGER NOT NULL,
  mfa_off INTEGER NOT NULL,
  mfa_unknown INTEGER NOT NULL,
  admin_mfa_on INTEGER NOT NULL,
  admin_mfa_off INTEGER NOT NULL,
  admin_mfa_unknown INTEGER NOT NULL,
  sso_on INTEGER NOT NULL,
  sso_off INTEGER NOT NULL,
  sso_unknown INTEGER NOT NULL,
  admins INTEGER NOT NULL,
  unreviewed_apps INTEGER NOT NULL,
  stale_accounts INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, at, analysis_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE remediations (
  workspace_id INTEGER NOT NULL,
  id BLOB NOT NULL,
  finding_id BLOB NOT NULL,
  finding_title TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  state INTEGER NOT NULL,
  note TEXT,
  requested_at INTEGER NOT NULL,
  requested_by TEXT NOT NULL,
  decided_at INTEGER,
  PRIMARY KEY (workspace_id, id),
  FOREIGN KEY (workspace_id, finding_id) REFERENCES findings (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX remediations_finding ON remediations (workspace_id, finding_id);
CREATE INDEX remediations_requested ON remediations (workspace_id, requested_at DESC, id DESC);
