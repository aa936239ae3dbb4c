-- The audit: each query lists what contradicts the books. Read in one REPEATABLE READ snapshot.

-- name: counts
SELECT (SELECT count(*) FROM wallets) AS wallets, (SELECT count(*) FROM transfers) + (SELECT count(*) FROM usage_transfers) AS transfers,
  (SELECT count(*) FROM usage_records) AS usage_records

-- name: wallets_out_of_bounds
SELECT wallet_id, kind, balance, leased FROM wallets
WHERE balance IS NOT NULL AND NOT (leased >= 0 AND CASE kind WHEN 'debt' THEN balance <= 0 AND leased = 0 ELSE balance >= leased END)

-- name: keys_out_of_bounds
SELECT key_id, spend_limit, spent, leased FROM keys WHERE spent < 0 OR leased < 0 OR spent + leased > spend_limit

-- name: wallet_leases_drift
SELECT w.wallet_id, w.leased, coalesce(l.leased, 0) AS rows
FROM wallets w FULL JOIN (SELECT wallet_id, sum(amount) AS leased FROM wallet_leases GROUP BY wallet_id) l USING (wallet_id)
WHERE w.leased IS DISTINCT FROM coalesce(l.leased, 0)

-- name: key_leases_drift
SELECT k.key_id, k.leased, coalesce(l.leased, 0) AS rows
FROM keys k FULL JOIN (SELECT key_id, sum(amount) AS leased FROM key_leases GROUP BY key_id) l USING (key_id)
WHERE k.leased IS DISTINCT FROM coalesce(l.leased, 0)

-- name: leases_of_the_dead
SELECT n.node_id, n.state, sum(l.amount) AS leased
FROM (SELECT node_id, amount FROM wallet_leases UNION ALL SELECT node_id, amount FROM key_leases) l JOIN nodes n USING (node_id)
WHERE n.state <> 'live' AND l.amount > 0 GROUP BY n.node_id, n.state

-- name: balance_drift
SELECT w.wallet_id, w.balance, coalesce(m.sum, 0) AS transfers
FROM wallets w LEFT JOIN (
  SELECT wallet_id, sum(amount) AS sum FROM (
    SELECT credit_wallet AS wallet_id, amount FROM ledger UNION ALL SELECT debit_wallet, -amount FROM ledger) both_sides
  GROUP BY wallet_id) m USING (wallet_id)
WHERE w.balance IS NOT NULL AND w.balance <> coalesce(m.sum, 0)

-- name: balances_after_below_zero
-- But of a debt wallet, which is never above zero.
SELECT l.transfer_id, l.debit_balance, l.credit_balance
FROM ledger l LEFT JOIN wallets d ON d.wallet_id = l.debit_wallet LEFT JOIN wallets c ON c.wallet_id = l.credit_wallet
WHERE CASE d.kind WHEN 'debt' THEN l.debit_balance > 0 ELSE l.debit_balance < 0 END
   OR CASE c.kind WHEN 'debt' THEN l.credit_balance > 0 ELSE l.credit_balance < 0 END

-- name: orders_against_transfers
-- What an order says was credited and taken back is what its transfers moved.
SELECT o.order_id, o.credited_quota + o.credited_bonus - o.taken_quota - o.taken_bonus AS kept, coalesce(t.moved, 0) AS moved
FROM orders o LEFT JOIN (
  SELECT split_part(reference, '/', 2) AS order_id,
    sum(CASE kind WHEN 'top_up' THEN amount ELSE -amount END) AS moved
  FROM transfers WHERE reference LIKE 'order/%' AND kind IN ('top_up', 'refund', 'debt') GROUP BY 1) t
  ON t.order_id = o.order_id::text
WHERE o.credited_quota + o.credited_bonus - o.taken_quota - o.taken_bonus <> coalesce(t.moved, 0)

-- name: orders_credited_unpaid
SELECT t.reference FROM transfers t LEFT JOIN orders o ON o.order_id::text = split_part(t.reference, '/', 2)
WHERE t.kind = 'top_up' AND t.reference LIKE 'order/%' AND (o.order_id IS NULL OR o.credited_quota = 0)

-- name: reserved_drift
-- What stands in a reserved wallet is what the account's open background jobs reserved.
SELECT w.wallet_id, w.balance, coalesce(j.reserved, 0) AS rows
FROM wallets w LEFT JOIN (SELECT account_id, sum(reserved) AS reserved FROM background_jobs WHERE ask_at IS NOT NULL GROUP BY account_id) j
  USING (account_id)
WHERE w.kind = 'reserved' AND w.balance <> coalesce(j.reserved, 0)

