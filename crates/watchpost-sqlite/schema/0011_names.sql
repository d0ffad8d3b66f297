-- The names of people in the forms in which they are compared. Only adds to the schema.

-- SQL's lower() changes ASCII letters alone, so the rows of earlier versions are filled when the file is next opened.
ALTER TABLE identities ADD COLUMN name_key TEXT;
ALTER TABLE identities ADD COLUMN name_words TEXT;
-- Only identities with an account that isn't retired are found by their name.
CREATE INDEX identities_name ON identities (workspace_id, name_key, id) WHERE accounts > 0;
CREATE INDEX identities_words ON identities (workspace_id, name_words, id) WHERE accounts > 0;
CREATE INDEX identities_unnamed ON identities (workspace_id, id) WHERE name_key IS NULL;
