-- Whether an integration's current failure is one that a new credential ends. Only adds to the schema.

ALTER TABLE integrations ADD COLUMN failure_credential INTEGER NOT NULL DEFAULT 0;
-- Earlier versions stored only the sentence, which begins like this for a vendor that rejects the credential.
UPDATE integrations SET failure_credential = 1 WHERE failure_reason LIKE 'authentication failed: %';
