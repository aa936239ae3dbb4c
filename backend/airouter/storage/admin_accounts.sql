-- name: search_accounts
-- Newest first. $1: a LIKE pattern over the account's name and its members' addresses, escaped by the caller.
SELECT a.account_id, a.name, a.kind, a.group_name, a.status, a.rate_limits, a.created_at, a.deleted_at, e.due_at AS deletion_due_at,
  m.wallet_id, m.balance + coalesce(h.balance, 0) AS balance, m.leased + coalesce(h.balance, 0) AS held, m.overrun, r.balance AS reward_balance, coalesce(-d.balance, 0) AS debt
FROM accounts a
JOIN wallets m ON m.account_id = a.account_id AND m.kind = 'main'
JOIN wallets r ON r.account_id = a.account_id AND r.kind = 'reward'
LEFT JOIN wallets d ON d.account_id = a.account_id AND d.kind = 'debt'
LEFT JOIN wallets h ON h.account_id = a.account_id AND h.kind = 'reserved'
LEFT JOIN team_deletions e ON e.account_id = a.account_id AND e.finished_at IS NULL
WHERE ($1::text IS NULL OR a.name ILIKE $1 OR EXISTS (
    SELECT 1 FROM members b JOIN users u USING (user_id) WHERE b.account_id = a.account_id AND u.email ILIKE $1))
  AND ($2::text IS NULL OR a.group_name = $2)
  AND ($3::text IS NULL OR a.status = $3)
  AND ($4::timestamptz IS NULL OR (a.created_at, a.account_id) < ($4, $5::uuid))
ORDER BY a.created_at DESC, a.account_id DESC LIMIT $6

-- name: find_account
SELECT a.account_id, a.name, a.kind, a.group_name, a.status, a.rate_limits, a.created_at, a.deleted_at, e.due_at AS deletion_due_at,
  m.wallet_id, m.balance + coalesce(h.balance, 0) AS balance, m.leased + coalesce(h.balance, 0) AS held, m.overrun, r.balance AS reward_balance, coalesce(-d.balance, 0) AS debt
FROM accounts a
JOIN wallets m ON m.account_id = a.account_id AND m.kind = 'main'
JOIN wallets r ON r.account_id = a.account_id AND r.kind = 'reward'
LEFT JOIN wallets d ON d.account_id = a.account_id AND d.kind = 'debt'
LEFT JOIN wallets h ON h.account_id = a.account_id AND h.kind = 'reserved'
LEFT JOIN team_deletions e ON e.account_id = a.account_id AND e.finished_at IS NULL
WHERE a.account_id = $1

-- name: members_of
SELECT b.account_id, u.user_id, u.email, b.team_role, u.role, u.status
FROM members b JOIN users u USING (user_id)
WHERE b.account_id = ANY($1::uuid[]) ORDER BY b.joined_at, u.user_id

-- name: change_account
-- Null: stays as it is. One that is gone stays gone.
UPDATE accounts SET group_name = coalesce($2, group_name), status = coalesce($3, status), rate_limits = coalesce($4, rate_limits)
WHERE account_id = $1 AND deleted_at IS NULL RETURNING account_id

-- name: search_users
-- Newest first. $1: a LIKE pattern over the address, escaped by the caller.
SELECT u.user_id, u.email, u.role, u.status, u.locale, u.created_at, u.erased_at, e.due_at AS deletion_due_at,
  EXISTS (SELECT 1 FROM totp_factors t WHERE t.user_id = u.user_id AND t.confirmed_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.user_id) AS has_second_factor
FROM users u LEFT JOIN deletions e ON e.user_id = u.user_id AND e.finished_at IS NULL
WHERE ($1::text IS NULL OR u.email ILIKE $1)
  AND ($2::text IS NULL OR u.role = $2)
  AND ($3::text IS NULL OR u.status = $3)
  AND ($4::timestamptz IS NULL OR (u.created_at, u.user_id) < ($4, $5::uuid))
ORDER BY u.created_at DESC, u.user_id DESC LIMIT $6

-- name: find_person
SELECT u.user_id, u.email, u.role, u.status, u.locale, u.created_at, u.erased_at, e.due_at AS deletion_due_at,
  EXISTS (SELECT 1 FROM totp_factors t WHERE t.user_id = u.user_id AND t.confirmed_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.user_id) AS has_second_factor
FROM users u LEFT JOIN deletions e ON e.user_id = u.user_id AND e.finished_at IS NULL WHERE u.user_id = $1

-- name: accounts_of
SELECT b.user_id, b.account_id, a.name, a.kind, b.team_role
FROM members b JOIN accounts a USING (account_id)
WHERE b.user_id = ANY($1::uuid[]) ORDER BY b.joined_at, a.account_id