-- name: job_leases_drift
-- The same of what limited keys lent (the node stands for all jobs).
SELECT key_id, coalesce(l.amount, 0) AS leased, coalesce(j.reserved, 0) AS rows
FROM (SELECT key_id, amount FROM key_leases WHERE node_id = '00000000-0000-7000-8000-000000000b06') l
FULL JOIN (SELECT key_id, sum(reserved) AS reserved FROM background_jobs WHERE ask_at IS NOT NULL AND key_is_limited GROUP BY key_id) j
  USING (key_id)
WHERE coalesce(l.amount, 0) <> coalesce(j.reserved, 0)

-- name: reserves_unreleased
-- A reserve is released exactly when its job has ended; rows of jobs that ended long ago are gone.
SELECT t.reference, t.amount, r.amount AS released FROM transfers t
LEFT JOIN transfers r ON r.kind = 'release' AND r.reference = t.reference
LEFT JOIN background_jobs j ON 'background/' || j.job_id = t.reference AND j.ask_at IS NOT NULL
WHERE t.kind = 'reserve' AND (r.amount IS DISTINCT FROM t.amount) <> (j.job_id IS NOT NULL)

-- name: unknown_wallets
SELECT DISTINCT l.wallet_id FROM (SELECT debit_wallet AS wallet_id FROM ledger UNION SELECT credit_wallet FROM ledger) l
WHERE NOT EXISTS (SELECT 1 FROM wallets w WHERE w.wallet_id = l.wallet_id)

-- name: usage_against_transfers
SELECT coalesce(u.transfer_id, t.transfer_id) AS transfer_id, u.charged, t.amount
FROM (SELECT transfer_id, wallet_id, sum(charged) AS charged FROM usage_records WHERE charged > 0 GROUP BY transfer_id, wallet_id) u
FULL JOIN (SELECT transfer_id, debit_wallet, amount FROM usage_transfers WHERE kind = 'usage') t
  ON t.transfer_id = u.transfer_id AND t.debit_wallet = u.wallet_id
WHERE u.charged IS DISTINCT FROM t.amount

-- name: uncharged_with_transfer
SELECT request_id FROM usage_records WHERE charged = 0 AND transfer_id IS NOT NULL

-- name: transfers_twice
-- The node's sequence number makes these unique; no index can, across months.
SELECT kind, reference FROM usage_transfers GROUP BY kind, reference HAVING count(*) > 1

-- name: overrun_drift
SELECT (SELECT coalesce(sum(cost - charged), 0) FROM usage_records) AS uncharged,
  (SELECT coalesce(sum(amount), 0) FROM usage_transfers WHERE kind = 'overrun') AS borne

-- name: requests_twice
SELECT request_id FROM usage_records GROUP BY request_id HAVING count(*) > 1

-- name: spent_drift
SELECT k.key_id, k.spent, coalesce(u.charged, 0) AS charged
FROM keys k LEFT JOIN (SELECT key_id, sum(charged) AS charged FROM usage_records GROUP BY key_id) u USING (key_id)
WHERE k.spent <> coalesce(u.charged, 0)

-- name: budgets_out_of_bounds
SELECT budget_id, quota_max, spent, leased, excess FROM budgets
WHERE spent < 0 OR leased < 0 OR excess < 0 OR spent + leased > quota_max + excess

-- name: budget_leases_drift
SELECT b.budget_id, b.leased, coalesce(sum(k.leased), 0) AS rows
FROM budgets b LEFT JOIN keys k ON k.key_id = b.key_id OR (b.user_id IS NOT NULL AND k.account_id = b.account_id AND k.user_id = b.user_id)
GROUP BY b.budget_id HAVING b.leased <> coalesce(sum(k.leased), 0)

-- name: budget_spent_drift
-- The window says which calls count: those that began in it. A member's are those whose key was theirs when it was charged.
SELECT b.budget_id, b.spent, coalesce(sum(u.charged), 0) AS charged
FROM budgets b LEFT JOIN usage_records u ON u.account_id = b.account_id AND u.created_at >= b.window_start
  AND CASE WHEN b.key_id IS NULL THEN u.user_id = b.user_id ELSE u.key_id = b.key_id END
GROUP BY b.budget_id HAVING b.spent <> coalesce(sum(u.charged), 0)

-- name: keys_unaware_of_budgets
SELECT k.key_id, k.is_budgeted FROM keys k
WHERE k.is_budgeted <> EXISTS (SELECT FROM budgets b WHERE b.key_id = k.key_id OR (b.account_id = k.account_id AND b.user_id = k.user_id))

-- name: records_to_price
-- In primary key order from where the last page ended; $3 picks one of so many (1: every record).
SELECT created_at, request_id, quantities, rate_card_id, multiplier_micros, service_tier, endpoint, cost
FROM usage_records
WHERE (created_at, request_id) > ($1, $2) AND ($3 = 1 OR abs(hashtext(request_id::text)) % $3 = 0)
ORDER BY created_at, request_id LIMIT $4

-- name: rate_cards
SELECT rate_card_id, model, version, rates, tiers FROM rate_cards
