-- Scans with their settings and results, schedules, exemptions. Only adds to the schema.

-- The service of a check's finding, NULL for a rule's. The frameworks in which the check or rule has an id, one bit each.
ALTER TABLE findings ADD COLUMN service INTEGER;
ALTER TABLE findings ADD COLUMN frameworks INTEGER NOT NULL DEFAULT 0;
CREATE INDEX findings_service ON findings (workspace_id, service, status, severity, first_seen_at DESC, id);

CREATE TABLE scans (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id BLOB NOT NULL,
  integration INTEGER NOT NULL,
  scan_type INTEGER NOT NULL,
  state INTEGER NOT NULL,
  trigger INTEGER NOT NULL,
  fresh INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  reason TEXT,
  job BLOB,
  -- Twelve numbers: see `counts_text` in src/table/scans/row.rs.
  counts TEXT NOT NULL DEFAULT '',
  -- The counts by framework and by service, for trends.
  frameworks TEXT NOT NULL DEFAULT '',
  services TEXT NOT NULL DEFAULT '',
  settings_read INTEGER NOT NULL DEFAULT 0,
  settings_unread INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX scans_of ON scans (workspace_id, integration, scan_type, state, id);
-- At most one unfinished scan for each integration.
CREATE UNIQUE INDEX scans_unfinished ON scans (workspace_id, integration) WHERE state IN (0, 1);

-- The results of checks. A result that several scans have is stored once.
CREATE TABLE result_bodies (
  workspace_id INTEGER NOT NULL,
  check_id TEXT NOT NULL,
  content INTEGER NOT NULL,
  reason TEXT NOT NULL,
  detected TEXT,
  evidence TEXT NOT NULL,
  entities TEXT NOT NULL,
  would_pass TEXT,
  PRIMARY KEY (workspace_id, check_id, content)
) STRICT, WITHOUT ROWID;

CREATE TABLE scan_results (
  workspace_id INTEGER NOT NULL,
  scan_id BLOB NOT NULL,
  check_id TEXT NOT NULL,
  title TEXT NOT NULL,
  severity INTEGER NOT NULL,
  service INTEGER NOT NULL,
  frameworks TEXT NOT NULL,
  result INTEGER NOT NULL,
  skip INTEGER,
  entities INTEGER NOT NULL,
  content INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, scan_id, check_id),
  FOREIGN KEY (workspace_id, scan_id) REFERENCES scans (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- Setting documents by their SHA-256. A document that several scans have read is stored once.
CREATE TABLE setting_bodies (
  workspace_id INTEGER NOT NULL,
  hash BLOB NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (workspace_id, hash)
) STRICT;

CREATE TABLE scan_settings (
  workspace_id INTEGER NOT NULL,
  scan_id BLOB NOT NULL,
  path TEXT NOT NULL,
  state INTEGER NOT NULL,
  detail TEXT,
  source TEXT NOT NULL,
  read_at INTEGER NOT NULL,
  hash BLOB,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, scan_id, path),
  FOREIGN KEY (workspace_id, scan_id) REFERENCES scans (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX scan_settings_hash ON scan_settings (workspace_id, hash);

CREATE TABLE schedules (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  integration INTEGER NOT NULL,
  -- The types of scan, one bit each.
  scan_types INTEGER NOT NULL,
  recurrence TEXT NOT NULL,
  zone TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  last_triggered_at INTEGER,
  next_at INTEGER,
  -- The types that wait for another scan of the integration to end, one bit each.
  pending INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE exemptions (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id BLOB NOT NULL,
  check_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity TEXT NOT NULL,
  reason TEXT NOT NULL,
  owner TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  until INTEGER,
  PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
