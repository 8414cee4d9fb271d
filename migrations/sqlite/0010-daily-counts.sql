-- How many sealed verdicts there are, day by day (UTC), of each outcome, of each result of each rule, and that miss each
-- fact. A verdict is counted in the transaction that seals it, so the counts can be made again from the chain.

CREATE TABLE daily_counts (
  tenant TEXT NOT NULL,
  -- An outcome, a rule's result, or 'missing'.
  result TEXT NOT NULL,
  day TEXT NOT NULL,
  -- The rule's id, the missing fact's pointer, or '' for the outcome.
  subject TEXT NOT NULL,
  family TEXT NOT NULL,
  verdicts INTEGER NOT NULL CHECK (verdicts > 0),
  PRIMARY KEY (tenant, result, day, subject, family)
) STRICT, WITHOUT ROWID;

CREATE INDEX daily_counts_by_subject ON daily_counts (tenant, subject, day);

INSERT INTO daily_counts (tenant, result, day, subject, family, verdicts)
WITH sealed (tenant, day, family, outcome, body) AS (
  SELECT verdicts.tenant, substr(recorded_at, 1, 10), family, outcome, body
  FROM chain JOIN verdicts ON verdicts.tenant = chain.tenant AND verdicts.id = chain.verdict_id
)
SELECT tenant, outcome, day, '', family, count(*) FROM sealed GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT tenant, value ->> 'result', day, value ->> 'rule', family, count(*)
FROM sealed, json_each(body, '$.findings') GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT tenant, 'missing', day, value ->> 'pointer', family, count(*)
FROM sealed, json_each(body, '$.missing') GROUP BY 1, 2, 3, 4, 5;

CREATE TRIGGER daily_counts_keep_update BEFORE UPDATE OF verdicts ON daily_counts
WHEN NEW.verdicts <= OLD.verdicts
BEGIN SELECT RAISE(ABORT, 'a count only grows'); END;
CREATE TRIGGER daily_counts_keep_key BEFORE UPDATE OF tenant, result, day, subject, family ON daily_counts
BEGIN SELECT RAISE(ABORT, 'a count only grows'); END;
-- A replaced row fires no trigger of its own.
CREATE TRIGGER daily_counts_keep_insert BEFORE INSERT ON daily_counts
WHEN EXISTS (SELECT 1 FROM daily_counts WHERE (tenant, result, day, subject, family)
  = (NEW.tenant, NEW.result, NEW.day, NEW.subject, NEW.family))
BEGIN SELECT RAISE(ABORT, 'a count only grows'); END;
CREATE TRIGGER daily_counts_keep_delete BEFORE DELETE ON daily_counts
BEGIN SELECT RAISE(ABORT, 'a count only grows'); END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('daily_counts', 'daily_counts', '200000 200000 25000 200 2 1'),
  ('daily_counts', 'daily_counts_by_subject', '200000 200000 2000 6 3 1');
