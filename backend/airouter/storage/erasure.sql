-- Deletions that were asked for, and what an erased person leaves: ids, and nothing that says who they were.

-- name: put_deletion
-- Asked for again: the later request counts, unless it was carried out.
INSERT INTO deletions AS known (user_id, requested_by, due_at, ends_keys_now) VALUES ($1, $2, now() + $3::interval, $4)
ON CONFLICT (user_id) DO UPDATE
SET requested_at = now(), requested_by = excluded.requested_by, due_at = excluded.due_at, ends_keys_now = excluded.ends_keys_now
WHERE known.finished_at IS NULL
RETURNING user_id

-- name: find_deletion
SELECT user_id, requested_at, requested_by, due_at, ends_keys_now FROM deletions WHERE user_id = $1 AND finished_at IS NULL

-- name: cancel_deletion
-- Not one that is due: it may be under way.
DELETE FROM deletions WHERE user_id = $1 AND finished_at IS NULL AND due_at > now() RETURNING user_id

-- name: due_deletions
SELECT user_id, requested_at, requested_by, due_at, ends_keys_now FROM deletions
WHERE finished_at IS NULL AND due_at <= now() ORDER BY due_at LIMIT 100

-- name: lock_due_deletion
SELECT user_id, requested_at, requested_by, due_at, ends_keys_now FROM deletions
WHERE user_id = $1 AND finished_at IS NULL AND due_at <= now() FOR UPDATE

-- name: postpone_deletion
UPDATE deletions SET due_at = now() + $2::interval WHERE user_id = $1 AND finished_at IS NULL

-- name: finish_deletion
UPDATE deletions SET finished_at = now() WHERE user_id = $1 AND finished_at IS NULL

-- name: teams_that_need_them
-- Teams with other members and no other owner who can still sign in.
SELECT m.account_id FROM members m JOIN accounts a ON a.account_id = m.account_id AND a.kind = 'team'
WHERE m.user_id = $1 AND m.team_role = 'owner'
  AND EXISTS (SELECT 1 FROM members o WHERE o.account_id = m.account_id AND o.user_id <> $1)
  AND NOT EXISTS (SELECT 1 FROM members o JOIN users u USING (user_id)
                  WHERE o.account_id = m.account_id AND o.user_id <> $1 AND o.team_role = 'owner' AND u.status = 'active')
ORDER BY m.account_id

-- name: is_last_instance_owner
SELECT EXISTS (SELECT 1 FROM users WHERE user_id = $1 AND role = 'owner')
   AND NOT EXISTS (SELECT 1 FROM users WHERE user_id <> $1 AND role = 'owner' AND status = 'active')

-- name: accounts_left_behind
-- Accounts that nobody else belongs to.
SELECT m.account_id FROM members m WHERE m.user_id = $1
  AND NOT EXISTS (SELECT 1 FROM members o WHERE o.account_id = m.account_id AND o.user_id <> $1)
ORDER BY m.account_id

-- name: purses_left_behind
-- What background jobs reserved is part of the main wallet: it comes back there, or is used, when they end.
SELECT w.wallet_id, w.account_id, w.balance + coalesce(h.balance, 0) AS balance, w.leased
FROM wallets w LEFT JOIN wallets h ON h.account_id = w.account_id AND h.kind = 'reserved' AND w.kind = 'main'
WHERE w.account_id = ANY ($1::uuid[]) AND w.kind IN ('main', 'reward') AND w.balance + coalesce(h.balance, 0) > 0 ORDER BY w.wallet_id

-- name: end_keys_of
-- Theirs in accounts that nobody else belongs to go; in teams they are kept, disabled, for somebody else to take over.
UPDATE keys SET status = CASE WHEN account_id = ANY ($2::uuid[]) THEN 'deleted' ELSE 'disabled' END
WHERE key_id IN (SELECT key_id FROM keys
                 WHERE (user_id = $1 OR account_id = ANY ($2::uuid[])) AND status = 'active'
                    OR account_id = ANY ($2::uuid[]) AND status = 'disabled'
                 ORDER BY key_id FOR NO KEY UPDATE)
