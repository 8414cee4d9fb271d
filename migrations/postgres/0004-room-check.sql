-- After a commit that failed for want of room, a readiness check writes as much as that commit would have: a small write
-- may still fit where no verdict does. Uncompressed, or it would be small.
ALTER TABLE health ADD COLUMN room bytea NOT NULL DEFAULT '';
ALTER TABLE health ALTER COLUMN room SET STORAGE EXTERNAL;
