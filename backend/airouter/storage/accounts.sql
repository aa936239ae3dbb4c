-- name: insert_account
INSERT INTO accounts (account_id, name, kind, group_name) VALUES ($1, $2, 'personal', $3)

-- name: insert_member
INSERT INTO members (account_id, user_id, team_role) VALUES ($1, $2, $3)

-- name: insert_wallets
INSERT INTO wallets (account_id, kind, balance) VALUES ($1, 'main', 0), ($1, 'reward', 0)

-- name: wallet_of
-- What background jobs reserved is still the account's, and held like what calls in flight hold.
SELECT m.wallet_id, m.balance + coalesce(h.balance, 0) AS balance, m.leased + coalesce(h.balance, 0) AS held,
  r.balance AS reward_balance, coalesce(-d.balance, 0) AS debt
FROM wallets m JOIN wallets r ON r.account_id = m.account_id AND r.kind = 'reward'
LEFT JOIN wallets d ON d.account_id = m.account_id AND d.kind = 'debt'
LEFT JOIN wallets h ON h.account_id = m.account_id AND h.kind = 'reserved'
WHERE m.account_id = $1 AND m.kind = 'main'

-- name: used_total
-- What usage took is what came in and is neither here nor went elsewhere. The books balance, so this is exact, and it
-- reads the few transfers that are no usage instead of the many that are.
SELECT (coalesce((SELECT sum(amount) FROM transfers WHERE credit_wallet = w.wallet_id), 0)
      - coalesce((SELECT sum(amount) FROM transfers WHERE debit_wallet = w.wallet_id), 0)
      - w.balance)::text
FROM wallets w WHERE w.wallet_id = $1

-- name: ledger_currency
SELECT currency FROM installation

-- name: transfers_of
-- Two index scans, each no longer than the page.
SELECT transfer_id, kind, amount, balance_after, reference, created_at FROM (
  (SELECT transfer_id, kind, -amount AS amount, debit_balance AS balance_after, reference, created_at
   FROM transfers
   WHERE debit_wallet = $1 AND ($2::text IS NULL OR kind = $2)
     AND ($3::timestamptz IS NULL OR (created_at, transfer_id) < ($3, $4::uuid))
   ORDER BY created_at DESC, transfer_id DESC LIMIT $5)
  UNION ALL
  (SELECT transfer_id, kind, amount, credit_balance, reference, created_at
   FROM transfers
   WHERE credit_wallet = $1 AND ($2::text IS NULL OR kind = $2)
     AND ($3::timestamptz IS NULL OR (created_at, transfer_id) < ($3, $4::uuid))
   ORDER BY created_at DESC, transfer_id DESC LIMIT $5)
) AS both_sides
ORDER BY created_at DESC, transfer_id DESC LIMIT $5

-- name: usage_transfers_of
SELECT transfer_id, kind, -amount AS amount, debit_balance AS balance_after, reference, created_at
FROM usage_transfers
WHERE debit_wallet = $1 AND ($2::timestamptz IS NULL OR (created_at, transfer_id) < ($2, $3::uuid))
ORDER BY created_at DESC, transfer_id DESC LIMIT $4

-- name: usage_days_of
-- One line a UTC day: the day's last transfer lends its id, time and balance. The days are found by jumping from the
-- newest transfer before a day to that transfer's day, so that only the days on the page are summed.
WITH RECURSIVE days AS (
  SELECT date_trunc('day', max(created_at), 'UTC') AS day FROM usage_transfers
  WHERE debit_wallet = $1 AND ($2::timestamptz IS NULL OR created_at < date_trunc('day', $2, 'UTC') + interval '1 day')
  UNION ALL
  SELECT (SELECT date_trunc('day', max(created_at), 'UTC') FROM usage_transfers
          WHERE debit_wallet = $1 AND created_at < days.day)
  FROM days WHERE days.day IS NOT NULL
), lines AS (
  SELECT l.transfer_id, 'usage' AS kind, -s.amount AS amount, l.debit_balance AS balance_after,
         to_char(days.day AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS reference, l.created_at
  FROM days
  CROSS JOIN LATERAL (
    SELECT transfer_id, debit_balance, created_at FROM usage_transfers
    WHERE debit_wallet = $1 AND created_at >= days.day AND created_at < days.day + interval '1 day'
    ORDER BY created_at DESC, transfer_id DESC LIMIT 1) AS l
  CROSS JOIN LATERAL (
    SELECT sum(amount)::bigint AS amount FROM usage_transfers
    WHERE debit_wallet = $1 AND created_at >= days.day AND created_at < days.day + interval '1 day') AS s
  WHERE days.day IS NOT NULL AND ($2::timestamptz IS NULL OR (l.created_at, l.transfer_id) < ($2, $3::uuid))
)
SELECT transfer_id, kind, amount, balance_after, reference, created_at FROM lines LIMIT $4
