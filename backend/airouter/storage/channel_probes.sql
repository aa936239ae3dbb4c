-- name: keep_probe
-- The last test of a credential replaces the one before. No row: channel or credential are gone meanwhile.
INSERT INTO channel_probes (channel_id, credential_id, tested_at, model, is_ok, status, latency_ms, error)
SELECT ch.channel_id, c.credential_id, now(), $3, $4, $5, $6, $7
FROM channels ch LEFT JOIN channel_credentials c ON c.credential_id = $2 AND c.channel_id = ch.channel_id
WHERE ch.channel_id = $1 AND ($2::uuid IS NULL OR c.credential_id IS NOT NULL)
ON CONFLICT ON CONSTRAINT channel_probe DO UPDATE
SET tested_at = now(), model = excluded.model, is_ok = excluded.is_ok, status = excluded.status,
  latency_ms = excluded.latency_ms, error = excluded.error
RETURNING channel_id, credential_id, tested_at, model, is_ok, status, latency_ms, error

-- name: probes_of
SELECT channel_id, credential_id, tested_at, model, is_ok, status, latency_ms, error
FROM channel_probes WHERE channel_id = ANY($1::uuid[])

-- name: due_channels
-- Those whose operator wants regular tests, and whose last one is long enough ago; the longest waiting first.
SELECT ch.channel_id
FROM channels ch
LEFT JOIN LATERAL (SELECT max(p.tested_at) AS tested_at FROM channel_probes p WHERE p.channel_id = ch.channel_id) last ON true
WHERE ch.is_enabled AND (ch.options->>'probe_minutes')::integer > 0
  AND (last.tested_at IS NULL OR last.tested_at <= now() - (ch.options->>'probe_minutes')::integer * interval '1 minute')
ORDER BY last.tested_at NULLS FIRST, ch.channel_id LIMIT $1
