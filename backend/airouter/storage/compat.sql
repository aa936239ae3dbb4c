-- What tools of older gateways ask for: users and keys by their numbers, pages by offset.

-- name: number_of_user
SELECT number FROM users WHERE user_id = $1

-- name: numbered_keys
-- `$3` is looked for in names; `$2` confines somebody to their own.
SELECT key_id, number FROM keys
WHERE account_id = $1 AND status <> 'deleted' AND kind = 'standard' AND ($2::uuid IS NULL OR user_id = $2)
  AND ($3::text IS NULL OR strpos(lower(name), lower($3)) > 0)
ORDER BY number DESC LIMIT $4 OFFSET $5

-- name: count_numbered_keys
-- Of one account: nobody has many.
SELECT count(*) FROM keys
WHERE account_id = $1 AND status <> 'deleted' AND kind = 'standard' AND ($2::uuid IS NULL OR user_id = $2)
  AND ($3::text IS NULL OR strpos(lower(name), lower($3)) > 0)

-- name: key_of_number
SELECT key_id FROM keys
WHERE account_id = $1 AND number = $2 AND status <> 'deleted' AND ($3::uuid IS NULL OR user_id = $3)

-- name: purse_of_key
-- What a key may look at of itself, and of its account's wallet.
SELECT k.name, k.spend_limit, k.spent, k.expires_at, k.models, w.balance FROM keys k JOIN wallets w USING (wallet_id)
WHERE k.key_id = $1
