-- Verdicts as they were answered, what an auditor looks them up by, and what their replay needs.
-- Every key begins with the tenant. Digests are 'sha256:<hex>', times RFC 3339 in UTC unless a name says otherwise.
-- Texts that are compared or ordered collate as "C": by their bytes, as in every other database.

-- Refuses what a trigger watches for, with the words that the trigger gives.
CREATE FUNCTION imagegate_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

-- Row-level security by tenant, for a table and for each of its partitions. A transaction says whose rows it sees by
-- set_config('imagegate.tenant', …, true): a tenant, or '*' for all; one that says nothing sees nothing. FORCE, because
-- the service owns its tables.
CREATE FUNCTION imagegate_isolate(subject regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', subject);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', subject);
  EXECUTE format(
    'CREATE POLICY by_tenant ON %s USING (
       tenant = current_setting(''imagegate.tenant'', true) OR current_setting(''imagegate.tenant'', true) = ''*''
     )', subject);
END $$;

-- What every table of verdicts has, and each of its partitions: no TRUNCATE (which fires no trigger of rows) and
-- isolation of tenants.
CREATE FUNCTION imagegate_keep(subject regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'CREATE TRIGGER keep_all BEFORE TRUNCATE ON %s FOR EACH STATEMENT
       EXECUTE FUNCTION imagegate_refuse(''the record is append-only'')', subject);
  PERFORM imagegate_isolate(subject);
END $$;

-- Makes a table append-only, keeps its tenants apart, and gives it the partition that takes what no other does.
CREATE FUNCTION imagegate_append_only(subject regclass, words text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION imagegate_refuse(%L)', subject, words);
  PERFORM imagegate_keep(subject);
  IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = subject) THEN
    EXECUTE format('CREATE TABLE %s_default PARTITION OF %1$s DEFAULT', subject);
    PERFORM imagegate_keep((subject::text || '_default')::regclass);
  END IF;
END $$;

-- The partition of a table from one id to before another; false when it is there, or when the default partition has
-- taken such rows already, which then stay there. It is made beside the table and attached, so that nobody waits for more
-- than that.
CREATE FUNCTION imagegate_partition(subject regclass, suffix text, first_id text, next_id text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  name text := subject::text || '_' || suffix;
  key text := (
    SELECT attname FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid AND attnum = partattrs[0]
    WHERE partrelid = subject
  );
  taken boolean;
BEGIN
  IF to_regclass(name) IS NOT NULL THEN RETURN false; END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %1$s_default WHERE %2$I >= %3$L AND %2$I < %4$L)', subject, key, first_id, next_id)
    INTO taken;
  IF taken THEN RETURN false; END IF;
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name, subject);
  PERFORM imagegate_keep(name::regclass);
  EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', subject, name, first_id, next_id);
  RETURN true;
END $$;

CREATE TABLE verdicts (
  tenant text COLLATE "C" NOT NULL,
  -- UUID version 7. Its time lies close to recorded_at: a range of this key finds a range of time, recorded_at decides.
  id text COLLATE "C" NOT NULL,
  -- With milliseconds always, so that the order of texts is the order of times.
  recorded_at text COLLATE "C" NOT NULL,
  outcome text COLLATE "C" NOT NULL,
  family text COLLATE "C" NOT NULL,
  policy_version text COLLATE "C" NOT NULL,
  policy_digest text COLLATE "C" NOT NULL,
  os_type text COLLATE "C",
  os_id text COLLATE "C",
  os_version text COLLATE "C",
  image_name text COLLATE "C",
  image_digest text COLLATE "C",
  facts_digest text COLLATE "C" NOT NULL,
  document_digest text COLLATE "C" NOT NULL,
  record_digest text COLLATE "C" NOT NULL,
  -- The canonical form (RFC 8785), byte for byte as it was answered; record_digest is its SHA-256.
  body text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
) PARTITION BY RANGE (id);

CREATE INDEX verdicts_by_outcome ON verdicts (tenant, outcome, id);
CREATE INDEX verdicts_by_family ON verdicts (tenant, family, id);
CREATE INDEX verdicts_by_policy_version ON verdicts (tenant, policy_version, id);
CREATE INDEX verdicts_by_os_type ON verdicts (tenant, os_type, id) WHERE os_type IS NOT NULL;
CREATE INDEX verdicts_by_os_id ON verdicts (tenant, os_id, id) WHERE os_id IS NOT NULL;
CREATE INDEX verdicts_by_image_name ON verdicts (tenant, image_name, id) WHERE image_name IS NOT NULL;
CREATE INDEX verdicts_by_image_digest ON verdicts (tenant, image_digest, id) WHERE image_digest IS NOT NULL;

