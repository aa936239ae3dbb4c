-- name: insert_token
-- No row back: a token with this id exists, so this is the same request once more.
INSERT INTO management_tokens (token_id, account_id, user_id, name, secret_hash, prefix, scopes, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (token_id) DO NOTHING
RETURNING token_id

-- name: find_token
SELECT t.token_id, t.account_id, a.name AS account_name, t.name, t.prefix, t.scopes, t.created_at, t.expires_at, t.last_used_at
FROM management_tokens t JOIN accounts a USING (account_id)
WHERE t.token_id = $1 AND t.user_id = $2 AND t.revoked_at IS NULL

-- name: tokens_of
SELECT t.token_id, t.account_id, a.name AS account_name, t.name, t.prefix, t.scopes, t.created_at, t.expires_at, t.last_used_at
FROM management_tokens t JOIN accounts a USING (account_id)
WHERE t.user_id = $1 AND t.revoked_at IS NULL
  AND ($2::timestamptz IS NULL OR (t.created_at, t.token_id) < ($2, $3::uuid))
ORDER BY t.created_at DESC, t.token_id DESC
LIMIT $4

-- name: count_tokens
SELECT count(*) FROM management_tokens WHERE user_id = $1 AND revoked_at IS NULL

-- name: revoke_token
UPDATE management_tokens SET revoked_at = now()
WHERE token_id = $1 AND user_id = $2 AND revoked_at IS NULL
RETURNING token_id, account_id, name

-- name: revoke_tokens_in
-- Of a person in an account, or (null) of everybody in it.
UPDATE management_tokens SET revoked_at = now()
WHERE token_id IN (SELECT token_id FROM management_tokens
                   WHERE account_id = $1 AND ($2::uuid IS NULL OR user_id = $2) AND revoked_at IS NULL
                   ORDER BY token_id FOR NO KEY UPDATE)
RETURNING token_id

-- name: token_standing
-- Who is behind a token, with what they may do in its account now: one look-up, remembered until Postgres says that something changed.
SELECT t.token_id, t.scopes, t.expires_at, u.user_id, u.email, u.role, u.locale, lacks_factor(u.user_id, u.role) AS lacks_factor,
       m.account_id, a.name, a.kind, m.team_role, a.group_name, a.status, w.wallet_id
FROM management_tokens t
JOIN users u USING (user_id)
JOIN members m ON m.account_id = t.account_id AND m.user_id = t.user_id
JOIN accounts a ON a.account_id = t.account_id
JOIN wallets w ON w.account_id = t.account_id AND w.kind = 'main'
WHERE t.secret_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now()) AND u.status = 'active'

-- name: mark_used
UPDATE management_tokens SET last_used_at = now()
WHERE token_id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
