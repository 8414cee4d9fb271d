-- What a candidate policy, which answers nobody, would have said beside the verdicts that were answered.
-- Each is made from what the verdict keeps: facts and options; the candidate's text stands in policy_bodies.

CREATE TABLE shadow_evaluations (
  tenant text COLLATE "C" NOT NULL,
  candidate_digest text COLLATE "C" NOT NULL,
  -- The verdict beside which it was made, in the same commit.
  verdict_id text COLLATE "C" NOT NULL,
  policy_digest text COLLATE "C" NOT NULL,
  from_outcome text COLLATE "C" NOT NULL,
  to_outcome text COLLATE "C" NOT NULL,
  -- How many rules differ, and each of them as JSON: {rule, from, to} with result and effect.
  differing integer NOT NULL,
  differences text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, candidate_digest, verdict_id)
) PARTITION BY RANGE (verdict_id);

CREATE INDEX shadow_evaluations_by_change
  ON shadow_evaluations (tenant, candidate_digest, from_outcome, to_outcome, verdict_id);
CREATE INDEX shadow_evaluations_differing
  ON shadow_evaluations (tenant, candidate_digest, verdict_id) WHERE differing > 0;

SELECT imagegate_append_only('shadow_evaluations', 'shadow evaluations are append-only');

-- The rules that differ, to find verdicts by them.
CREATE TABLE shadow_differences (
  tenant text COLLATE "C" NOT NULL,
  candidate_digest text COLLATE "C" NOT NULL,
  rule text COLLATE "C" NOT NULL,
  verdict_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, candidate_digest, rule, verdict_id)
) PARTITION BY RANGE (verdict_id);

SELECT imagegate_append_only('shadow_differences', 'shadow differences are append-only');

-- Counted while writing, because counting millions of rows would keep a reader waiting. rule is '' where outcomes are
-- counted; result 'absent' is that of a rule which one of the two policies does not have.
CREATE TABLE shadow_counts (
  tenant text COLLATE "C" NOT NULL,
  candidate_digest text COLLATE "C" NOT NULL,
  rule text COLLATE "C" NOT NULL,
  from_value text COLLATE "C" NOT NULL,
  to_value text COLLATE "C" NOT NULL,
  evaluations bigint NOT NULL,
  PRIMARY KEY (tenant, candidate_digest, rule, from_value, to_value)
);

CREATE TRIGGER keep_deleted BEFORE DELETE ON shadow_counts FOR EACH ROW
  EXECUTE FUNCTION imagegate_refuse('shadow counts only grow');
CREATE TRIGGER keep_updated BEFORE UPDATE ON shadow_counts FOR EACH ROW
  WHEN (NOT (
    (NEW.tenant, NEW.candidate_digest, NEW.rule, NEW.from_value, NEW.to_value)
      IS NOT DISTINCT FROM (OLD.tenant, OLD.candidate_digest, OLD.rule, OLD.from_value, OLD.to_value)
    AND NEW.evaluations > OLD.evaluations
  ))
  EXECUTE FUNCTION imagegate_refuse('shadow counts only grow');
SELECT imagegate_keep('shadow_counts');
