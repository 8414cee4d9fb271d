-- API keys: who may call, for which tenant and in which role. A key's text is nowhere: it holds 256 random bits, so that
-- its SHA-256 is enough to know it by and tells nothing of it.

CREATE TABLE api_keys (
  -- Not after the tenant, as in other keys: a request names its key before anybody knows its tenant.
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL CHECK (role IN ('submitter', 'reader', 'auditor', 'operator', 'admin')),
  name text COLLATE "C" NOT NULL,
  digest text COLLATE "C" NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  -- With milliseconds always, so that the order of texts is the order of times.
  expires_at text COLLATE "C",
  revoked_at text COLLATE "C"
);

CREATE INDEX api_keys_by_tenant ON api_keys (tenant, id);

CREATE TRIGGER keep_deleted BEFORE DELETE ON api_keys FOR EACH ROW
  EXECUTE FUNCTION imagegate_refuse('API keys are never deleted, only revoked');
-- A key can end sooner or be revoked; nothing makes it live longer or be another's.
CREATE TRIGGER keep_updated BEFORE UPDATE ON api_keys FOR EACH ROW
  WHEN (NOT (
    (NEW.id, NEW.tenant, NEW.role, NEW.name, NEW.digest, NEW.created_at)
      IS NOT DISTINCT FROM (OLD.id, OLD.tenant, OLD.role, OLD.name, OLD.digest, OLD.created_at)
    AND (NEW.expires_at IS NOT DISTINCT FROM OLD.expires_at OR OLD.expires_at IS NULL
      OR coalesce(NEW.expires_at < OLD.expires_at, false))
    AND (NEW.revoked_at IS NOT DISTINCT FROM OLD.revoked_at OR OLD.revoked_at IS NULL)
  ))
  EXECUTE FUNCTION imagegate_refuse('API keys only end');
SELECT imagegate_keep('api_keys');
