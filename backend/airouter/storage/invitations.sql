-- name: drop_open
-- A new invitation replaces the one before it.
UPDATE invitations SET revoked_at = now()
WHERE account_id = $1 AND email_normal = $2 AND accepted_at IS NULL AND revoked_at IS NULL

-- name: insert_invitation
INSERT INTO invitations (invitation_id, account_id, email, email_normal, team_role, token_hash, is_mailed, invited_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::interval)
ON CONFLICT (invitation_id) DO NOTHING

-- name: find_invitation
SELECT i.invitation_id, i.account_id, i.email, i.team_role, i.is_mailed, u.email AS invited_by, i.created_at, i.expires_at
FROM invitations i JOIN users u ON u.user_id = i.invited_by
WHERE i.invitation_id = $1 AND i.account_id = $2

-- name: open_invitations
SELECT i.invitation_id, i.account_id, i.email, i.team_role, i.is_mailed, u.email AS invited_by, i.created_at, i.expires_at
FROM invitations i JOIN users u ON u.user_id = i.invited_by
WHERE i.account_id = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
  AND ($2::timestamptz IS NULL OR (i.created_at, i.invitation_id) < ($2, $3::uuid))
ORDER BY i.created_at DESC, i.invitation_id DESC
LIMIT $4

-- name: count_seats
-- Members, and those who are invited.
SELECT (SELECT count(*) FROM members WHERE account_id = $1)
     + (SELECT count(*) FROM invitations WHERE account_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now())

-- name: is_member
SELECT EXISTS (SELECT 1 FROM members m JOIN users u USING (user_id) WHERE m.account_id = $1 AND u.email_normal = $2)

-- name: revoke_invitation
UPDATE invitations SET revoked_at = now()
WHERE invitation_id = $1 AND account_id = $2 AND accepted_at IS NULL AND revoked_at IS NULL
RETURNING email, team_role

-- name: revoke_all
UPDATE invitations SET revoked_at = now()
WHERE invitation_id IN (SELECT invitation_id FROM invitations WHERE account_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL
                        ORDER BY invitation_id FOR UPDATE)

-- name: offer
-- What whoever has the token may know.
SELECT i.account_id, a.name AS account_name, i.email, i.email_normal, i.team_role, i.is_mailed, inviter.email AS invited_by, i.expires_at,
       EXISTS (SELECT 1 FROM users u WHERE u.email_normal = i.email_normal) AS has_user
FROM invitations i
JOIN accounts a USING (account_id)
JOIN users inviter ON inviter.user_id = i.invited_by
WHERE i.token_hash = ANY ($1::bytea[]) AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
  AND a.deleted_at IS NULL

-- name: accept
-- One row back for exactly one of those who come at once.
UPDATE invitations SET accepted_at = now(), accepted_by = $2
WHERE token_hash = ANY ($1::bytea[]) AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()
RETURNING invitation_id, account_id, team_role
