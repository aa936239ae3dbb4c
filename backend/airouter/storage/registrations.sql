-- name: insert_registration
INSERT INTO registrations (token_hash, email, email_normal, password_hash, locale, referral_code, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval)

-- name: lock_registration
-- One at a time for each address: whoever joins takes all registrations of it away, which others may be using.
SELECT pg_advisory_xact_lock(hashtextextended('registration ' || email_normal, 0)) FROM registrations
WHERE token_hash = ANY ($1::bytea[])

-- name: use_registration
-- One row back for exactly one of those who come at once.
DELETE FROM registrations WHERE token_hash = ANY ($1::bytea[]) AND expires_at > now()
RETURNING email, password_hash, locale, referral_code

-- name: newest_registration
SELECT email, password_hash, locale, referral_code FROM registrations
WHERE email_normal = $1 AND expires_at > now() ORDER BY created_at DESC LIMIT 1

-- name: renew_registration
-- The newest gets another link; the one before it opens nothing any more.
UPDATE registrations SET token_hash = $2, expires_at = now() + $3::interval
WHERE token_hash = (SELECT token_hash FROM registrations WHERE email_normal = $1 AND expires_at > now()
                    ORDER BY created_at DESC LIMIT 1 FOR UPDATE)
RETURNING email, password_hash, locale, referral_code

-- name: drop_registrations
DELETE FROM registrations WHERE email_normal = $1

-- name: forget_registrations
DELETE FROM registrations WHERE token_hash IN (
  SELECT token_hash FROM registrations WHERE expires_at < now() FOR UPDATE SKIP LOCKED)

-- name: put_mailed_link
-- The only open one of its purpose and person.
INSERT INTO mailed_links (token_hash, purpose, user_id, email, expires_at) VALUES ($1, $2, $3, $4, now() + $5::interval)
ON CONFLICT ON CONSTRAINT mailed_link_one DO UPDATE SET
  token_hash = excluded.token_hash, email = excluded.email, expires_at = excluded.expires_at, used_at = NULL

-- name: mailed_link
SELECT user_id, email, purpose FROM mailed_links
WHERE token_hash = ANY ($1::bytea[]) AND purpose = ANY ($2::text[]) AND used_at IS NULL AND expires_at > now()

-- name: use_mailed_link
UPDATE mailed_links SET used_at = now()
WHERE token_hash = ANY ($1::bytea[]) AND purpose = ANY ($2::text[]) AND used_at IS NULL AND expires_at > now()
RETURNING user_id, email, purpose

-- name: drop_mailed_links
DELETE FROM mailed_links WHERE user_id = $1

-- name: forget_mailed_links
DELETE FROM mailed_links WHERE token_hash IN (
  SELECT token_hash FROM mailed_links WHERE expires_at < now() FOR UPDATE SKIP LOCKED)

-- name: verify_email
UPDATE users SET email_verified_at = coalesce(email_verified_at, now()) WHERE user_id = $1

-- name: change_email
UPDATE users SET email = $2, email_normal = $3, email_verified_at = now()
WHERE user_id = $1 AND NOT EXISTS (SELECT 1 FROM users other WHERE other.email_normal = $3 AND other.user_id <> $1)
RETURNING user_id

-- name: welcome_identity
-- No row back: this mailbox was welcomed before, perhaps under an older key.
INSERT INTO welcomed_identities (identity_hash)
SELECT ($1::bytea[])[1] WHERE NOT EXISTS (SELECT 1 FROM welcomed_identities WHERE identity_hash = ANY ($1::bytea[]))
ON CONFLICT (identity_hash) DO NOTHING
RETURNING identity_hash

-- name: spend_challenge
INSERT INTO solved_challenges (challenge_hash, expires_at) VALUES ($1, $2) ON CONFLICT (challenge_hash) DO NOTHING
RETURNING challenge_hash

-- name: forget_challenges
DELETE FROM solved_challenges WHERE challenge_hash IN (
  SELECT challenge_hash FROM solved_challenges WHERE expires_at < now() FOR UPDATE SKIP LOCKED)
