-- A node is one registration of one gateway process. At most one node row is locked in a transaction, before any wallet.

-- name: register
INSERT INTO nodes (node_id, host) VALUES ($1, $2) ON CONFLICT (node_id) DO NOTHING

-- name: state_of
SELECT state, seq FROM nodes WHERE node_id = $1

-- name: advance
-- The fence of sync: no row means that it was applied before, or that the node is no longer live.
UPDATE nodes SET seq = $2, seen_at = now() WHERE node_id = $1 AND seq = $2 - 1 AND state = 'live' RETURNING seq

-- name: take_over
-- The fence of adoption: a sync still under way meets another seq.
UPDATE nodes SET seq = seq + 1 WHERE node_id = $1 RETURNING state, seq

-- name: declare_dead
UPDATE nodes SET state = 'dead' WHERE node_id = $1 AND seq = $2 AND state = 'live' RETURNING node_id

-- name: close
UPDATE nodes SET state = 'closed' WHERE node_id = $1

-- name: live
-- Of processes: the node that stands for all background jobs ($1) has none, and never moves.
SELECT node_id, seq FROM nodes WHERE state = 'live' AND node_id <> $1

-- name: server_time
SELECT clock_timestamp()

-- name: dead_for_long
SELECT node_id, host, seen_at FROM nodes WHERE state = 'dead' AND seen_at < now() - interval '1 day' ORDER BY seen_at

-- name: lock_node
SELECT node_id FROM nodes WHERE node_id = $1 FOR NO KEY UPDATE
