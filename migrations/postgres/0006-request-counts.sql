-- How many requests a caller has made in its present window of time, over all replicas. Unlogged, because a count that a
-- crash loses only begins anew.

CREATE UNLOGGED TABLE request_counts (
  caller text COLLATE "C" NOT NULL PRIMARY KEY,
  -- Milliseconds since 1970, by the database's clock.
  window_start bigint NOT NULL,
  requests bigint NOT NULL
);
