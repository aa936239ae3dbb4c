-- name: every_model
SELECT model, vendor, description, context_window, max_output_tokens, media_tokens_max, is_enabled, rate_limits, created_at
FROM models ORDER BY model

-- name: page_of_models
SELECT model, vendor, description, context_window, max_output_tokens, media_tokens_max, is_enabled, rate_limits, created_at
FROM models WHERE model > $1 ORDER BY model LIMIT $2

-- name: find_model
SELECT model, vendor, description, context_window, max_output_tokens, media_tokens_max, is_enabled, rate_limits, created_at
FROM models WHERE model = $1

-- name: lock_model
SELECT model, vendor, description, context_window, max_output_tokens, media_tokens_max, is_enabled, rate_limits, created_at
FROM models WHERE model = $1 FOR UPDATE

-- name: insert_model
-- No row: there is one of that name already.
INSERT INTO models (model, vendor, description, context_window, max_output_tokens, media_tokens_max, is_enabled, rate_limits)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (model) DO NOTHING
RETURNING model, vendor, description, context_window, max_output_tokens, media_tokens_max, is_enabled, rate_limits, created_at

-- name: update_model
UPDATE models SET vendor = $2, description = $3, context_window = $4, max_output_tokens = $5, media_tokens_max = $6, is_enabled = $7, rate_limits = $8
WHERE model = $1
RETURNING model, vendor, description, context_window, max_output_tokens, media_tokens_max, is_enabled, rate_limits, created_at

-- name: delete_model
-- A foreign key refuses it for a model that has rate cards.
DELETE FROM models WHERE model = $1 RETURNING model
