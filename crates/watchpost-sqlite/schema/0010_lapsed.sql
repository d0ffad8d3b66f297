-- Keys whose expiry has been observed. Only adds to the schema.

-- 1 from the first time at which a worker found the key expired. It stays expired, even if the clock is set back.
ALTER TABLE api_keys ADD COLUMN lapsed INTEGER NOT NULL DEFAULT 0;
