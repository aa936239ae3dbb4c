-- name: every_usable_credential
-- In the order in which they were given.
SELECT channel_id, credential_id, ciphertext, hint, label, created_at, disabled_at, disabled_by, disabled_reason
FROM channel_credentials WHERE disabled_at IS NULL ORDER BY created_at, credential_id

-- name: credentials_of
SELECT channel_id, credential_id, ciphertext, hint, label, created_at, disabled_at, disabled_by, disabled_reason
FROM channel_credentials WHERE channel_id = ANY($1::uuid[]) ORDER BY created_at, credential_id

-- name: lock_credential
SELECT channel_id, credential_id, ciphertext, hint, label, created_at, disabled_at, disabled_by, disabled_reason
FROM channel_credentials WHERE credential_id = $1 AND channel_id = $2 FOR UPDATE

-- name: insert_credential
-- clock_timestamp: several in one transaction keep their order.
INSERT INTO channel_credentials (credential_id, channel_id, ciphertext, hint, label, created_at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())
RETURNING channel_id, credential_id, ciphertext, hint, label, created_at, disabled_at, disabled_by, disabled_reason

-- name: label_credential
UPDATE channel_credentials SET label = $2 WHERE credential_id = $1

-- name: enable_credential
UPDATE channel_credentials SET disabled_at = NULL, disabled_by = NULL, disabled_reason = NULL WHERE credential_id = $1

-- name: disable_credential
-- No row: it is gone, or disabled already, and whoever did that said why.
UPDATE channel_credentials SET disabled_at = now(), disabled_by = $2, disabled_reason = $3
WHERE credential_id = $1 AND disabled_at IS NULL
RETURNING channel_id, credential_id, ciphertext, hint, label, created_at, disabled_at, disabled_by, disabled_reason

-- name: explain_credential
UPDATE channel_credentials SET disabled_reason = $2 WHERE credential_id = $1 AND disabled_at IS NOT NULL

-- name: delete_credentials
DELETE FROM channel_credentials WHERE channel_id = $1 AND credential_id = ANY($2::uuid[])

-- name: operators
SELECT email, locale FROM users WHERE role IN ('operator', 'owner') AND status = 'active' ORDER BY user_id
