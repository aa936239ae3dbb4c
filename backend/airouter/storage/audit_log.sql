-- name: insert_act
INSERT INTO audit_log (act_id, action, subject, subject_id, account_id, user_id, token_id, address, request_id, before, after)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: page_of_acts
-- Newest first. `action` is a whole one, or the beginning of several ('channel.').
SELECT a.act_id, a.created_at, a.action, a.subject, a.subject_id, a.account_id, a.user_id, u.email AS user_email,
       a.token_id, a.address, a.request_id, a.before, a.after, a.is_erased,
       m.user_id IS NOT NULL AS is_member
FROM audit_log a
LEFT JOIN users u ON u.user_id = a.user_id
LEFT JOIN members m ON m.user_id = a.user_id AND m.account_id = a.account_id
WHERE ($1::uuid IS NULL OR a.user_id = $1)
  AND ($2::text IS NULL OR a.action = $2 OR starts_with(a.action, rtrim($2, '.') || '.'))
  AND ($3::text IS NULL OR a.subject = $3)
  AND ($4::text IS NULL OR a.subject_id = $4)
  AND ($5::uuid IS NULL OR a.account_id = $5)
  AND ($6::timestamptz IS NULL OR a.created_at >= $6)
  AND ($7::timestamptz IS NULL OR a.created_at < $7)
  AND ($8::timestamptz IS NULL OR (a.created_at, a.act_id) < ($8, $9::uuid))
ORDER BY a.created_at DESC, a.act_id DESC
LIMIT $10

-- name: find_act
SELECT a.act_id, a.created_at, a.action, a.subject, a.subject_id, a.account_id, a.user_id, u.email AS user_email,
       a.token_id, a.address, a.request_id, a.before, a.after, a.is_erased,
       m.user_id IS NOT NULL AS is_member
FROM audit_log a
LEFT JOIN users u ON u.user_id = a.user_id
LEFT JOIN members m ON m.user_id = a.user_id AND m.account_id = a.account_id
WHERE a.act_id = $1

-- name: erase_person_from_acts
SELECT erase_from_audit_log($1, $2, $3)

-- name: put_audit_export
INSERT INTO audit_exports (token_hash, filters, format, expires_at) VALUES ($1, $2, $3, now() + $4::interval)

-- name: use_audit_export
DELETE FROM audit_exports WHERE token_hash = ANY ($1::bytea[]) RETURNING filters, format, expires_at > now() AS is_open
