-- Reads of the audit trail, each recorded before its answer leaves. docs/audit.md says what counts as one.

CREATE TABLE audit_reads (
  tenant TEXT NOT NULL,
  -- UUID version 7 of the record itself; its time is exactly that of at.
  id TEXT NOT NULL,
  at TEXT NOT NULL,
  caller TEXT NOT NULL,
  -- Separated by spaces.
  roles TEXT NOT NULL,
  -- The operationId of the API description.
  operation TEXT NOT NULL,
  -- The verdict that the address named, whether there is one or not.
  verdict_id TEXT,
  -- Canonical JSON of what stood in the path and in the query.
  request TEXT NOT NULL,
  status INTEGER NOT NULL,
  -- Records in the answer; NULL where that says nothing, as of a statistic.
  answered INTEGER,
  request_id TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_reads_by_caller ON audit_reads (tenant, caller, id);
CREATE INDEX audit_reads_by_operation ON audit_reads (tenant, operation, id);
CREATE INDEX audit_reads_by_both ON audit_reads (tenant, caller, operation, id);
CREATE INDEX audit_reads_by_verdict ON audit_reads (tenant, verdict_id, id) WHERE verdict_id IS NOT NULL;

CREATE TRIGGER audit_reads_keep_update BEFORE UPDATE ON audit_reads
BEGIN SELECT RAISE(ABORT, 'reads of the record are append-only'); END;
CREATE TRIGGER audit_reads_keep_delete BEFORE DELETE ON audit_reads
BEGIN SELECT RAISE(ABORT, 'reads of the record are append-only'); END;
CREATE TRIGGER audit_reads_keep_replace BEFORE INSERT ON audit_reads
WHEN EXISTS (SELECT 1 FROM audit_reads WHERE tenant = NEW.tenant AND id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'reads of the record are append-only'); END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('audit_reads', 'audit_reads', '10000000 10000000 1'),
  ('audit_reads', 'audit_reads_by_caller', '10000000 10000000 100000 1'),
  ('audit_reads', 'audit_reads_by_operation', '10000000 10000000 1000000 1'),
  ('audit_reads', 'audit_reads_by_both', '10000000 10000000 100000 20000 1'),
  ('audit_reads', 'audit_reads_by_verdict', '10000000 10000000 5 1');
