-- One finding for all rules and checks that judge the same condition. Only adds to the schema.

-- The condition if it differs from the rule's id; the other rules and checks that report the finding; their services as
-- bits; and the number of its rows in finding_sightings, which is 0 as long as only one rule has ever reported it.
ALTER TABLE findings ADD COLUMN condition TEXT;
ALTER TABLE findings ADD COLUMN also TEXT;
ALTER TABLE findings ADD COLUMN services INTEGER NOT NULL DEFAULT 0;
ALTER TABLE findings ADD COLUMN sightings INTEGER NOT NULL DEFAULT 0;
CREATE INDEX findings_also ON findings (workspace_id) WHERE also IS NOT NULL;

-- The sightings of a finding that several rules and checks have reported. The finding shows the worst one that holds.
CREATE TABLE finding_sightings (
  workspace_id INTEGER NOT NULL,
  finding_id BLOB NOT NULL,
  rule_id TEXT NOT NULL,
  service INTEGER,
  severity INTEGER NOT NULL,
  category INTEGER NOT NULL,
  scored INTEGER NOT NULL,
  platforms INTEGER NOT NULL,
  frameworks INTEGER NOT NULL,
  title TEXT NOT NULL,
  evidence TEXT NOT NULL,
  -- Ids of further apps, 16 bytes each.
  apps BLOB NOT NULL,
  holds INTEGER NOT NULL,
  seen_by BLOB NOT NULL,
  last_seen_at INTEGER NOT NULL,
  misses INTEGER NOT NULL DEFAULT 0,
  marks BLOB NOT NULL,
  PRIMARY KEY (workspace_id, finding_id, rule_id),
  FOREIGN KEY (workspace_id, finding_id) REFERENCES findings (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- Rules and checks whose findings must be moved to a condition. This is done when the file is next opened.
CREATE TABLE condition_moves (
  rule_id TEXT NOT NULL PRIMARY KEY,
  condition TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO condition_moves (rule_id, condition) VALUES
  ('exp.anyone_link_edit', 'spo.anyone_link_view'),
  ('exp.anyone_link_no_expiry', 'spo.anyone_link_expiry'),
  ('exp.direct_send_open', 'exo.direct_send_rejected'),
  ('exp.dmarc_missing', 'exo.dmarc_present'),
  ('exp.guest_as_member', 'entra.guest_limited'),
  ('exp.legacy_auth_open', 'entra.legacy_auth_blocked'),
  ('exp.teams_anonymous_join', 'teams.anonymous_join'),
  ('exp.teams_consumer_inbound', 'teams.unmanaged_inbound'),
  ('exp.teams_open_federation', 'teams.federation_by_domain');
