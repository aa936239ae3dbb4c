-- name: claim
-- A row back: this is the first such request of the last 24 hours, or the one before it came to nothing.
INSERT INTO idempotency_keys AS known (scope, key, body_hash, claim_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (scope, key) DO UPDATE SET
  started_at = now(),
  created_at = CASE WHEN known.created_at < now() - interval '24 hours' THEN now() ELSE known.created_at END,
  body_hash = excluded.body_hash,
  claim_id = CASE WHEN known.created_at < now() - interval '24 hours' THEN excluded.claim_id ELSE known.claim_id END,
  status = NULL, answer = NULL, media_type = NULL
WHERE known.created_at < now() - interval '24 hours'
   OR (known.status IS NULL AND known.started_at < now() - $5::interval AND known.body_hash = excluded.body_hash)
RETURNING claim_id, started_at

-- name: known
SELECT body_hash, status, answer, media_type FROM idempotency_keys WHERE scope = $1 AND key = $2

-- name: keep
-- Only for the run that is under way: one that was given up and taken over writes nothing.
UPDATE idempotency_keys SET status = $3, answer = $4, media_type = $5
WHERE scope = $1 AND key = $2 AND status IS NULL AND started_at = $6

-- name: let_go
-- Not deleted: whether a run that failed did its work is not always known, so the next one gets the same claim.
UPDATE idempotency_keys SET started_at = '-infinity' WHERE scope = $1 AND key = $2 AND status IS NULL AND started_at = $3

-- name: forget_old
DELETE FROM idempotency_keys WHERE (scope, key) IN (
  SELECT scope, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' FOR UPDATE SKIP LOCKED)
