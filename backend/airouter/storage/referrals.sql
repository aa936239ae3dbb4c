-- Who brought whom. What is promised for it: rewards.sql.

-- name: code_of_account
SELECT code FROM referral_codes WHERE account_id = $1

-- name: insert_code
-- No row back: the account has a code, or somebody has this one.
INSERT INTO referral_codes (account_id, code) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING code

-- name: lock_referrer
-- Held until the newcomer has joined, so that bounds are counted one newcomer after the other. No row: nobody has this
-- code, or nobody who may refer.
SELECT c.account_id, u.email
FROM referral_codes c
JOIN accounts a ON a.account_id = c.account_id AND a.kind = 'personal' AND a.status = 'active'
JOIN members m ON m.account_id = c.account_id AND m.team_role = 'owner'
JOIN users u ON u.user_id = m.user_id AND u.status = 'active'
WHERE c.code = $1
FOR NO KEY UPDATE OF c

-- name: lock_network
-- The same for newcomers of one address range, whoever brought them.
SELECT pg_advisory_xact_lock(hashtextextended('referral network ' || $1::text, 0))

-- name: counted_before
-- Those for whom a bound left nothing (no share, and rewards withheld by it) do not count.
WITH counted AS (
  SELECT r.referrer_account, r.network, r.joined_at > now() - interval '24 hours' AS is_of_today FROM referrals r
  WHERE (r.referrer_account = $1 OR r.network = $2) AND (r.share_micros > 0 OR EXISTS (
    SELECT 1 FROM rewards w WHERE w.referral_id = r.referral_id AND coalesce(w.note, '') NOT LIKE 'bound\_%')))
SELECT count(*) FILTER (WHERE referrer_account = $1) AS in_all,
       count(*) FILTER (WHERE referrer_account = $1 AND is_of_today) AS in_a_day,
       count(*) FILTER (WHERE network = $2 AND is_of_today) AS of_network
FROM counted

-- name: identity_is_known
SELECT EXISTS (SELECT 1 FROM referrals WHERE identity = ANY ($1::bytea[]))

-- name: insert_referral
-- No row back: the account or the mailbox was brought by somebody before.
INSERT INTO referrals (referral_id, referrer_account, invitee_account, identity, network, condition, first_order_minimum,
  verified_email_only, share_micros, share_until, share_orders_max)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING
RETURNING referral_id

-- name: insert_event
-- Inserts nothing for an account that nobody brought.
INSERT INTO referral_events (referral_id, order_id, credited, taken)
SELECT referral_id, $2, $3, $4 FROM referrals WHERE invitee_account = $1

-- name: referrals_with_events
SELECT DISTINCT referral_id FROM referral_events LIMIT $1

-- name: lock_referral
-- No row: another process is at it. Weak enough for orders to tell something meanwhile: they hold a wallet, which a reward
-- that this waits for may want.
SELECT referral_id, referrer_account, invitee_account, condition, first_order_minimum, share_micros, share_until, share_orders_max
FROM referrals WHERE referral_id = $1 FOR NO KEY UPDATE SKIP LOCKED

-- name: events_of
SELECT event_id, order_id, credited, taken, created_at FROM referral_events WHERE referral_id = $1 ORDER BY event_id

-- name: drop_events
-- Those that were worked in: one with a smaller number may have come to light since.
DELETE FROM referral_events WHERE event_id = ANY ($1::bigint[])

-- name: forget_networks
UPDATE referrals SET network = NULL WHERE referral_id IN (
  SELECT referral_id FROM referrals WHERE network IS NOT NULL AND joined_at < now() - interval '30 days' FOR NO KEY UPDATE SKIP LOCKED)

-- name: referral_page
-- For operators: any side's account, a state of any reward, an address range, or a piece of an address.
SELECT r.referral_id, r.referrer_account, ra.name AS referrer_name, r.invitee_account, ia.name AS invitee_name,
  iu.email AS invitee_email, r.network, r.condition, r.share_micros, r.joined_at
FROM referrals r
JOIN accounts ra ON ra.account_id = r.referrer_account
JOIN accounts ia ON ia.account_id = r.invitee_account
LEFT JOIN members im ON im.account_id = r.invitee_account AND im.team_role = 'owner'
LEFT JOIN users iu ON iu.user_id = im.user_id
WHERE ($1::uuid IS NULL OR $1 IN (r.referrer_account, r.invitee_account))
  AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM rewards w WHERE w.referral_id = r.referral_id AND w.state = $2))
  AND ($3::text IS NULL OR r.network = $3)
  AND ($4::text IS NULL OR strpos(lower(concat_ws(' ', iu.email, ra.name, ia.name)), lower($4)) > 0)
  AND ($5::timestamptz IS NULL OR (r.joined_at, r.referral_id) < ($5, $6::uuid))
ORDER BY r.joined_at DESC, r.referral_id DESC LIMIT $7
