-- name: insert_key
-- No row back: a key with this id exists, so this is the same request once more.
INSERT INTO keys (key_id, account_id, wallet_id, user_id, name, secret_hash, prefix, group_name, spend_limit, models,
                  allowed_ips, requests_per_minute, tokens_per_minute, concurrency, expires_at, fallback_models)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (key_id) DO NOTHING
RETURNING key_id

-- name: keys_of
-- `$2` confines somebody to their own; `$3`: only those behind which nobody stands any more.
SELECT k.key_id, k.name, k.prefix, k.status, k.group_name, k.spend_limit, k.spent, k.models, k.fallback_models, k.allowed_ips,
       k.requests_per_minute, k.tokens_per_minute, k.concurrency, k.created_at, k.expires_at, k.last_used_at, k.user_id, u.email AS user_email,
       u.status = 'banned' OR m.user_id IS NULL AS is_orphaned,
       CASE WHEN k.previous_secret_until > now() THEN k.previous_secret_until END AS previous_secret_until
FROM keys k JOIN users u USING (user_id)
LEFT JOIN members m ON m.account_id = k.account_id AND m.user_id = k.user_id
WHERE k.account_id = $1 AND k.status <> 'deleted' AND k.kind = 'standard' AND ($2::uuid IS NULL OR k.user_id = $2)
  AND ($3::boolean IS NULL OR $3 = (u.status = 'banned' OR m.user_id IS NULL))
  AND ($4::timestamptz IS NULL OR (k.created_at, k.key_id) < ($4, $5::uuid))
ORDER BY k.created_at DESC, k.key_id DESC
LIMIT $6

-- name: find_key
SELECT k.key_id, k.name, k.prefix, k.status, k.group_name, k.spend_limit, k.spent, k.models, k.fallback_models, k.allowed_ips,
       k.requests_per_minute, k.tokens_per_minute, k.concurrency, k.created_at, k.expires_at, k.last_used_at, k.user_id, u.email AS user_email,
       u.status = 'banned' OR m.user_id IS NULL AS is_orphaned,
       CASE WHEN k.previous_secret_until > now() THEN k.previous_secret_until END AS previous_secret_until
FROM keys k JOIN users u USING (user_id)
LEFT JOIN members m ON m.account_id = k.account_id AND m.user_id = k.user_id
WHERE k.key_id = $1 AND k.account_id = $2 AND k.status <> 'deleted' AND ($3::uuid IS NULL OR k.user_id = $3)

-- name: lock_key
-- To change it. One for an hour, in no list, stays as it was made.
SELECT k.key_id, k.name, k.prefix, k.status, k.group_name, k.spend_limit, k.spent, k.models, k.fallback_models, k.allowed_ips,
       k.requests_per_minute, k.tokens_per_minute, k.concurrency, k.created_at, k.expires_at, k.last_used_at, k.user_id, u.email AS user_email,
       u.status = 'banned' OR m.user_id IS NULL AS is_orphaned,
       CASE WHEN k.previous_secret_until > now() THEN k.previous_secret_until END AS previous_secret_until
FROM keys k JOIN users u USING (user_id)
LEFT JOIN members m ON m.account_id = k.account_id AND m.user_id = k.user_id
WHERE k.key_id = $1 AND k.account_id = $2 AND k.status <> 'deleted' AND k.kind = 'standard' AND ($3::uuid IS NULL OR k.user_id = $3)
FOR NO KEY UPDATE OF k

-- name: change_key
-- No row back: the new limit is smaller than what is spent and held.
UPDATE keys SET name = $2, status = $3, group_name = $4, spend_limit = $5, models = $6, allowed_ips = $7,
                requests_per_minute = $8, tokens_per_minute = $9, concurrency = $10, expires_at = $11, fallback_models = $12
WHERE key_id = $1 AND ($5::bigint IS NULL OR spent + leased <= $5)
RETURNING key_id

