-- The number of rows of each list at its last complete read, for comparison with the next one. Only adds to the schema.

-- Why a list that the vendor returned without an error isn't complete.
ALTER TABLE collections ADD COLUMN doubt INTEGER;
-- The last complete read.
ALTER TABLE collections ADD COLUMN complete_rows INTEGER;
ALTER TABLE collections ADD COLUMN complete_at INTEGER;
-- The number of rows that a person has confirmed since then. The audit log has the person.
ALTER TABLE collections ADD COLUMN confirmed_rows INTEGER;
ALTER TABLE collections ADD COLUMN confirmed_at INTEGER;

UPDATE collections SET complete_rows = row_count, complete_at = finished_at WHERE state = 0;
-- Datasets 3 (roles) and 6 (apps) also counted the rows of a second list before this version.
UPDATE collections SET complete_rows = NULL WHERE dataset IN (3, 6);
