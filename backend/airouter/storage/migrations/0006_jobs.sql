-- Work that some process has to do every so often. Whoever claims a job does it; a claim that grew old is up for grabs.

CREATE TABLE jobs (
  name text PRIMARY KEY,
  claimed_until timestamptz NOT NULL DEFAULT '-infinity',
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  is_hurried boolean NOT NULL DEFAULT false,                -- wanted again before the pause is over
  last_run_at timestamptz,
  last_error text                                          -- what the last run died of; null when it went well
);
