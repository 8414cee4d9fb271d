-- Reads of the audit trail, each recorded before its answer leaves. docs/audit.md says what counts as one.

CREATE TABLE audit_reads (
  tenant text COLLATE "C" NOT NULL,
  -- UUID version 7 of the record itself; its time is exactly that of at.
  id text COLLATE "C" NOT NULL,
  at text COLLATE "C" NOT NULL,
  caller text COLLATE "C" NOT NULL,
  -- Separated by spaces.
  roles text COLLATE "C" NOT NULL,
  -- The operationId of the API description.
  operation text COLLATE "C" NOT NULL,
  -- The verdict that the address named, whether there is one or not.
  verdict_id text COLLATE "C",
  -- Canonical JSON of what stood in the path and in the query.
  request text COLLATE "C" NOT NULL,
  status integer NOT NULL,
  -- Records in the answer; NULL where that says nothing, as of a statistic.
  answered integer,
  request_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
) PARTITION BY RANGE (id);

CREATE INDEX audit_reads_by_caller ON audit_reads (tenant, caller, id);
CREATE INDEX audit_reads_by_operation ON audit_reads (tenant, operation, id);
CREATE INDEX audit_reads_by_both ON audit_reads (tenant, caller, operation, id);
CREATE INDEX audit_reads_by_verdict ON audit_reads (tenant, verdict_id, id) WHERE verdict_id IS NOT NULL;

SELECT imagegate_append_only('audit_reads', 'reads of the record are append-only');
