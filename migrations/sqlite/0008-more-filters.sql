-- More that an auditor looks verdicts up by: who submitted them and by which request, severity and effect of what did not
-- pass, and text in image names.

DROP TRIGGER verdicts_keep_update;
ALTER TABLE verdicts ADD COLUMN caller TEXT;
ALTER TABLE verdicts ADD COLUMN request_id TEXT;
UPDATE verdicts SET caller = body ->> '$.submittedBy.caller', request_id = body ->> '$.submittedBy.requestId'
WHERE body ->> '$.submittedBy' IS NOT NULL;
CREATE TRIGGER verdicts_keep_update BEFORE UPDATE ON verdicts
BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;

CREATE INDEX verdicts_by_caller ON verdicts (tenant, caller, id) WHERE caller IS NOT NULL;
CREATE INDEX verdicts_by_request ON verdicts (tenant, request_id, id) WHERE request_id IS NOT NULL;

-- What kinds of findings did not pass: each severity, each effect and each pair of the two that a verdict has, once. The
-- other one is '' where only one is meant, so that each question is answered by one range of the key.
CREATE TABLE finding_kinds (
  tenant TEXT NOT NULL,
  severity TEXT NOT NULL,
  effect TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  PRIMARY KEY (tenant, severity, effect, verdict_id)
) STRICT, WITHOUT ROWID;

INSERT INTO finding_kinds (tenant, severity, effect, verdict_id)
SELECT tenant, severity, effect, verdict_id FROM findings
UNION SELECT tenant, severity, '', verdict_id FROM findings
UNION SELECT tenant, '', effect, verdict_id FROM findings;

CREATE TRIGGER finding_kinds_keep_update BEFORE UPDATE ON finding_kinds
BEGIN SELECT RAISE(ABORT, 'findings are append-only'); END;
CREATE TRIGGER finding_kinds_keep_delete BEFORE DELETE ON finding_kinds
BEGIN SELECT RAISE(ABORT, 'findings are append-only'); END;
-- No trigger before an insert: a replaced row would hold nothing but the same key.

-- Names of at least three characters, A to Z in lower case. The rowid has the order of the ids: the time in the id, in
-- milliseconds since 2020, then the id's next 12 bits, then 10 bits that count from 0 to the next that is free.
CREATE VIRTUAL TABLE image_texts USING fts5 (
  text, tenant UNINDEXED, verdict_id UNINDEXED, tokenize = 'trigram case_sensitive 1', columnsize = 0
);

INSERT INTO image_texts (rowid, text, tenant, verdict_id)
WITH RECURSIVE named (id, tenant, text, digits, time) AS (
  SELECT id, tenant, lower(image_name), substr(id, 1, 8) || substr(id, 10, 4) || substr(id, 16, 3), 0 FROM verdicts
  WHERE length(image_name) >= 3
  UNION ALL
  SELECT id, tenant, text, substr(digits, 2), (time << 4) | (instr('0123456789abcdef', substr(digits, 1, 1)) - 1)
  FROM named WHERE digits <> ''
)
SELECT ((time - (1577836800000 << 12)) << 10) + row_number() OVER (PARTITION BY time ORDER BY id) - 1, text, tenant, id
FROM named WHERE digits = '' ORDER BY 1;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('verdicts', 'verdicts_by_caller', '10000000 10000000 100000 1'),
  ('verdicts', 'verdicts_by_request', '10000000 10000000 5 1'),
  ('finding_kinds', 'finding_kinds', '40000000 40000000 8000000 2500000 1');