RETURNING key_id

-- name: pause_accounts
UPDATE accounts SET status = 'paused'
WHERE account_id IN (SELECT account_id FROM accounts WHERE account_id = ANY ($1::uuid[]) AND status <> 'paused'
                     ORDER BY account_id FOR NO KEY UPDATE)
RETURNING account_id

-- name: blank_accounts
-- They are nobody's from now on: what is still paid for them is put in review.
UPDATE accounts SET name = '', status = 'paused', deleted_at = coalesce(deleted_at, now())
WHERE account_id IN (SELECT account_id FROM accounts WHERE account_id = ANY ($1::uuid[]) ORDER BY account_id FOR NO KEY UPDATE)

-- name: leave_teams
DELETE FROM members
WHERE user_id = $1 AND account_id IN (SELECT account_id FROM members WHERE user_id = $1 AND NOT (account_id = ANY ($2::uuid[]))
                                      ORDER BY account_id FOR UPDATE)

-- name: blank_keys
UPDATE keys SET name = 'erased', allowed_ips = NULL
WHERE key_id IN (SELECT key_id FROM keys WHERE account_id = ANY ($1::uuid[]) ORDER BY key_id FOR NO KEY UPDATE)

-- name: erase_user
-- The address is free again. Their row stands for the ids that refer to it, and nobody can sign in with it.
UPDATE users SET email = 'erased', email_normal = 'erased/' || user_id, password_hash = NULL, locale = NULL,
                 role = 'user', status = 'banned', erased_at = now()
WHERE user_id = $1 AND erased_at IS NULL

-- name: blank_sessions
UPDATE sessions SET revoked_at = coalesce(revoked_at, now()), user_agent = '', address = NULL
WHERE session_id IN (SELECT session_id FROM sessions WHERE user_id = $1 ORDER BY session_id FOR NO KEY UPDATE)

-- name: drop_totp
DELETE FROM totp_factors WHERE user_id = $1

-- name: drop_recovery_codes
DELETE FROM recovery_codes WHERE user_id = $1

-- name: drop_passkeys
DELETE FROM passkeys WHERE user_id = $1

-- name: drop_identities
DELETE FROM identities WHERE user_id = $1

-- name: drop_links_to
DELETE FROM one_time_links WHERE email IN ($1, $2)

-- name: drop_personal_exports
DELETE FROM personal_exports WHERE user_id = $1

-- name: drop_kept_answers
-- Answers that are kept for repeated requests have what was asked for in them.
DELETE FROM idempotency_keys WHERE scope LIKE ANY ($1::text[])

-- name: forget_networks
UPDATE referrals SET network = NULL
WHERE referral_id IN (SELECT referral_id FROM referrals WHERE invitee_account = ANY ($1::uuid[]) AND network IS NOT NULL
                      ORDER BY referral_id FOR NO KEY UPDATE)

-- name: end_management_tokens
UPDATE management_tokens SET revoked_at = coalesce(revoked_at, now()), name = 'erased'
WHERE token_id IN (SELECT token_id FROM management_tokens WHERE user_id = $1 ORDER BY token_id FOR NO KEY UPDATE)

-- name: drop_mailed_links
DELETE FROM mailed_links WHERE user_id = $1

-- name: drop_mails_to
DELETE FROM mails WHERE lower(recipient) = lower($1)

-- name: drop_registrations_of
DELETE FROM registrations WHERE email_normal = lower($1)

-- name: blank_invitations_to
-- Who invited whom to what stays as ids; open ones end.
UPDATE invitations SET email = '', email_normal = 'erased/' || invitation_id,
                       revoked_at = CASE WHEN accepted_at IS NULL THEN coalesce(revoked_at, now()) END
WHERE invitation_id IN (SELECT invitation_id FROM invitations WHERE email_normal = lower($1) OR accepted_by = $2
                        ORDER BY invitation_id FOR UPDATE)
