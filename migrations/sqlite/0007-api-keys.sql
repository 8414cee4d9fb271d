-- API keys: who may call, for which tenant and in which role. A key's text is nowhere: it holds 256 random bits, so that
-- its SHA-256 is enough to know it by and tells nothing of it.

CREATE TABLE api_keys (
  -- Not after the tenant, as in other keys: a request names its key before anybody knows its tenant.
  id TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('submitter', 'reader', 'auditor', 'operator', 'admin')),
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  created_at TEXT NOT NULL,
  -- With milliseconds always, so that the order of texts is the order of times.
  expires_at TEXT,
  revoked_at TEXT
) STRICT;

CREATE INDEX api_keys_by_tenant ON api_keys (tenant, id);

CREATE TRIGGER api_keys_keep_delete BEFORE DELETE ON api_keys
BEGIN SELECT RAISE(ABORT, 'API keys are never deleted, only revoked'); END;
-- A key can end sooner or be revoked; nothing makes it live longer or be another's.
CREATE TRIGGER api_keys_keep_update BEFORE UPDATE ON api_keys
WHEN NOT (
  NEW.id IS OLD.id AND NEW.tenant IS OLD.tenant AND NEW.role IS OLD.role AND NEW.name IS OLD.name
  AND NEW.digest IS OLD.digest AND NEW.created_at IS OLD.created_at
  AND (NEW.expires_at IS OLD.expires_at OR OLD.expires_at IS NULL OR coalesce(NEW.expires_at < OLD.expires_at, 0))
  AND (NEW.revoked_at IS OLD.revoked_at OR OLD.revoked_at IS NULL)
)
BEGIN SELECT RAISE(ABORT, 'API keys only end'); END;
CREATE TRIGGER api_keys_keep_replace BEFORE INSERT ON api_keys
WHEN EXISTS (SELECT 1 FROM api_keys WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an API key is there already'); END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('api_keys', 'sqlite_autoindex_api_keys_1', '10000 1'),
  ('api_keys', 'api_keys_by_tenant', '10000 100 1');
