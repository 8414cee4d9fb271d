-- Every signed bundle of policies that was taken into service, so that an older one is refused ever after.

CREATE TABLE policy_bundles (
  sequence bigint NOT NULL PRIMARY KEY,
  -- SHA-256 of the manifest, which names the digest of every file.
  digest text COLLATE "C" NOT NULL,
  -- SHA-256 of the public key that verified it.
  signed_by text COLLATE "C" NOT NULL,
  accepted_at text COLLATE "C" NOT NULL
);

-- Who inserts locks the table first: two replicas could otherwise both look before either has inserted.
CREATE FUNCTION imagegate_forward_bundles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.sequence <= (SELECT max(sequence) FROM policy_bundles) THEN
    RAISE EXCEPTION 'policy bundles only go forward' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER keep_older BEFORE INSERT ON policy_bundles FOR EACH ROW EXECUTE FUNCTION imagegate_forward_bundles();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON policy_bundles FOR EACH ROW
  EXECUTE FUNCTION imagegate_refuse('policy bundles are append-only');
CREATE TRIGGER keep_all BEFORE TRUNCATE ON policy_bundles FOR EACH STATEMENT
  EXECUTE FUNCTION imagegate_refuse('policy bundles are append-only');
