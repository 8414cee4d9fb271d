-- What a candidate policy, which answers nobody, would have said beside the verdicts that were answered.
-- Each is made from what the verdict keeps: facts and options; the candidate's text stands in policy_bodies.

CREATE TABLE shadow_evaluations (
  tenant TEXT NOT NULL,
  candidate_digest TEXT NOT NULL,
  -- The verdict beside which it was made, in the same commit.
  verdict_id TEXT NOT NULL,
  policy_digest TEXT NOT NULL,
  from_outcome TEXT NOT NULL,
  to_outcome TEXT NOT NULL,
  -- How many rules differ, and each of them as JSON: {rule, from, to} with result and effect.
  differing INTEGER NOT NULL,
  differences TEXT NOT NULL,
  PRIMARY KEY (tenant, candidate_digest, verdict_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX shadow_evaluations_by_change
  ON shadow_evaluations (tenant, candidate_digest, from_outcome, to_outcome, verdict_id);
CREATE INDEX shadow_evaluations_differing
  ON shadow_evaluations (tenant, candidate_digest, verdict_id) WHERE differing > 0;

-- The rules that differ, to find verdicts by them.
CREATE TABLE shadow_differences (
  tenant TEXT NOT NULL,
  candidate_digest TEXT NOT NULL,
  rule TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  PRIMARY KEY (tenant, candidate_digest, rule, verdict_id)
) STRICT, WITHOUT ROWID;

-- Counted while writing, because counting millions of rows would keep a reader waiting. rule is '' where outcomes are
-- counted; result 'absent' is that of a rule which one of the two policies does not have.
CREATE TABLE shadow_counts (
  tenant TEXT NOT NULL,
  candidate_digest TEXT NOT NULL,
  rule TEXT NOT NULL,
  from_value TEXT NOT NULL,
  to_value TEXT NOT NULL,
  evaluations INTEGER NOT NULL,
  PRIMARY KEY (tenant, candidate_digest, rule, from_value, to_value)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER shadow_evaluations_keep_update BEFORE UPDATE ON shadow_evaluations
BEGIN SELECT RAISE(ABORT, 'shadow evaluations are append-only'); END;
CREATE TRIGGER shadow_evaluations_keep_delete BEFORE DELETE ON shadow_evaluations
BEGIN SELECT RAISE(ABORT, 'shadow evaluations are append-only'); END;
CREATE TRIGGER shadow_evaluations_keep_replace BEFORE INSERT ON shadow_evaluations
WHEN EXISTS (
  SELECT 1 FROM shadow_evaluations
  WHERE tenant = NEW.tenant AND candidate_digest = NEW.candidate_digest AND verdict_id = NEW.verdict_id
)
BEGIN SELECT RAISE(ABORT, 'shadow evaluations are append-only'); END;

CREATE TRIGGER shadow_differences_keep_update BEFORE UPDATE ON shadow_differences
BEGIN SELECT RAISE(ABORT, 'shadow differences are append-only'); END;
CREATE TRIGGER shadow_differences_keep_delete BEFORE DELETE ON shadow_differences
BEGIN SELECT RAISE(ABORT, 'shadow differences are append-only'); END;
-- No trigger before an insert: a replaced row would hold nothing but the same key.

CREATE TRIGGER shadow_counts_keep_delete BEFORE DELETE ON shadow_counts
BEGIN SELECT RAISE(ABORT, 'shadow counts only grow'); END;
CREATE TRIGGER shadow_counts_keep_update BEFORE UPDATE ON shadow_counts
WHEN NOT (
  NEW.tenant IS OLD.tenant AND NEW.candidate_digest IS OLD.candidate_digest AND NEW.rule IS OLD.rule
  AND NEW.from_value IS OLD.from_value AND NEW.to_value IS OLD.to_value AND NEW.evaluations = OLD.evaluations + 1
)
BEGIN SELECT RAISE(ABORT, 'shadow counts only grow'); END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('shadow_evaluations', 'shadow_evaluations', '10000000 10000000 1000000 1'),
  ('shadow_evaluations', 'shadow_evaluations_by_change', '10000000 10000000 1000000 400000 200000 1'),
  ('shadow_evaluations', 'shadow_evaluations_differing', '1000000 1000000 100000 1'),
  ('shadow_differences', 'shadow_differences', '2000000 2000000 200000 20000 1');
