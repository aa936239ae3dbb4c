-- name: open_session
INSERT INTO sessions (session_id, user_id, expires_at, user_agent, address, method, second_method)
VALUES ($1, $2, now() + $3::interval, $4, $5, $6, $7)

-- name: authenticated_ago
SELECT now() - authenticated_at FROM sessions
WHERE session_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now()

-- name: authenticate_session
-- The person has proved once more who they are.
UPDATE sessions SET authenticated_at = now()
WHERE session_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now()
RETURNING session_id

-- name: lock_session
-- The row lock makes two refreshes of one session take turns.
SELECT s.session_id, s.user_id, s.rotation, now() - s.rotated_at AS rotated_ago,
       s.revoked_at IS NULL AND s.expires_at > now() AND u.status = 'active' AS is_live
FROM sessions s JOIN users u USING (user_id)
WHERE s.session_id = $1
FOR UPDATE OF s

-- name: hold_session
SELECT s.session_id FROM sessions s JOIN users u USING (user_id)
WHERE s.session_id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.status = 'active'
FOR SHARE OF s

-- name: rotate_session
UPDATE sessions SET rotation = rotation + 1, rotated_at = now(), expires_at = now() + $2::interval
WHERE session_id = $1
RETURNING rotation

-- name: revoke_session
-- Of one user when `$2` names one: nobody ends another's session.
UPDATE sessions SET revoked_at = now()
WHERE session_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR user_id = $2)
RETURNING session_id

-- name: revoke_sessions_of
-- All of a user, but the one that `$2` may name.
UPDATE sessions SET revoked_at = now()
WHERE session_id IN (SELECT session_id FROM sessions
                     WHERE user_id = $1 AND revoked_at IS NULL AND session_id IS DISTINCT FROM $2
                     ORDER BY session_id FOR NO KEY UPDATE)
RETURNING session_id

-- name: standing
-- What a call needs to know about who makes it: one look-up, remembered until Postgres says that it changed.
SELECT s.session_id, s.user_id, s.expires_at, u.email, u.role, u.locale,
       s.revoked_at IS NULL AND s.expires_at > now() AND u.status = 'active' AS is_live,
       lacks_factor(u.user_id, u.role) AS lacks_factor
FROM sessions s JOIN users u USING (user_id)
WHERE s.session_id = $1

-- name: memberships
SELECT m.account_id, a.name, a.kind, m.team_role, a.group_name, a.status, w.wallet_id
FROM members m
JOIN accounts a USING (account_id)
JOIN wallets w ON w.account_id = a.account_id AND w.kind = 'main'
WHERE m.user_id = $1
ORDER BY a.kind = 'personal' DESC, m.joined_at, m.account_id

-- name: sessions_of
SELECT session_id, created_at, rotated_at AS last_used_at, expires_at, user_agent, host(address) AS address,
       method, second_method, authenticated_at
FROM sessions
WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
  AND ($2::timestamptz IS NULL OR (created_at, session_id) < ($2, $3::uuid))
ORDER BY created_at DESC, session_id DESC
LIMIT $4

-- name: forget_ended_sessions
-- A session that ended a month ago interests nobody, and it is personal data.
DELETE FROM sessions WHERE session_id IN (
  SELECT session_id FROM sessions WHERE least(coalesce(revoked_at, expires_at), expires_at) < now() - interval '30 days' FOR UPDATE SKIP LOCKED)
