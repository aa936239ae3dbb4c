-- name: insert_passkey
-- No row back: this credential is known already.
INSERT INTO passkeys (passkey_id, user_id, credential_id, public_key, sign_count, transports, is_backed_up, name)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT ON CONSTRAINT passkey_credential DO NOTHING
RETURNING passkey_id

-- name: passkeys_of
SELECT passkey_id, user_id, credential_id, public_key, sign_count, transports, is_backed_up, name, created_at, last_used_at
FROM passkeys WHERE user_id = $1 ORDER BY created_at, passkey_id

-- name: find_passkey
SELECT p.passkey_id, p.user_id, p.credential_id, p.public_key, p.sign_count, p.transports, p.is_backed_up, p.name,
       p.created_at, p.last_used_at
FROM passkeys p JOIN users u USING (user_id)
WHERE p.credential_id = $1 AND u.status = 'active'

-- name: use_passkey
-- The counter only goes up; authenticators that do not count stay at 0. No row back: a copy was used elsewhere.
UPDATE passkeys SET sign_count = $2, is_backed_up = $3, last_used_at = now()
WHERE passkey_id = $1 AND (sign_count < $2 OR sign_count = 0 AND $2 = 0)
RETURNING passkey_id

-- name: name_passkey
UPDATE passkeys SET name = $3 WHERE passkey_id = $1 AND user_id = $2 RETURNING passkey_id

-- name: remove_passkey
DELETE FROM passkeys WHERE passkey_id = $1 AND user_id = $2 RETURNING name

-- name: drop_passkeys
DELETE FROM passkeys WHERE user_id = $1
