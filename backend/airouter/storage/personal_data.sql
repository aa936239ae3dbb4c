-- What is held about a person: as themselves, in their personal account, and of teams only what is their own.
-- Never a hash, a secret, or anything about somebody else.

-- name: put_personal_export
-- No row back: one is being put together already.
INSERT INTO personal_exports (export_id, user_id) VALUES ($1, $2)
ON CONFLICT (user_id) WHERE finished_at IS NULL DO NOTHING
RETURNING export_id

-- name: latest_personal_export
SELECT export_id, requested_at, finished_at, expires_at, size_bytes,
       finished_at IS NULL AS is_pending, content IS NOT NULL AND expires_at > now() AS is_ready
FROM personal_exports WHERE user_id = $1 ORDER BY requested_at DESC LIMIT 1

-- name: open_personal_exports
SELECT p.export_id, p.user_id, u.email, u.locale
FROM personal_exports p JOIN users u USING (user_id)
WHERE p.finished_at IS NULL AND u.erased_at IS NULL ORDER BY p.requested_at LIMIT 20

-- name: finish_personal_export
-- The one before it goes; no row back: another process was quicker, or the person was erased.
WITH old AS (
  UPDATE personal_exports SET content = NULL, token_hash = NULL WHERE user_id = $2 AND export_id <> $1 AND content IS NOT NULL
)
UPDATE personal_exports SET finished_at = now(), expires_at = now() + $3::interval, content = $4, size_bytes = $5
WHERE export_id = $1 AND user_id = $2 AND finished_at IS NULL
RETURNING export_id

-- name: link_personal_export
-- A new link takes the place of the one before.
UPDATE personal_exports SET token_hash = $2
WHERE export_id = (SELECT export_id FROM personal_exports WHERE user_id = $1 AND content IS NOT NULL AND expires_at > now()
                   ORDER BY requested_at DESC LIMIT 1)
RETURNING export_id

-- name: take_personal_export
UPDATE personal_exports SET token_hash = NULL, taken_at = now()
WHERE token_hash = ANY ($1::bytea[]) AND content IS NOT NULL AND expires_at > now()
RETURNING export_id, content

-- name: forget_personal_exports
UPDATE personal_exports SET content = NULL, token_hash = NULL WHERE export_id IN (
  SELECT export_id FROM personal_exports WHERE content IS NOT NULL AND expires_at <= now() FOR UPDATE SKIP LOCKED)

-- name: of_profile
SELECT user_id, email, role, status, locale, created_at FROM users WHERE user_id = $1

-- name: of_sessions
SELECT session_id, created_at, rotated_at AS last_used_at, expires_at, revoked_at, user_agent, host(address) AS address,
       method, second_method
FROM sessions WHERE user_id = $1 ORDER BY created_at

-- name: of_passkeys
SELECT name, transports, is_backed_up, created_at, last_used_at FROM passkeys WHERE user_id = $1 ORDER BY created_at

-- name: of_second_factors
SELECT 'totp' AS kind, created_at, confirmed_at FROM totp_factors WHERE user_id = $1

-- name: of_identities
SELECT provider_id, subject, name, linked_at, last_used_at FROM identities WHERE user_id = $1 ORDER BY linked_at

-- name: of_accounts
SELECT a.account_id, a.name, a.kind, a.group_name, a.status, a.created_at, m.team_role, m.joined_at
FROM members m JOIN accounts a USING (account_id) WHERE m.user_id = $1 ORDER BY m.joined_at

-- name: of_keys
SELECT key_id, account_id, name, prefix, status, group_name, spend_limit, spent, models, allowed_ips, created_at,
       expires_at, last_used_at
FROM keys WHERE user_id = $1 ORDER BY created_at

-- name: of_tokens
SELECT token_id, account_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
FROM management_tokens WHERE user_id = $1 ORDER BY created_at

-- name: of_mails
-- Only that they were sent: what stands in them is wiped then.
SELECT m.letter, m.state, m.created_at, m.finished_at
FROM mails m JOIN users u ON lower(u.email) = lower(m.recipient) WHERE u.user_id = $1 ORDER BY m.created_at

-- name: of_invitations
SELECT i.account_id, i.team_role, i.created_at, i.expires_at, i.accepted_at, i.revoked_at
FROM invitations i JOIN users u ON u.email_normal = i.email_normal OR i.accepted_by = u.user_id
WHERE u.user_id = $1 ORDER BY i.created_at

-- name: of_transfers
SELECT t.transfer_id, t.created_at, t.kind, t.reference, w.kind AS wallet,
       CASE WHEN t.credit_wallet = w.wallet_id THEN t.amount ELSE -t.amount END AS amount,
       CASE WHEN t.credit_wallet = w.wallet_id THEN t.credit_balance ELSE t.debit_balance END AS balance_after, t.memo
FROM members m JOIN accounts a ON a.account_id = m.account_id AND a.kind = 'personal'
JOIN wallets w ON w.account_id = a.account_id
JOIN transfers t ON t.credit_wallet = w.wallet_id OR t.debit_wallet = w.wallet_id
WHERE m.user_id = $1 ORDER BY t.created_at, t.transfer_id

-- name: of_redemptions
SELECT r.account_id, c.hint, b.name AS batch, b.amount, r.redeemed_at
FROM redemptions r JOIN redemption_codes c USING (code_id) JOIN redemption_batches b USING (batch_id)
WHERE r.user_id = $1 ORDER BY r.redeemed_at

-- name: of_orders
SELECT order_id, account_id, method_id, status, currency, exponent, amount, fee, quota, bonus_quota, refunded_amount,
       disputes, created_at, paid_at
FROM orders WHERE user_id = $1 ORDER BY created_at

-- name: of_referrals
SELECT r.joined_at, r.referrer_account = m.account_id AS as_referrer, r.invitee_account = m.account_id AS as_invitee, r.network
FROM members m JOIN accounts a ON a.account_id = m.account_id AND a.kind = 'personal'
JOIN referrals r ON r.referrer_account = a.account_id OR r.invitee_account = a.account_id
WHERE m.user_id = $1 ORDER BY r.joined_at

-- name: of_rewards
SELECT w.side, w.cause, w.amount, w.posted, w.state, w.created_at, w.released_at
FROM members m JOIN accounts a ON a.account_id = m.account_id AND a.kind = 'personal'
JOIN rewards w ON w.account_id = a.account_id
WHERE m.user_id = $1 ORDER BY w.created_at

-- name: of_acts
-- What they did, and what was done about them: from where, only of the former; the rest is somebody else's.
SELECT created_at, action, subject, subject_id, account_id, CASE WHEN user_id = $1 THEN address END AS address, before, after
FROM audit_log WHERE user_id = $1 OR (subject = 'user' AND subject_id = $1::uuid::text) ORDER BY created_at

-- name: of_usage
-- A page: of the personal account all, of teams what the person's keys used.
SELECT r.created_at, r.request_id, r.account_id, r.key_id, r.model, r.endpoint, r.status, r.quantities, r.cost, r.charged,
       r.client_request_id
FROM usage_records r
WHERE r.account_id = ANY ($2::uuid[])
  AND (r.user_id = $1 OR r.account_id = $3 OR (r.user_id IS NULL AND r.key_id IN (SELECT key_id FROM keys WHERE user_id = $1)))
  AND ($4::timestamptz IS NULL OR (r.created_at, r.request_id) < ($4, $5::uuid))
ORDER BY r.created_at DESC, r.request_id DESC LIMIT $6
