-- The spent tokens of changes that are made at most once. Only adds to the schema.

-- Token and request are stored as HMACs. The outcome is returned for a repeated call.
CREATE TABLE spent_tokens (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  actor_kind INTEGER NOT NULL,
  actor_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  kind INTEGER NOT NULL,
  token BLOB NOT NULL,
  request BLOB NOT NULL,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (workspace_id, actor_kind, actor_id, operation, kind, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_tokens_age ON spent_tokens (at);
