-- The hash chain over every verdict's record digest, one per tenant, and the signed checkpoints over it. docs/audit.md
-- says what they prove.

CREATE TABLE chain (
  tenant text COLLATE "C" NOT NULL,
  -- From 1, without gaps.
  sequence bigint NOT NULL,
  verdict_id text COLLATE "C" NOT NULL,
  record_digest text COLLATE "C" NOT NULL,
  previous_link text COLLATE "C" NOT NULL,
  -- SHA-256 over all of the above.
  link text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, sequence),
  UNIQUE (tenant, verdict_id)
);

-- Verdicts that are not in the chain yet. A verdict's commit puts it here; the sealer moves it to the chain.
CREATE TABLE unsealed (
  tenant text COLLATE "C" NOT NULL,
  verdict_id text COLLATE "C" NOT NULL,
  record_digest text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, verdict_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- The oldest first, whosever it is.
CREATE INDEX unsealed_by_age ON unsealed (verdict_id);

CREATE TABLE checkpoints (
  tenant text COLLATE "C" NOT NULL,
  -- The segment, both ends included.
  from_sequence bigint NOT NULL,
  sequence bigint NOT NULL,
  -- The chain's link at its end, and the root of the Merkle tree over its links.
  link text COLLATE "C" NOT NULL,
  root text COLLATE "C" NOT NULL,
  at text COLLATE "C" NOT NULL,
  -- SHA-256 of the public key.
  key text COLLATE "C" NOT NULL,
  signature text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, sequence),
  CHECK (sequence >= from_sequence)
);

-- Verdicts that are there are seen whoever owns the tables.
SELECT set_config('imagegate.tenant', '*', true);
INSERT INTO unsealed (tenant, verdict_id, record_digest) SELECT tenant, id, record_digest FROM verdicts;

CREATE FUNCTION imagegate_next_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.sequence IS DISTINCT FROM 1 + coalesce((SELECT max(sequence) FROM chain WHERE tenant = NEW.tenant), 0) THEN
    RAISE EXCEPTION 'an entry comes after the last one' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION imagegate_next_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.from_sequence IS DISTINCT FROM
    1 + coalesce((SELECT max(sequence) FROM checkpoints WHERE tenant = NEW.tenant), 0) THEN
    RAISE EXCEPTION 'a checkpoint begins where the last one ended' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION imagegate_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM chain WHERE tenant = OLD.tenant AND verdict_id = OLD.verdict_id) THEN
    RAISE EXCEPTION 'a verdict waits for the chain until it is in it' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END $$;

CREATE TRIGGER keep_order BEFORE INSERT ON chain FOR EACH ROW EXECUTE FUNCTION imagegate_next_entry();
SELECT imagegate_append_only('chain', 'the chain is append-only');

CREATE TRIGGER keep_order BEFORE INSERT ON checkpoints FOR EACH ROW EXECUTE FUNCTION imagegate_next_checkpoint();
SELECT imagegate_append_only('checkpoints', 'checkpoints are append-only');

CREATE TRIGGER keep_updated BEFORE UPDATE ON unsealed FOR EACH ROW
  EXECUTE FUNCTION imagegate_refuse('a verdict waits for the chain until it is in it');
CREATE TRIGGER keep_deleted BEFORE DELETE ON unsealed FOR EACH ROW EXECUTE FUNCTION imagegate_is_sealed();
SELECT imagegate_keep('unsealed');
