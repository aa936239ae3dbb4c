-- Budgets as people set and see them. Settlement locks and charges them: leases.sql.

-- name: hold_member
-- Keys that are made or handed over meanwhile wait for this, so that none escapes a budget: see the triggers of keys.
SELECT true FROM members WHERE account_id = $1 AND user_id = $2 FOR NO KEY UPDATE

-- name: lock_keys_below
-- Deleted ones as well: calls of theirs may still run.
SELECT key_id, leased, last_used_at FROM keys WHERE account_id = $1 AND (key_id = $2 OR user_id = $3)
ORDER BY key_id FOR NO KEY UPDATE

-- name: lock_budgets_of
-- Of a key or a member. The keys below are locked before, and whoever moves all windows of an account waits here.
SELECT budget_id FROM budgets WHERE account_id = $1 AND key_id IS NOT DISTINCT FROM $2 AND user_id IS NOT DISTINCT FROM $3
ORDER BY budget_id FOR UPDATE

-- name: put_budget
-- Counts from now on, or from just after the newest call of its keys that is charged already. A lowered maximum holds at
-- once; what is in use beyond it is excused.
INSERT INTO budgets AS b (budget_id, account_id, key_id, user_id, period, quota_max, leased, excess, window_start, window_end)
SELECT $1::uuid, a.account_id, $3::uuid, $4::uuid, $5::text, $6::bigint, $7::bigint, greatest(0, $7 - $6),
       greatest(now(), $8::timestamptz + interval '1 millisecond'), w.ends
FROM accounts a CROSS JOIN LATERAL budget_window($5, a.time_zone, now()) w WHERE a.account_id = $2::uuid
ON CONFLICT ON CONSTRAINT budget_once DO UPDATE
SET quota_max = excluded.quota_max, excess = greatest(0, b.spent + b.leased - excluded.quota_max)

-- name: drop_other_budgets
DELETE FROM budgets
WHERE account_id = $1 AND key_id IS NOT DISTINCT FROM $2 AND user_id IS NOT DISTINCT FROM $3 AND period <> ALL ($4::text[])

-- name: mark_budgeted
UPDATE keys k SET is_budgeted = d.is_budgeted
FROM (SELECT key_id, EXISTS (SELECT FROM budgets b WHERE b.key_id = o.key_id OR (b.account_id = o.account_id AND b.user_id = o.user_id))
        AS is_budgeted
      FROM keys o WHERE o.key_id = ANY ($1::uuid[])) d
WHERE k.key_id = d.key_id AND k.is_budgeted <> d.is_budgeted

-- name: budgets_of_keys
-- As they stand at this moment: a window that is over has spent nothing, even before its next call.
SELECT b.key_id, b.period, b.quota_max, CASE WHEN now() >= b.window_end THEN 0 ELSE b.spent END AS spent, b.leased,
       CASE WHEN now() >= b.window_end THEN w.ends ELSE b.window_end END AS resets_at
FROM budgets b JOIN accounts a USING (account_id) CROSS JOIN LATERAL budget_window(b.period, a.time_zone, now()) w
WHERE b.key_id = ANY ($1::uuid[])
ORDER BY array_position(ARRAY['total', 'day', 'week', 'month'], b.period)

-- name: budgets_of_members
SELECT b.user_id, b.period, b.quota_max, CASE WHEN now() >= b.window_end THEN 0 ELSE b.spent END AS spent, b.leased,
       CASE WHEN now() >= b.window_end THEN w.ends ELSE b.window_end END AS resets_at
FROM budgets b JOIN accounts a USING (account_id) CROSS JOIN LATERAL budget_window(b.period, a.time_zone, now()) w
WHERE b.account_id = $1 AND b.user_id = ANY ($2::uuid[])
ORDER BY array_position(ARRAY['total', 'day', 'week', 'month'], b.period)

-- name: is_member
SELECT EXISTS (SELECT FROM members WHERE account_id = $1 AND user_id = $2)

-- name: knows_zone
SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)

-- name: time_zone_of
SELECT time_zone FROM accounts WHERE account_id = $1

-- name: set_time_zone
UPDATE accounts SET time_zone = $2 WHERE account_id = $1

-- name: lock_windows
SELECT budget_id FROM budgets WHERE account_id = $1 AND period <> 'total' ORDER BY budget_id FOR NO KEY UPDATE

-- name: move_windows
-- The running window goes on to its next end in the account's new zone; one that is over begins anew.
UPDATE budgets b SET window_start = CASE WHEN now() >= b.window_end THEN greatest(w.starts, b.window_end) ELSE b.window_start END,
                     spent = CASE WHEN now() >= b.window_end THEN 0 ELSE b.spent END,
                     window_end = w.ends
FROM accounts a, LATERAL (SELECT * FROM budgets o, LATERAL budget_window(o.period, a.time_zone, now()) x
                          WHERE o.account_id = a.account_id AND o.period <> 'total') w
WHERE a.account_id = $1 AND b.budget_id = w.budget_id
