-- name: announce_job
INSERT INTO jobs (name) VALUES ($1) ON CONFLICT (name) DO NOTHING

-- name: claim_job
-- No row back: it is not due, or somebody is at it.
UPDATE jobs SET claimed_until = now() + $2::interval, is_hurried = false
WHERE name = $1 AND due_at <= now() AND claimed_until <= now()
RETURNING claimed_until

-- name: finish_job
-- Whoever is told late, when somebody else is at it already, ends nothing of theirs.
UPDATE jobs SET claimed_until = '-infinity', last_run_at = now(), last_error = $4,
  due_at = CASE WHEN is_hurried THEN '-infinity' ELSE now() + $3::interval END
WHERE name = $1 AND claimed_until = $2

-- name: hurry_job
-- Also while somebody is at it: what was left for it just now may have come too late for this run.
UPDATE jobs SET due_at = '-infinity', is_hurried = true WHERE name = $1
