-- How many sealed verdicts there are, day by day (UTC), of each outcome, of each result of each rule, and that miss each
-- fact. A verdict is counted in the transaction that seals it, so the counts can be made again from the chain.

SELECT set_config('imagegate.tenant', '*', true);

-- Room in each page for the next versions of its rows, so that a count grows without a new entry in an index.
CREATE TABLE daily_counts (
  tenant text COLLATE "C" NOT NULL,
  -- An outcome, a rule's result, or 'missing'.
  result text COLLATE "C" NOT NULL,
  day text COLLATE "C" NOT NULL,
  -- The rule's id, the missing fact's pointer, or '' for the outcome.
  subject text COLLATE "C" NOT NULL,
  family text COLLATE "C" NOT NULL,
  verdicts bigint NOT NULL CHECK (verdicts > 0),
  PRIMARY KEY (tenant, result, day, subject, family)
) WITH (fillfactor = 50);

CREATE INDEX daily_counts_by_subject ON daily_counts (tenant, subject, day);

-- An escaped NUL is no text to PostgreSQL, and none stands in what is counted.
INSERT INTO daily_counts (tenant, result, day, subject, family, verdicts)
SELECT tenant, result, day, subject, family, count(*)
FROM chain JOIN LATERAL (
  SELECT outcome, left(recorded_at, 10) AS day, family, regexp_replace(body, '(\\\\)|\\u0000', '\1', 'g')::json AS body
  FROM verdicts WHERE verdicts.tenant = chain.tenant AND verdicts.id = chain.verdict_id OFFSET 0
) AS verdict ON true CROSS JOIN LATERAL (
  SELECT outcome, ''
  UNION ALL SELECT finding ->> 'result', finding ->> 'rule' FROM json_array_elements(body -> 'findings') AS finding
  UNION ALL SELECT 'missing', fact ->> 'pointer' FROM json_array_elements(body -> 'missing') AS fact
) AS counted (result, subject)
GROUP BY 1, 2, 3, 4, 5;

CREATE TRIGGER keep_updated BEFORE UPDATE ON daily_counts FOR EACH ROW
  WHEN (NEW.verdicts <= OLD.verdicts
    OR (NEW.tenant, NEW.result, NEW.day, NEW.subject, NEW.family)
      IS DISTINCT FROM (OLD.tenant, OLD.result, OLD.day, OLD.subject, OLD.family))
  EXECUTE FUNCTION imagegate_refuse('a count only grows');
CREATE TRIGGER keep_deleted BEFORE DELETE ON daily_counts FOR EACH ROW
  EXECUTE FUNCTION imagegate_refuse('a count only grows');
SELECT imagegate_keep('daily_counts');
