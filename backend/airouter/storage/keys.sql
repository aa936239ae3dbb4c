-- name: insert_key
-- No row back: a key with this id exists, so this is the same request once more.
INSERT INTO keys (key_id, account_id, wallet_id, user_id, name, secret_hash, prefix, group_name, spend_limit, models,
                  allowed_ips, requests_per_minute, concurrency, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (key_id) DO NOTHING
RETURNING key_id

-- name: keys_of
SELECT key_id, name, prefix, status, group_name, spend_limit, spent, models, allowed_ips, requests_per_minute, concurrency,
       created_at, expires_at, last_used_at
FROM keys
WHERE account_id = $1 AND status <> 'deleted'
  AND ($2::timestamptz IS NULL OR (created_at, key_id) < ($2, $3::uuid))
ORDER BY created_at DESC, key_id DESC
LIMIT $4

-- name: find_key
SELECT key_id, name, prefix, status, group_name, spend_limit, spent, models, allowed_ips, requests_per_minute, concurrency,
       created_at, expires_at, last_used_at
FROM keys WHERE key_id = $1 AND account_id = $2 AND status <> 'deleted'

-- name: lock_key
SELECT key_id, name, prefix, status, group_name, spend_limit, spent, models, allowed_ips, requests_per_minute, concurrency,
       created_at, expires_at, last_used_at
FROM keys WHERE key_id = $1 AND account_id = $2 AND status <> 'deleted'
FOR NO KEY UPDATE

-- name: change_key
-- No row back: the new limit is smaller than what is spent and held.
UPDATE keys SET name = $2, status = $3, group_name = $4, spend_limit = $5, models = $6, allowed_ips = $7,
                requests_per_minute = $8, concurrency = $9, expires_at = $10
WHERE key_id = $1 AND ($5::bigint IS NULL OR spent + leased <= $5)
RETURNING key_id

-- name: delete_key
UPDATE keys SET status = 'deleted' WHERE key_id = $1 AND account_id = $2 AND status <> 'deleted' RETURNING key_id

-- name: replace_secret
UPDATE keys SET secret_hash = $3, prefix = $4 WHERE key_id = $1 AND account_id = $2 AND status <> 'deleted'
RETURNING key_id

-- name: find_caller
-- Everything the doors need to know about a key, in one look.
SELECT k.key_id, k.account_id, k.wallet_id, k.user_id, k.status, a.status AS account_status, a.group_name AS account_group,
       k.group_name AS key_group, u.role <> 'user' AS is_operator, k.spend_limit IS NOT NULL AS is_limited, k.expires_at,
       k.models, k.allowed_ips, k.requests_per_minute, k.concurrency
FROM keys k JOIN accounts a USING (account_id) JOIN users u USING (user_id)
WHERE k.secret_hash = $1 AND k.status <> 'deleted'
