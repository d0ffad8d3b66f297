-- Imports: the results of other scanners. Only adds to the schema.

-- One row for each file. An import is staged and not visible (state 0), kept with its batches (1), or abandoned (2), in
-- which case its rows are being deleted. The hash is set to NULL when a batch of the file is removed with its
-- integration, so that the file can be imported again.
CREATE TABLE imports (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  import INTEGER NOT NULL,
  id BLOB NOT NULL,
  state INTEGER NOT NULL,
  touched_at INTEGER NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  sha256 TEXT,
  bytes INTEGER NOT NULL DEFAULT 0,
  kept_at INTEGER,
  PRIMARY KEY (workspace_id, import)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX imports_id ON imports (workspace_id, id);
CREATE UNIQUE INDEX imports_file ON imports (workspace_id, sha256) WHERE state = 1 AND sha256 IS NOT NULL;

CREATE TABLE import_batches (
  workspace_id INTEGER NOT NULL,
  id BLOB NOT NULL,
  import INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  format INTEGER NOT NULL,
  tool INTEGER NOT NULL,
  tool_version TEXT NOT NULL,
  tenant_key TEXT NOT NULL,
  tenant_name TEXT NOT NULL,
  ran_at INTEGER,
  -- The time that decides which of a tool's runs is the latest.
  as_of INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  rows_ok INTEGER NOT NULL,
  rows_skipped INTEGER NOT NULL,
  rows_not_run INTEGER NOT NULL,
  partial INTEGER NOT NULL,
  errors TEXT NOT NULL,
  settings INTEGER NOT NULL,
  -- The counts of passed, failed, skipped, errors and excepted results.
  results TEXT NOT NULL,
  checks INTEGER NOT NULL,
  scans TEXT NOT NULL,
  PRIMARY KEY (workspace_id, id),
  FOREIGN KEY (workspace_id, import) REFERENCES imports (workspace_id, import)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_batches_file ON import_batches (workspace_id, import, batch);
CREATE INDEX import_batches_of ON import_batches (workspace_id, integration, tool, as_of);

CREATE TABLE import_results (
  workspace_id INTEGER NOT NULL,
  import INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  position INTEGER NOT NULL,
  control TEXT NOT NULL,
  check_id TEXT,
  title TEXT NOT NULL,
  result INTEGER NOT NULL,
  skip INTEGER,
  severity INTEGER NOT NULL,
  service INTEGER NOT NULL,
  details TEXT NOT NULL,
  entity_kind TEXT,
  entity_id TEXT,
  entity_name TEXT,
  frameworks TEXT NOT NULL,
  exception INTEGER,
  exception_reason TEXT,
  exception_until INTEGER,
  fingerprint TEXT NOT NULL,
  PRIMARY KEY (workspace_id, import, batch, position),
  FOREIGN KEY (workspace_id, import) REFERENCES imports (workspace_id, import)
) STRICT, WITHOUT ROWID;

-- The verdicts of a batch on Watchpost's checks.
CREATE TABLE import_verdicts (
  workspace_id INTEGER NOT NULL,
  batch_id BLOB NOT NULL,
  check_id TEXT NOT NULL,
  control TEXT NOT NULL,
  result INTEGER NOT NULL,
  skip INTEGER,
  exception INTEGER,
  reason TEXT NOT NULL,
  rows TEXT NOT NULL,
  PRIMARY KEY (workspace_id, batch_id, check_id),
  FOREIGN KEY (workspace_id, batch_id) REFERENCES import_batches (workspace_id, id)
) STRICT, WITHOUT ROWID;
