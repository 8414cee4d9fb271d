-- After a commit that failed for want of room, a readiness check writes as much as that commit would have: a small write
-- may still fit where no verdict does.
ALTER TABLE health ADD COLUMN room BLOB NOT NULL DEFAULT x'';