-- name: delete_key
UPDATE keys SET status = 'deleted'
WHERE key_id = $1 AND account_id = $2 AND status <> 'deleted' AND ($3::uuid IS NULL OR user_id = $3)
RETURNING key_id

-- name: hand_over_key
UPDATE keys SET user_id = $2, status = $3 WHERE key_id = $1

-- name: hold_membership
-- Waits for whoever removes this member or sets their budgets, and makes them wait: a key is never made or handed over
-- behind their back. As strong as what the triggers of keys ask for, so that no key is locked before its member.
SELECT true FROM members WHERE account_id = $1 AND user_id = $2 FOR SHARE

-- name: disable_keys_of
-- Keys are locked by id, as everywhere.
UPDATE keys SET status = 'disabled'
WHERE key_id IN (SELECT key_id FROM keys WHERE account_id = $1 AND user_id = $2 AND status = 'active' ORDER BY key_id FOR NO KEY UPDATE)
RETURNING key_id

-- name: replace_secret
-- The old one is kept for the grace, if there is any.
UPDATE keys SET secret_hash = $3, prefix = $4,
                previous_secret_hash = CASE WHEN $6::interval > '0' THEN secret_hash END,
                previous_secret_until = CASE WHEN $6::interval > '0' THEN now() + $6 END
WHERE key_id = $1 AND account_id = $2 AND status <> 'deleted' AND kind = 'standard' AND ($5::uuid IS NULL OR user_id = $5)
RETURNING key_id

-- name: end_grace
UPDATE keys SET previous_secret_hash = NULL, previous_secret_until = NULL
WHERE key_id = $1 AND account_id = $2 AND status <> 'deleted' AND ($3::uuid IS NULL OR user_id = $3)
RETURNING key_id

-- name: hold_user
-- One after the other, so that each sees what the others made.
SELECT true FROM users WHERE user_id = $1 FOR NO KEY UPDATE

-- name: live_ephemeral_keys
SELECT count(*) FROM keys
WHERE user_id = $1 AND key_id <> $2 AND kind = 'ephemeral' AND status <> 'deleted' AND expires_at > now()

-- name: insert_ephemeral_key
-- No limit said: what its wallet has at the moment.
INSERT INTO keys (key_id, account_id, wallet_id, user_id, kind, name, secret_hash, prefix, spend_limit, models, expires_at)
SELECT $1, $2, w.wallet_id, $4, 'ephemeral', 'playground', $5, $6, coalesce($7, w.balance), $8, now() + $9::interval
FROM wallets w WHERE w.wallet_id = $3
ON CONFLICT (key_id) DO NOTHING
RETURNING key_id

-- name: forget_ephemeral_keys
-- Their usage stays, and says what kind of key it was.
UPDATE keys SET status = 'deleted'
WHERE key_id IN (SELECT key_id FROM keys WHERE kind = 'ephemeral' AND status <> 'deleted' AND expires_at < now() FOR NO KEY UPDATE SKIP LOCKED)

-- name: find_caller
-- Everything the doors need to know about a key, in one look. Behind a key stands a person who is not banned.
SELECT k.key_id, k.account_id, k.wallet_id, k.user_id,
       CASE WHEN u.status = 'banned' THEN 'disabled' ELSE k.status END AS status, a.status AS account_status, a.group_name AS account_group,
       k.group_name AS key_group, u.role <> 'user' AS is_operator, k.spend_limit IS NOT NULL OR k.is_budgeted AS is_limited,
       k.expires_at, k.models, coalesce(k.fallback_models, '{}') AS fallback_models, k.allowed_ips, k.requests_per_minute, k.tokens_per_minute, k.concurrency,
       a.rate_limits AS account_rate_limits,
       CASE WHEN k.secret_hash <> $1 THEN k.previous_secret_until END AS secret_until
FROM keys k JOIN accounts a USING (account_id) JOIN users u USING (user_id)
WHERE (k.secret_hash = $1 OR k.previous_secret_hash = $1 AND k.previous_secret_until > now()) AND k.status <> 'deleted'
