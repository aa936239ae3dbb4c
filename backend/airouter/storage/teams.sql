-- name: insert_team
-- No row back: an account with this id exists, so this is the same request once more.
INSERT INTO accounts (account_id, name, kind, group_name) VALUES ($1, $2, 'team', $3)
ON CONFLICT (account_id) DO NOTHING
RETURNING account_id

-- name: count_owned
SELECT count(*) FROM members m JOIN accounts a USING (account_id)
WHERE m.user_id = $1 AND m.team_role = 'owner' AND a.kind = 'team'

-- name: find_team
SELECT account_id, name, kind, group_name, status, created_at FROM accounts WHERE account_id = $1 AND deleted_at IS NULL

-- name: lock_team
-- Whoever changes who belongs to an account, or as what, holds its row: so the last owner is known to be the last.
SELECT account_id, name, kind, group_name, status, created_at FROM accounts WHERE account_id = $1 AND deleted_at IS NULL
FOR NO KEY UPDATE

-- name: rename_team
UPDATE accounts SET name = $2 WHERE account_id = $1

-- name: delete_team
UPDATE accounts SET status = 'paused', deleted_at = now() WHERE account_id = $1

-- name: delete_keys_in
-- Keys are locked by id, as everywhere.
UPDATE keys SET status = 'deleted'
WHERE key_id IN (SELECT key_id FROM keys WHERE account_id = $1 AND status <> 'deleted' ORDER BY key_id FOR NO KEY UPDATE)

-- name: members_of
-- In the order in which they joined. `keys`: how many they are responsible for.
SELECT m.user_id, u.email, u.status, m.team_role, m.joined_at,
       (SELECT count(*) FROM keys k WHERE k.account_id = m.account_id AND k.user_id = m.user_id AND k.status = 'active') AS keys
FROM members m JOIN users u USING (user_id)
WHERE m.account_id = $1 AND ($2::timestamptz IS NULL OR (m.joined_at, m.user_id) > ($2, $3::uuid))
ORDER BY m.joined_at, m.user_id
LIMIT $4

-- name: find_member
SELECT m.user_id, u.email, u.status, m.team_role, m.joined_at,
       (SELECT count(*) FROM keys k WHERE k.account_id = m.account_id AND k.user_id = m.user_id AND k.status = 'active') AS keys
FROM members m JOIN users u USING (user_id)
WHERE m.account_id = $1 AND m.user_id = $2

-- name: count_owners
-- Owners who can sign in: one who is banned looks after nothing.
SELECT count(*) FROM members m JOIN users u USING (user_id)
WHERE m.account_id = $1 AND m.team_role = 'owner' AND u.status = 'active'

-- name: insert_member
-- No row back: they belong to it already.
INSERT INTO members (account_id, user_id, team_role) VALUES ($1, $2, $3)
ON CONFLICT (account_id, user_id) DO NOTHING
RETURNING user_id

-- name: set_team_role
UPDATE members SET team_role = $3 WHERE account_id = $1 AND user_id = $2

-- name: delete_member
DELETE FROM members WHERE account_id = $1 AND user_id = $2

-- name: delete_members
DELETE FROM members WHERE account_id = $1
