-- The hash chain over every verdict's record digest, one per tenant, and the signed checkpoints over it. docs/audit.md
-- says what they prove.

CREATE TABLE chain (
  tenant TEXT NOT NULL,
  -- From 1, without gaps.
  sequence INTEGER NOT NULL,
  verdict_id TEXT NOT NULL,
  record_digest TEXT NOT NULL,
  previous_link TEXT NOT NULL,
  -- SHA-256 over all of the above.
  link TEXT NOT NULL,
  PRIMARY KEY (tenant, sequence)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX chain_by_verdict ON chain (tenant, verdict_id);

-- Verdicts that are not in the chain yet: those from before it. A new verdict is sealed in its own commit.
CREATE TABLE unsealed (
  tenant TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  record_digest TEXT NOT NULL,
  PRIMARY KEY (tenant, verdict_id)
) STRICT, WITHOUT ROWID;

INSERT INTO unsealed (tenant, verdict_id, record_digest) SELECT tenant, id, record_digest FROM verdicts;

CREATE TABLE checkpoints (
  tenant TEXT NOT NULL,
  -- The segment, both ends included.
  from_sequence INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  -- The chain's link at its end, and the root of the Merkle tree over its links.
  link TEXT NOT NULL,
  root TEXT NOT NULL,
  at TEXT NOT NULL,
  -- SHA-256 of the public key.
  key TEXT NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (tenant, sequence)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER chain_keep_update BEFORE UPDATE ON chain
BEGIN SELECT RAISE(ABORT, 'the chain is append-only'); END;
CREATE TRIGGER chain_keep_delete BEFORE DELETE ON chain
BEGIN SELECT RAISE(ABORT, 'the chain is append-only'); END;
CREATE TRIGGER chain_keep_order BEFORE INSERT ON chain
WHEN NEW.sequence IS NOT 1 + coalesce((SELECT max(sequence) FROM chain WHERE tenant = NEW.tenant), 0)
  OR EXISTS (SELECT 1 FROM chain WHERE tenant = NEW.tenant AND verdict_id = NEW.verdict_id)
BEGIN SELECT RAISE(ABORT, 'an entry comes after the last one, once for each verdict'); END;

CREATE TRIGGER unsealed_keep_update BEFORE UPDATE ON unsealed
BEGIN SELECT RAISE(ABORT, 'a verdict waits for the chain until it is in it'); END;
CREATE TRIGGER unsealed_keep_delete BEFORE DELETE ON unsealed
WHEN NOT EXISTS (SELECT 1 FROM chain WHERE tenant = OLD.tenant AND verdict_id = OLD.verdict_id)
BEGIN SELECT RAISE(ABORT, 'a verdict waits for the chain until it is in it'); END;

CREATE TRIGGER checkpoints_keep_update BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoints_keep_delete BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoints_keep_order BEFORE INSERT ON checkpoints
WHEN NEW.from_sequence IS NOT 1 + coalesce((SELECT max(sequence) FROM checkpoints WHERE tenant = NEW.tenant), 0)
  OR NEW.sequence < NEW.from_sequence
BEGIN SELECT RAISE(ABORT, 'a checkpoint begins where the last one ended'); END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('chain', 'chain', '10000000 10000000 1'),
  ('chain', 'chain_by_verdict', '10000000 10000000 1'),
  ('unsealed', 'unsealed', '10000 10000 1'),
  ('checkpoints', 'checkpoints', '500000 500000 1');
