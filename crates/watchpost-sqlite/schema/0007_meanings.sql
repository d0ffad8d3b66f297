-- What vendors' data can leave unknown, and the limits of tokens. Only adds to the schema.

ALTER TABLE accounts ADD COLUMN password_expiry_exempt INTEGER;

-- Whether `phishing_resistant` and `weak_only` are known. Earlier rows are known.
ALTER TABLE account_mfa ADD COLUMN phishing_resistant_known INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account_mfa ADD COLUMN weak_only_known INTEGER NOT NULL DEFAULT 1;

-- The networks from which a token works; null if unknown.
ALTER TABLE grants ADD COLUMN network INTEGER;

-- Whether the app has a grant without an account, which is for the whole tenant. Computed with the rest of the usage.
ALTER TABLE apps ADD COLUMN tenant_wide INTEGER NOT NULL DEFAULT 0;
