-- Verdicts as they were answered, what an auditor looks them up by, and what their replay needs.
-- Every key begins with the tenant. Digests are 'sha256:<hex>', times RFC 3339 in UTC unless a name says otherwise.

CREATE TABLE verdicts (
  tenant TEXT NOT NULL,
  -- UUID version 7. Its time lies close to recorded_at: a range of this key finds a range of time, recorded_at decides.
  id TEXT NOT NULL,
  -- With milliseconds always, so that the order of texts is the order of times.
  recorded_at TEXT NOT NULL,
  outcome TEXT NOT NULL,
  family TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  policy_digest TEXT NOT NULL,
  os_type TEXT,
  os_id TEXT,
  os_version TEXT,
  image_name TEXT,
  image_digest TEXT,
  facts_digest TEXT NOT NULL,
  document_digest TEXT NOT NULL,
  record_digest TEXT NOT NULL,
  -- The canonical form (RFC 8785), byte for byte as it was answered; record_digest is its SHA-256.
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX verdicts_by_outcome ON verdicts (tenant, outcome, id);
CREATE INDEX verdicts_by_family ON verdicts (tenant, family, id);
CREATE INDEX verdicts_by_policy_version ON verdicts (tenant, policy_version, id);
CREATE INDEX verdicts_by_os_type ON verdicts (tenant, os_type, id) WHERE os_type IS NOT NULL;
CREATE INDEX verdicts_by_os_id ON verdicts (tenant, os_id, id) WHERE os_id IS NOT NULL;
CREATE INDEX verdicts_by_image_name ON verdicts (tenant, image_name, id) WHERE image_name IS NOT NULL;
CREATE INDEX verdicts_by_image_digest ON verdicts (tenant, image_digest, id) WHERE image_digest IS NOT NULL;

-- What did not pass: result is 'fail' or 'unknown'. All findings stand in the verdict's body.
CREATE TABLE findings (
  tenant TEXT NOT NULL,
  rule TEXT NOT NULL,
  result TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  severity TEXT NOT NULL,
  effect TEXT NOT NULL,
  PRIMARY KEY (tenant, rule, result, verdict_id)
) STRICT, WITHOUT ROWID;

-- The pointers of the facts that a verdict lists as missing.
CREATE TABLE missing_facts (
  tenant TEXT NOT NULL,
  pointer TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  PRIMARY KEY (tenant, pointer, verdict_id)
) STRICT, WITHOUT ROWID;

-- Canonical forms by their digest. Retention removes the body and leaves digest, time and reason.
CREATE TABLE fact_documents (
  tenant TEXT NOT NULL,
  digest TEXT NOT NULL,
  facts_digest TEXT NOT NULL,
  first_recorded_at TEXT NOT NULL,
  -- Of the last removal; they stay when the same document is sent again and its body is there again.
  removed_at TEXT,
  removal_reason TEXT,
  body TEXT,
  PRIMARY KEY (tenant, digest),
  CHECK ((removed_at IS NULL) = (removal_reason IS NULL)),
  CHECK (body IS NOT NULL OR removed_at IS NOT NULL)
) STRICT;

-- Policy files as they were used, by the SHA-256 of their bytes. They belong to no tenant.
CREATE TABLE policy_bodies (
  digest TEXT NOT NULL PRIMARY KEY,
  family TEXT NOT NULL,
  version TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE idempotency_keys (
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  -- Milliseconds since 1970.
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- The one row that a readiness check writes, because only a committed write proves that writing works.
CREATE TABLE health (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  -- Milliseconds since 1970.
  checked_at INTEGER NOT NULL
) STRICT;

-- Append-only. INSERT OR REPLACE fires no delete trigger, so a taken key is refused before it. A trigger stops mistakes
-- and statements; whoever may change the schema or the file can remove it.

CREATE TRIGGER verdicts_keep_update BEFORE UPDATE ON verdicts
BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;
CREATE TRIGGER verdicts_keep_delete BEFORE DELETE ON verdicts
BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;
CREATE TRIGGER verdicts_keep_replace BEFORE INSERT ON verdicts
WHEN EXISTS (SELECT 1 FROM verdicts WHERE tenant = NEW.tenant AND id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;

CREATE TRIGGER findings_keep_update BEFORE UPDATE ON findings
BEGIN SELECT RAISE(ABORT, 'findings are append-only'); END;
CREATE TRIGGER findings_keep_delete BEFORE DELETE ON findings
BEGIN SELECT RAISE(ABORT, 'findings are append-only'); END;
CREATE TRIGGER findings_keep_replace BEFORE INSERT ON findings
WHEN EXISTS (
  SELECT 1 FROM findings
  WHERE tenant = NEW.tenant AND rule = NEW.rule AND result = NEW.result AND verdict_id = NEW.verdict_id
)
BEGIN SELECT RAISE(ABORT, 'findings are append-only'); END;

CREATE TRIGGER missing_facts_keep_update BEFORE UPDATE ON missing_facts
BEGIN SELECT RAISE(ABORT, 'missing facts are append-only'); END;
CREATE TRIGGER missing_facts_keep_delete BEFORE DELETE ON missing_facts
BEGIN SELECT RAISE(ABORT, 'missing facts are append-only'); END;
-- No trigger before an insert: a replaced row would hold nothing but the same key.

CREATE TRIGGER fact_documents_keep_delete BEFORE DELETE ON fact_documents
BEGIN SELECT RAISE(ABORT, 'fact documents are never deleted, only their bodies'); END;
-- Two changes are lawful: a body goes, with time and reason; or it comes back as it was, and nothing else changes.
CREATE TRIGGER fact_documents_keep_update BEFORE UPDATE ON fact_documents
WHEN NOT (
  NEW.tenant IS OLD.tenant AND NEW.digest IS OLD.digest AND NEW.facts_digest IS OLD.facts_digest
  AND NEW.first_recorded_at IS OLD.first_recorded_at
  AND (
    (OLD.body IS NOT NULL AND NEW.body IS NULL AND NEW.removed_at IS NOT NULL AND NEW.removal_reason IS NOT NULL)
    OR (OLD.body IS NULL AND NEW.body IS NOT NULL
      AND NEW.removed_at IS OLD.removed_at AND NEW.removal_reason IS OLD.removal_reason)
  )
)
BEGIN SELECT RAISE(ABORT, 'the body of a fact document can only be removed, with time and reason'); END;
CREATE TRIGGER fact_documents_keep_replace BEFORE INSERT ON fact_documents
WHEN EXISTS (SELECT 1 FROM fact_documents WHERE tenant = NEW.tenant AND digest = NEW.digest)
BEGIN SELECT RAISE(ABORT, 'a fact document is there already'); END;

CREATE TRIGGER policy_bodies_keep_update BEFORE UPDATE ON policy_bodies
BEGIN SELECT RAISE(ABORT, 'policy bodies never change'); END;
CREATE TRIGGER policy_bodies_keep_delete BEFORE DELETE ON policy_bodies
BEGIN SELECT RAISE(ABORT, 'policy bodies are never deleted'); END;
CREATE TRIGGER policy_bodies_keep_replace BEFORE INSERT ON policy_bodies
WHEN EXISTS (SELECT 1 FROM policy_bodies WHERE digest = NEW.digest)
BEGIN SELECT RAISE(ABORT, 'policy bodies never change'); END;

-- Fixed statistics instead of ANALYZE: where several filters hold, the plan follows the narrowest, today and in ten
-- years. Each list is the number of rows, then how many share the first, the first two, … columns of the index.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('verdicts', 'sqlite_autoindex_verdicts_1', '10000000 10000000 1'),
  ('verdicts', 'verdicts_by_outcome', '10000000 10000000 2500000 1'),
  ('verdicts', 'verdicts_by_family', '10000000 10000000 2400000 1'),
  ('verdicts', 'verdicts_by_policy_version', '10000000 10000000 1000000 1'),
  ('verdicts', 'verdicts_by_os_type', '10000000 10000000 2300000 1'),
  ('verdicts', 'verdicts_by_os_id', '10000000 10000000 500000 1'),
  ('verdicts', 'verdicts_by_image_name', '10000000 10000000 20 1'),
  ('verdicts', 'verdicts_by_image_digest', '10000000 10000000 5 1'),
  ('findings', 'findings', '30000000 30000000 300000 200000 1'),
  ('missing_facts', 'missing_facts', '30000000 30000000 300000 1');
