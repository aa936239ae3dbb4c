-- name: ways_in
-- What somebody can sign in with. Identities count while their provider is switched on.
SELECT u.password_hash,
       EXISTS (SELECT 1 FROM totp_factors t WHERE t.user_id = u.user_id AND t.confirmed_at IS NOT NULL) AS has_totp,
       (SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.user_id AND r.used_at IS NULL) AS recovery_codes_left,
       (SELECT count(*) FROM passkeys p WHERE p.user_id = u.user_id) AS passkeys,
       (SELECT count(*) FROM identities i JOIN identity_providers o USING (provider_id)
        WHERE i.user_id = u.user_id AND o.is_enabled) AS identities
FROM users u WHERE u.user_id = $1

-- name: owners_with_password_only
SELECT EXISTS (
  SELECT 1 FROM users u
  WHERE u.role = 'owner' AND u.status = 'active'
    AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.user_id)
    AND NOT EXISTS (SELECT 1 FROM identities i JOIN identity_providers o USING (provider_id)
                    WHERE i.user_id = u.user_id AND o.is_enabled))

-- name: owners_are_shut_out
-- Whether passwords are off and some owner has nothing else.
SELECT EXISTS (SELECT 1 FROM policies WHERE topic = 'sign_in' AND NOT (value ->> 'password_enabled')::boolean)
  AND EXISTS (
    SELECT 1 FROM users u
    WHERE u.role = 'owner' AND u.status = 'active'
      AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.user_id)
      AND NOT EXISTS (SELECT 1 FROM identities i JOIN identity_providers o USING (provider_id)
                      WHERE i.user_id = u.user_id AND o.is_enabled))

-- name: begin_totp
-- One that was begun and never proved is replaced; one in use is not (no row back).
INSERT INTO totp_factors (user_id, secret) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = now(), last_step = 0
WHERE totp_factors.confirmed_at IS NULL
RETURNING user_id

-- name: find_totp
SELECT secret, confirmed_at IS NOT NULL AS is_confirmed FROM totp_factors WHERE user_id = $1

-- name: confirm_totp
UPDATE totp_factors SET confirmed_at = now(), last_step = $3
WHERE user_id = $1 AND secret = $2 AND confirmed_at IS NULL
RETURNING user_id

-- name: use_totp_step
-- One row back for exactly one of those who come with the same code.
UPDATE totp_factors SET last_step = $2
WHERE user_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2
RETURNING user_id

-- name: remove_totp
DELETE FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL RETURNING user_id

-- name: drop_totp
-- One that was begun and never proved, too.
DELETE FROM totp_factors WHERE user_id = $1

-- name: drop_recovery_codes
DELETE FROM recovery_codes WHERE user_id = $1

-- name: put_recovery_codes
INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])

-- name: use_recovery_code
UPDATE recovery_codes SET used_at = now()
WHERE user_id = $1 AND code_hash = ANY ($2::bytea[]) AND used_at IS NULL
RETURNING user_id

-- name: spend_proof
-- No row back: it has been used.
INSERT INTO spent_proofs (proof_hash, expires_at) VALUES ($1, $2)
ON CONFLICT (proof_hash) DO NOTHING
RETURNING proof_hash

-- name: forget_spent_proofs
DELETE FROM spent_proofs WHERE proof_hash IN (
  SELECT proof_hash FROM spent_proofs WHERE expires_at < now() - interval '1 hour' FOR UPDATE SKIP LOCKED)
