-- name: codes_of_batch
-- In the order of their making, with who used them last.
SELECT c.code_id, c.hint, c.uses, c.revoked_at, r.redeemed_at AS last_redeemed_at, r.account_id AS last_account_id
FROM redemption_codes c
LEFT JOIN LATERAL (
  SELECT redeemed_at, account_id FROM redemptions r WHERE r.code_id = c.code_id ORDER BY redeemed_at DESC LIMIT 1) r ON true
WHERE c.batch_id = $1 AND ($2::uuid IS NULL OR c.code_id > $2)
ORDER BY c.code_id LIMIT $3

-- name: find_code_by_hash
SELECT c.batch_id, c.code_id FROM redemption_codes c WHERE c.code_hash = ANY ($1::bytea[])

-- name: revoke_code
-- One way: what was revoked stays revoked.
UPDATE redemption_codes SET revoked_at = coalesce(revoked_at, now())
WHERE batch_id = $1 AND code_id = $2 RETURNING code_id

-- name: find_code
SELECT c.code_id, c.hint, c.uses, c.revoked_at, r.redeemed_at AS last_redeemed_at, r.account_id AS last_account_id
FROM redemption_codes c
LEFT JOIN LATERAL (
  SELECT redeemed_at, account_id FROM redemptions r WHERE r.code_id = c.code_id ORDER BY redeemed_at DESC LIMIT 1) r ON true
WHERE c.batch_id = $1 AND c.code_id = $2
