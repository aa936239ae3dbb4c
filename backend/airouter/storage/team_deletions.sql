-- Deletions of teams that are not empty: asked for, cancelled, due, carried out.

-- name: put_team_deletion
-- Asked for again: the later request counts, unless it was carried out.
INSERT INTO team_deletions AS known (account_id, requested_by, is_by_operator, due_at, ends_keys_now)
VALUES ($1, $2, $3, now() + $4::interval, $5)
ON CONFLICT (account_id) DO UPDATE
SET requested_at = now(), requested_by = excluded.requested_by, is_by_operator = excluded.is_by_operator,
    due_at = excluded.due_at, ends_keys_now = excluded.ends_keys_now
WHERE known.finished_at IS NULL

-- name: find_team_deletion
SELECT account_id, requested_at, is_by_operator, due_at, ends_keys_now FROM team_deletions
WHERE account_id = $1 AND finished_at IS NULL

-- name: cancel_team_deletion
-- Not one that is due: it may be under way.
DELETE FROM team_deletions WHERE account_id = $1 AND finished_at IS NULL AND due_at > now() RETURNING account_id

-- name: due_team_deletions
SELECT account_id, requested_at, is_by_operator, due_at, ends_keys_now FROM team_deletions
WHERE finished_at IS NULL AND due_at <= now() ORDER BY due_at LIMIT 100

-- name: lock_team_deletion
SELECT account_id FROM team_deletions WHERE account_id = $1 AND finished_at IS NULL FOR UPDATE

-- name: lock_due_team_deletion
SELECT account_id, requested_at, is_by_operator, due_at, ends_keys_now FROM team_deletions
WHERE account_id = $1 AND finished_at IS NULL AND due_at <= now() FOR UPDATE

-- name: postpone_team_deletion
UPDATE team_deletions SET due_at = now() + $2::interval WHERE account_id = $1 AND finished_at IS NULL

-- name: finish_team_deletion
-- Also one that was asked for and is overtaken, because the team was found empty and deleted at once.
UPDATE team_deletions SET finished_at = now() WHERE account_id = $1 AND finished_at IS NULL RETURNING account_id

-- name: owners_to_tell
SELECT u.email, u.locale FROM members m JOIN users u USING (user_id)
WHERE m.account_id = $1 AND m.team_role = 'owner' AND u.status = 'active' ORDER BY m.joined_at, u.user_id
