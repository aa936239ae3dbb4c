-- name: insert_user
-- No row back: the address is taken.
INSERT INTO users (user_id, email, email_normal, password_hash, role, locale)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT user_email DO NOTHING
RETURNING user_id

-- name: find_user_by_email
SELECT user_id, email, password_hash, role, status, locale FROM users WHERE email_normal = $1

-- name: find_user
SELECT user_id, email, password_hash, role, status, locale FROM users WHERE user_id = $1

-- name: set_password
UPDATE users SET password_hash = $2 WHERE user_id = $1

-- name: set_locale
UPDATE users SET locale = $2 WHERE user_id = $1

-- name: lock_user
SELECT user_id, email, password_hash, role, status, locale FROM users WHERE user_id = $1 FOR NO KEY UPDATE

-- name: lock_owners
-- Whoever dismisses, bans or appoints holds these first, so that of two owners who dismiss each other one remains.
SELECT user_id FROM users WHERE role = 'owner' AND status = 'active' ORDER BY user_id FOR NO KEY UPDATE

-- name: set_standing
UPDATE users SET role = $2, status = $3 WHERE user_id = $1

-- name: set_role
UPDATE users SET role = $2 WHERE user_id = $1 RETURNING user_id

-- name: operators_exist
SELECT EXISTS (SELECT 1 FROM users WHERE role IN ('operator', 'owner') AND status = 'active')

-- name: put_link
INSERT INTO one_time_links (token_hash, purpose, email, expires_at) VALUES ($1, $2, $3, now() + $4::interval)

-- name: use_link
-- One row back for exactly one of those who come at once.
UPDATE one_time_links SET used_at = now()
WHERE token_hash = ANY ($1::bytea[]) AND purpose = $2 AND used_at IS NULL AND expires_at > now()
RETURNING email

-- name: link_is_open
SELECT EXISTS (SELECT 1 FROM one_time_links
               WHERE token_hash = ANY ($1::bytea[]) AND purpose = $2 AND used_at IS NULL AND expires_at > now())

-- name: drop_links
-- A new link replaces the ones before it.
DELETE FROM one_time_links WHERE purpose = $1 AND email = $2 AND used_at IS NULL
