-- Leases, and the rows that they are leases of. Lock order everywhere: one node row, then wallets by id, then keys by id,
-- then budgets by id, each set by one statement and once per transaction: two transactions that lock in rounds deadlock.

-- name: lock_wallets
SELECT wallet_id, balance, leased, overrun FROM wallets WHERE wallet_id = ANY($1::bigint[]) ORDER BY wallet_id FOR NO KEY UPDATE

-- name: lock_keys
SELECT key_id, account_id, user_id, is_budgeted, spend_limit, spent, leased FROM keys
WHERE key_id = ANY($1::uuid[]) ORDER BY key_id FOR NO KEY UPDATE

-- name: lock_budgets
-- Of locked keys, so that none comes or goes meanwhile. `moment`: now, or the newest call if its machine's clock is ahead.
SELECT b.budget_id, b.key_id, b.account_id, b.user_id, b.period, b.quota_max, b.spent, b.leased, b.excess, b.window_start,
       b.window_end, m.moment, w.starts, w.ends
FROM budgets b JOIN accounts a USING (account_id)
CROSS JOIN (SELECT greatest(now(), $4::timestamptz) AS moment) m
CROSS JOIN LATERAL budget_window(b.period, a.time_zone, m.moment) w
WHERE b.key_id = ANY($1::uuid[])
   OR (b.account_id, b.user_id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))
ORDER BY b.budget_id FOR NO KEY UPDATE OF b

-- name: put_budgets
UPDATE budgets b SET spent = d.spent, leased = d.leased, excess = d.excess, window_start = d.window_start, window_end = d.window_end
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
  AS d (budget_id, spent, leased, excess, window_start, window_end)
WHERE b.budget_id = d.budget_id

-- name: keys_leased_by_member
SELECT k.key_id FROM keys k
WHERE (k.account_id, k.user_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[])) AND k.leased > 0

-- name: charge_wallets
UPDATE wallets w SET balance = w.balance - d.charged, leased = w.leased + d.leased, overrun = w.overrun + d.overrun
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS d (wallet_id, charged, leased, overrun)
WHERE w.wallet_id = d.wallet_id

-- name: charge_keys
UPDATE keys k SET spent = k.spent + d.charged, leased = k.leased + d.leased, last_used_at = greatest(k.last_used_at, d.used_at)
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS d (key_id, charged, leased, used_at)
WHERE k.key_id = d.key_id

-- name: put_wallet_leases
-- Absolute amounts, not differences.
INSERT INTO wallet_leases (node_id, wallet_id, amount) SELECT $1, * FROM unnest($2::bigint[], $3::bigint[])
ON CONFLICT (node_id, wallet_id) DO UPDATE SET amount = excluded.amount

-- name: put_key_leases
INSERT INTO key_leases (node_id, key_id, amount) SELECT $1, * FROM unnest($2::uuid[], $3::bigint[])
ON CONFLICT (node_id, key_id) DO UPDATE SET amount = excluded.amount

-- name: wallet_leases_of
SELECT wallet_id, amount FROM wallet_leases WHERE node_id = $1 AND amount > 0

-- name: key_leases_of
SELECT key_id, amount FROM key_leases WHERE node_id = $1 AND amount > 0

-- name: key_lease_of
SELECT amount FROM key_leases WHERE node_id = $1 AND key_id = $2

-- name: release_wallets
UPDATE wallets w SET leased = w.leased - l.amount FROM wallet_leases l
WHERE l.node_id = $1 AND l.amount > 0 AND w.wallet_id = l.wallet_id

-- name: release_keys
UPDATE keys k SET leased = k.leased - l.amount FROM key_leases l
WHERE l.node_id = $1 AND l.amount > 0 AND k.key_id = l.key_id

-- name: drop_wallet_leases
DELETE FROM wallet_leases WHERE node_id = $1

-- name: drop_key_leases
DELETE FROM key_leases WHERE node_id = $1
