-- Shares of limits, one row per node and subject. Locks: the own row of rate_nodes first, then subjects in the order of
-- their hashes.

-- name: renew
-- Whether the lease was still running; null: the node is new.
INSERT INTO rate_nodes AS n (node_id, until) VALUES ($1, clock_timestamp() + $2::interval)
ON CONFLICT (node_id) DO UPDATE SET until = excluded.until
RETURNING (SELECT until > clock_timestamp() FROM rate_nodes WHERE node_id = $1) AS was_running

-- name: lock_subjects
-- Two nodes that lock several do so in the same order.
SELECT pg_advisory_xact_lock(hash) FROM
  (SELECT DISTINCT hashtextextended('rate share ' || subject, 0) AS hash FROM unnest($1::text[]) AS subject ORDER BY 1) AS hashes

-- name: holdings
SELECT s.subject, s.node_id, s.share, s.missing, s.missing_since, s.answered_at, n.until, clock_timestamp() AS moment
FROM rate_shares s JOIN rate_nodes n USING (node_id) WHERE s.subject = ANY($1::text[])

-- name: moment
SELECT clock_timestamp()

-- name: put_shares
INSERT INTO rate_shares (subject, node_id, share, missing, missing_since, answered_at)
SELECT subject, $1, share, missing, missing_since, answered_at
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
  AS v (subject, share, missing, missing_since, answered_at)
ON CONFLICT (subject, node_id) DO UPDATE SET share = excluded.share, missing = excluded.missing,
  missing_since = excluded.missing_since, answered_at = excluded.answered_at

-- name: drop_shares
DELETE FROM rate_shares WHERE node_id = $1 AND subject = ANY($2::text[])

-- name: wanted_of
-- What others miss, of all that the node holds.
SELECT DISTINCT mine.subject FROM rate_shares s JOIN rate_nodes n USING (node_id) JOIN rate_shares mine USING (subject)
WHERE s.missing > 0 AND n.until > now() AND mine.node_id = $1 AND s.node_id <> $1 AND mine.share > 0
  AND (mine.answered_at IS NULL OR s.missing_since >= mine.answered_at)

-- name: end_lease
-- What the node did in its last minute counts to the end of that minute.
UPDATE rate_nodes SET until = least(until, clock_timestamp()) WHERE node_id = $1

-- name: forget_nodes
-- Long enough after the end of a lease that nothing of it counts any more.
DELETE FROM rate_nodes WHERE node_id IN (
  SELECT node_id FROM rate_nodes WHERE until < now() - interval '10 minutes' FOR UPDATE SKIP LOCKED)