SELECT imagegate_append_only('verdicts', 'verdicts are append-only');

-- What did not pass: result is 'fail' or 'unknown'. All findings stand in the verdict's body.
CREATE TABLE findings (
  tenant text COLLATE "C" NOT NULL,
  rule text COLLATE "C" NOT NULL,
  result text COLLATE "C" NOT NULL,
  verdict_id text COLLATE "C" NOT NULL,
  severity text COLLATE "C" NOT NULL,
  effect text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, rule, result, verdict_id)
) PARTITION BY RANGE (verdict_id);

SELECT imagegate_append_only('findings', 'findings are append-only');

-- The pointers of the facts that a verdict lists as missing.
CREATE TABLE missing_facts (
  tenant text COLLATE "C" NOT NULL,
  pointer text COLLATE "C" NOT NULL,
  verdict_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, pointer, verdict_id)
) PARTITION BY RANGE (verdict_id);

SELECT imagegate_append_only('missing_facts', 'missing facts are append-only');

-- Canonical forms by their digest. Retention removes the body and leaves digest, time and reason.
CREATE TABLE fact_documents (
  tenant text COLLATE "C" NOT NULL,
  digest text COLLATE "C" NOT NULL,
  facts_digest text COLLATE "C" NOT NULL,
  first_recorded_at text COLLATE "C" NOT NULL,
  -- Of the last removal; they stay when the same document is sent again and its body is there again.
  removed_at text COLLATE "C",
  removal_reason text COLLATE "C",
  body text COLLATE "C",
  PRIMARY KEY (tenant, digest),
  CHECK ((removed_at IS NULL) = (removal_reason IS NULL)),
  CHECK (body IS NOT NULL OR removed_at IS NOT NULL)
);

-- Policy files as they were used, by the SHA-256 of their bytes. They belong to no tenant.
CREATE TABLE policy_bodies (
  digest text COLLATE "C" NOT NULL PRIMARY KEY,
  family text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  body text COLLATE "C" NOT NULL
);

CREATE TABLE idempotency_keys (
  tenant text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  verdict_id text COLLATE "C" NOT NULL,
  -- Milliseconds since 1970.
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
SELECT imagegate_isolate('idempotency_keys');

-- The one row that a readiness check writes, because only a committed write proves that writing works.
CREATE TABLE health (
  id integer NOT NULL PRIMARY KEY CHECK (id = 1),
  -- Milliseconds since 1970.
  checked_at bigint NOT NULL
);

CREATE TRIGGER keep_deleted BEFORE DELETE ON fact_documents FOR EACH ROW
  EXECUTE FUNCTION imagegate_refuse('fact documents are never deleted, only their bodies');
-- Two changes are lawful: a body goes, with time and reason; or it comes back as it was, and nothing else changes.
CREATE TRIGGER keep_updated BEFORE UPDATE ON fact_documents FOR EACH ROW
  WHEN (NOT (
    (NEW.tenant, NEW.digest, NEW.facts_digest, NEW.first_recorded_at)
      IS NOT DISTINCT FROM (OLD.tenant, OLD.digest, OLD.facts_digest, OLD.first_recorded_at)
    AND (
      (OLD.body IS NOT NULL AND NEW.body IS NULL AND NEW.removed_at IS NOT NULL AND NEW.removal_reason IS NOT NULL)
      OR (OLD.body IS NULL AND NEW.body IS NOT NULL
        AND (NEW.removed_at, NEW.removal_reason) IS NOT DISTINCT FROM (OLD.removed_at, OLD.removal_reason))
    )
  ))
  EXECUTE FUNCTION imagegate_refuse('the body of a fact document can only be removed, with time and reason');
SELECT imagegate_keep('fact_documents');

CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON policy_bodies FOR EACH ROW
  EXECUTE FUNCTION imagegate_refuse('policy bodies never change');
CREATE TRIGGER keep_all BEFORE TRUNCATE ON policy_bodies FOR EACH STATEMENT
  EXECUTE FUNCTION imagegate_refuse('policy bodies are never deleted');
