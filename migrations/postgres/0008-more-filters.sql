-- More that an auditor looks verdicts up by: who submitted them and by which request, severity and effect of what did not
-- pass, and text in image names.

SELECT set_config('imagegate.tenant', '*', true);

ALTER TABLE verdicts ADD COLUMN caller text COLLATE "C";
ALTER TABLE verdicts ADD COLUMN request_id text COLLATE "C";
ALTER TABLE verdicts DISABLE TRIGGER keep;
-- An escaped NUL is no text to PostgreSQL, and none stands in what is taken.
UPDATE verdicts SET caller = said ->> 'caller', request_id = said ->> 'requestId'
FROM (
  SELECT tenant, id, regexp_replace(body, '(\\\\)|\\u0000', '\1', 'g')::json -> 'submittedBy' AS said
  FROM verdicts WHERE body LIKE '%"submittedBy":%' OFFSET 0
) AS submitted
WHERE submitted.tenant = verdicts.tenant AND submitted.id = verdicts.id;
ALTER TABLE verdicts ENABLE TRIGGER keep;

CREATE INDEX verdicts_by_caller ON verdicts (tenant, caller, id) WHERE caller IS NOT NULL;
CREATE INDEX verdicts_by_request ON verdicts (tenant, request_id, id) WHERE request_id IS NOT NULL;

-- What kinds of findings did not pass: each severity, each effect and each pair of the two that a verdict has, once. The
-- other one is '' where only one is meant, so that each question is answered by one range of the key.
CREATE TABLE finding_kinds (
  tenant text COLLATE "C" NOT NULL,
  severity text COLLATE "C" NOT NULL,
  effect text COLLATE "C" NOT NULL,
  verdict_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, severity, effect, verdict_id)
) PARTITION BY RANGE (verdict_id);

SELECT imagegate_append_only('finding_kinds', 'findings are append-only');

INSERT INTO finding_kinds (tenant, severity, effect, verdict_id)
SELECT tenant, severity, effect, verdict_id FROM findings
UNION SELECT tenant, severity, '', verdict_id FROM findings
UNION SELECT tenant, '', effect, verdict_id FROM findings;

-- Every three characters in a row of an image's name, A to Z in lower case. A GIN index of pg_trgm could not serve here:
-- LIKE is not leakproof, so under row-level security it never becomes the condition of an index; nor would it give the
-- newest verdicts first.
CREATE TABLE image_trigrams (
  tenant text COLLATE "C" NOT NULL,
  trigram text COLLATE "C" NOT NULL,
  verdict_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, trigram, verdict_id)
) PARTITION BY RANGE (verdict_id);

SELECT imagegate_append_only('image_trigrams', 'image names are append-only');

INSERT INTO image_trigrams (tenant, trigram, verdict_id)
SELECT DISTINCT tenant, substr(lower(image_name), place, 3), id
FROM verdicts CROSS JOIN generate_series(1, length(image_name) - 2) AS place;
