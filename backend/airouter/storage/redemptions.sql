-- name: insert_batch
-- No row back: a batch with this id exists, so this is the same request once more.
INSERT INTO redemption_batches (batch_id, name, amount, count, uses_per_code, uses_per_account, groups, expires_at, created_by, is_campaign)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (batch_id) DO NOTHING
RETURNING batch_id

-- name: insert_codes
INSERT INTO redemption_codes (code_id, batch_id, code_hash, hint)
SELECT code_id, $1, code_hash, hint FROM unnest($2::uuid[], $3::bytea[], $4::text[]) AS c (code_id, code_hash, hint)

-- name: lock_code
-- The code's row is held until the end, so its users take turns; the batch's row, so that a revocation is either before
-- or after. The code comes before the wallets, here and everywhere.
SELECT c.code_id, c.batch_id, b.amount, c.uses, b.uses_per_code, b.uses_per_account, b.groups, b.expires_at,
       c.revoked_at IS NOT NULL OR b.revoked_at IS NOT NULL AS is_revoked
FROM redemption_codes c JOIN redemption_batches b USING (batch_id)
WHERE c.code_hash = ANY ($1::bytea[])
FOR UPDATE OF c FOR SHARE OF b

-- name: uses_by_account
SELECT count(*) FROM redemptions WHERE code_id = $1 AND account_id = $2

-- name: use_code
-- No row back: it was used as often as it may be.
UPDATE redemption_codes SET uses = uses + 1 WHERE code_id = $1 AND uses < $2 AND revoked_at IS NULL RETURNING uses

-- name: insert_redemption
INSERT INTO redemptions (code_id, account_id, nth, user_id, transfer_id) VALUES ($1, $2, $3, $4, $5)

-- name: now
SELECT now()

-- name: batches
SELECT b.batch_id, b.name, b.amount, b.count, b.uses_per_code, b.uses_per_account, b.groups, b.expires_at, b.revoked_at,
       b.created_at, b.created_by, b.is_campaign, coalesce(u.uses, 0) AS redeemed
FROM redemption_batches b
LEFT JOIN LATERAL (SELECT sum(uses)::bigint AS uses FROM redemption_codes c WHERE c.batch_id = b.batch_id) u ON true
WHERE ($1::timestamptz IS NULL OR (b.created_at, b.batch_id) < ($1, $2::uuid))
ORDER BY b.created_at DESC, b.batch_id DESC
LIMIT $3

-- name: find_batch
SELECT b.batch_id, b.name, b.amount, b.count, b.uses_per_code, b.uses_per_account, b.groups, b.expires_at, b.revoked_at,
       b.created_at, b.created_by, b.is_campaign, coalesce(u.uses, 0) AS redeemed
FROM redemption_batches b
LEFT JOIN LATERAL (SELECT sum(uses)::bigint AS uses FROM redemption_codes c WHERE c.batch_id = b.batch_id) u ON true
WHERE b.batch_id = $1

-- name: revoke_batch
-- One way: what was revoked stays revoked.
UPDATE redemption_batches SET revoked_at = coalesce(revoked_at, now()) WHERE batch_id = $1 RETURNING batch_id

-- name: lock_batch
SELECT b.batch_id, b.name, b.amount, b.count, b.uses_per_code, b.uses_per_account, b.groups, b.expires_at, b.revoked_at,
       b.created_at, b.created_by, b.is_campaign, coalesce(u.uses, 0) AS redeemed
FROM redemption_batches b
LEFT JOIN LATERAL (SELECT sum(uses)::bigint AS uses FROM redemption_codes c WHERE c.batch_id = b.batch_id) u ON true
WHERE b.batch_id = $1 FOR UPDATE OF b

-- name: update_batch
UPDATE redemption_batches SET name = $2, expires_at = $3 WHERE batch_id = $1

-- name: redemption_page
-- Of one batch, one code, one account, one stretch of time, or all.
SELECT r.code_id, c.batch_id, b.name AS batch_name, c.hint, r.account_id, a.name AS account_name, r.user_id, u.email AS user_email,
       r.nth, b.amount, r.transfer_id, r.redeemed_at
FROM redemptions r
JOIN redemption_codes c USING (code_id) JOIN redemption_batches b USING (batch_id)
JOIN accounts a ON a.account_id = r.account_id LEFT JOIN users u ON u.user_id = r.user_id
WHERE ($1::uuid IS NULL OR c.batch_id = $1) AND ($2::uuid IS NULL OR r.code_id = $2)
  AND ($3::uuid IS NULL OR r.account_id = $3)
  AND ($4::timestamptz IS NULL OR r.redeemed_at >= $4) AND ($5::timestamptz IS NULL OR r.redeemed_at < $5)
  AND ($6::timestamptz IS NULL OR (r.redeemed_at, r.transfer_id) < ($6, $7::uuid))
ORDER BY r.redeemed_at DESC, r.transfer_id DESC
LIMIT $8
