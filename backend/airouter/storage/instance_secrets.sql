-- name: put_secret
INSERT INTO instance_secrets (name, ciphertext, updated_by) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET ciphertext = excluded.ciphertext, updated_at = now(), updated_by = excluded.updated_by
RETURNING name, ciphertext, updated_at

-- name: find_secret
SELECT name, ciphertext, updated_at FROM instance_secrets WHERE name = $1
