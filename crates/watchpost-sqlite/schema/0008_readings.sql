-- Datasets that are read with a request for each account or app. Only adds to the schema.

-- The last reading of an account or app. `read_in` is the sync that read it, `listed_in` the last sync that read it or kept
-- what was read before.
CREATE TABLE entity_readings (
  workspace_id INTEGER NOT NULL,
  integration INTEGER NOT NULL,
  dataset INTEGER NOT NULL,
  entity TEXT NOT NULL,
  read_at INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  read_in INTEGER NOT NULL,
  listed_in INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, integration, dataset, entity),
  FOREIGN KEY (workspace_id, integration) REFERENCES integrations (workspace_id, integration)
) STRICT;
