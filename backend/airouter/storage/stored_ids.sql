-- Names that providers minted. A name once known stays where it is: a journal that is brought in late changes nothing.

-- name: insert_stored_ids
INSERT INTO stored_ids (account_id, name, kind, key_id, channel_id, credential_id, model, upstream_model, request_id, expires_at)
SELECT account_id, name, kind, key_id, channel_id, credential_id, model, upstream_model, request_id, expires_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::uuid[], $10::timestamptz[])
  AS s (account_id, name, kind, key_id, channel_id, credential_id, model, upstream_model, request_id, expires_at)
ON CONFLICT ON CONSTRAINT stored_id_once DO NOTHING

-- name: find_stored_ids
SELECT account_id, name, kind, key_id, channel_id, credential_id, model, upstream_model, request_id, expires_at
FROM stored_ids WHERE account_id = $1 AND name = ANY($2::text[]) AND (expires_at IS NULL OR expires_at > now())

-- name: renew_conversations
-- One write for half of the time, however often they are used.
UPDATE stored_ids SET expires_at = now() + $3::interval
WHERE account_id = $1 AND name = ANY($2::text[]) AND kind = 'conversation'
  AND (expires_at IS NULL OR expires_at BETWEEN now() AND now() + $3::interval / 2)

-- name: delete_stored_id
DELETE FROM stored_ids WHERE account_id = $1 AND name = $2

-- name: forget_expired
DELETE FROM stored_ids WHERE (account_id, name) IN (SELECT account_id, name FROM stored_ids WHERE expires_at < now() LIMIT 50000 FOR UPDATE SKIP LOCKED)
