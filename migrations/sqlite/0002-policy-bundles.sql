-- Every signed bundle of policies that was taken into service, so that an older one is refused ever after.

CREATE TABLE policy_bundles (
  sequence INTEGER NOT NULL PRIMARY KEY,
  -- SHA-256 of the manifest, which names the digest of every file.
  digest TEXT NOT NULL,
  -- SHA-256 of the public key that verified it.
  signed_by TEXT NOT NULL,
  accepted_at TEXT NOT NULL
) STRICT;

CREATE TRIGGER policy_bundles_keep_update BEFORE UPDATE ON policy_bundles
BEGIN SELECT RAISE(ABORT, 'policy bundles are append-only'); END;
CREATE TRIGGER policy_bundles_keep_delete BEFORE DELETE ON policy_bundles
BEGIN SELECT RAISE(ABORT, 'policy bundles are append-only'); END;
CREATE TRIGGER policy_bundles_keep_older BEFORE INSERT ON policy_bundles
WHEN NEW.sequence <= (SELECT max(sequence) FROM policy_bundles)
BEGIN SELECT RAISE(ABORT, 'policy bundles only go forward'); END;
