-- name: every_channel
SELECT channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, created_at, updated_at
FROM channels ORDER BY priority DESC, name

-- name: every_credential
-- In the order in which they were given.
SELECT channel_id, credential_id, ciphertext, hint FROM channel_credentials ORDER BY created_at, credential_id

-- name: page_of_channels
SELECT channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, created_at, updated_at
FROM channels WHERE name > $1 ORDER BY name LIMIT $2

-- name: find_channel
SELECT channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, created_at, updated_at
FROM channels WHERE channel_id = $1

-- name: lock_channel
SELECT channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, created_at, updated_at
FROM channels WHERE channel_id = $1 FOR UPDATE

-- name: credentials_of
SELECT channel_id, credential_id, ciphertext, hint FROM channel_credentials
WHERE channel_id = ANY($1::uuid[]) ORDER BY created_at, credential_id

-- name: insert_channel
INSERT INTO channels (channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, created_at, updated_at

-- name: update_channel
-- Under the lock of lock_channel: every column is written.
UPDATE channels SET name = $2, provider = $3, base_url = $4, models = $5, groups = $6, priority = $7, weight = $8,
  is_enabled = $9, options = $10, updated_at = now()
WHERE channel_id = $1
RETURNING channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, created_at, updated_at

-- name: delete_channel
DELETE FROM channels WHERE channel_id = $1 RETURNING channel_id

-- name: insert_credential
-- clock_timestamp: several in one transaction keep their order.
INSERT INTO channel_credentials (credential_id, channel_id, ciphertext, hint, created_at) VALUES ($1, $2, $3, $4, clock_timestamp())

-- name: delete_credentials
DELETE FROM channel_credentials WHERE channel_id = $1
