-- name: every_channel
-- As it is routed to: a channel all of whose credentials are disabled is out of service. One that needs none is not.
SELECT channel_id, name, provider, base_url, models, groups, priority, weight,
  is_enabled AND coalesce((SELECT bool_or(c.disabled_at IS NULL) FROM channel_credentials c WHERE c.channel_id = ch.channel_id), true) AS is_enabled,
  options, proxy, proxy_hint, created_at, updated_at
FROM channels ch ORDER BY priority DESC, name

-- name: page_of_channels
SELECT channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, proxy, proxy_hint, created_at, updated_at
FROM channels WHERE name > $1 ORDER BY name LIMIT $2

-- name: find_channel
SELECT channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, proxy, proxy_hint, created_at, updated_at
FROM channels WHERE channel_id = $1

-- name: lock_channel
SELECT channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, proxy, proxy_hint, created_at, updated_at
FROM channels WHERE channel_id = $1 FOR UPDATE

-- name: insert_channel
INSERT INTO channels (channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options,
  proxy, proxy_hint)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
RETURNING channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, proxy, proxy_hint, created_at, updated_at

-- name: update_channel
-- Under the lock of lock_channel: every column is written.
UPDATE channels SET name = $2, provider = $3, base_url = $4, models = $5, groups = $6, priority = $7, weight = $8,
  is_enabled = $9, options = $10, proxy = $11, proxy_hint = $12, updated_at = now()
WHERE channel_id = $1
RETURNING channel_id, name, provider, base_url, models, groups, priority, weight, is_enabled, options, proxy, proxy_hint, created_at, updated_at

-- name: delete_channel
DELETE FROM channels WHERE channel_id = $1 RETURNING channel_id

-- name: known_models
-- Which of these names are models here, and which of them have a price in force.
SELECT m.model, EXISTS (SELECT FROM rate_cards r WHERE r.model = m.model AND r.effective_at <= now()) AS is_priced
FROM models m WHERE m.model = ANY($1::text[])
