-- What both sides of a referral get. Quota moves by transfers only; these rows say how much should have.

-- name: insert_reward
-- No row back: this side was promised something for this cause before.
INSERT INTO rewards (reward_id, referral_id, account_id, side, cause, order_id, amount, wanted, state, note, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT ON CONSTRAINT reward_once DO NOTHING
RETURNING reward_id

-- name: rewards_of_referral
SELECT reward_id, side, cause, order_id, amount, wanted, posted, state, due_at FROM rewards
WHERE referral_id = $1 ORDER BY reward_id FOR UPDATE

-- name: set_due
UPDATE rewards SET due_at = $2, order_id = $3 WHERE reward_id = $1

-- name: set_wanted
-- What was never given is taken back with that; what was given, by a transfer.
UPDATE rewards SET wanted = $2::bigint, state = CASE WHEN $2::bigint = 0 AND posted = 0 THEN 'taken_back' ELSE state END WHERE reward_id = $1

-- name: due_rewards
-- What should have moved and did not. Nothing is given before the address is verified, where that was asked for.
SELECT w.reward_id FROM rewards w JOIN referrals r USING (referral_id)
WHERE w.wanted <> w.posted AND w.due_at <= now()
  AND (w.wanted < w.posted OR w.is_approved OR NOT r.verified_email_only OR EXISTS (
    SELECT 1 FROM members m JOIN users u USING (user_id)
    WHERE m.account_id = r.invitee_account AND m.team_role = 'owner' AND u.email_verified_at IS NOT NULL))
ORDER BY w.due_at LIMIT $1

-- name: lock_due_reward
-- No row: another process is at it, or it is done.
SELECT w.reward_id, w.referral_id, w.account_id, w.side, w.amount, w.wanted, w.posted, w.moves, w.state, w.is_approved,
  EXISTS (SELECT 1 FROM members m JOIN users u USING (user_id)
          WHERE m.account_id IN (r.invitee_account, r.referrer_account) AND m.team_role = 'owner' AND u.status <> 'active')
  OR EXISTS (SELECT 1 FROM accounts a WHERE a.account_id IN (r.invitee_account, r.referrer_account) AND a.status <> 'active')
    AS is_suspect
FROM rewards w JOIN referrals r USING (referral_id)
WHERE w.reward_id = $1 AND w.wanted <> w.posted AND w.due_at <= now()
FOR UPDATE OF w SKIP LOCKED

-- name: reward_moved
UPDATE rewards SET posted = $2::bigint, moves = moves + 1,
  state = CASE WHEN state = 'withheld' THEN 'withheld' WHEN $2::bigint = 0 THEN 'taken_back' ELSE 'released' END,
  released_at = CASE WHEN $2::bigint > 0 THEN coalesce(released_at, now()) ELSE released_at END
WHERE reward_id = $1

-- name: withhold_reward
-- What it had given is taken back by the job.
UPDATE rewards SET state = 'withheld', wanted = 0, note = $2, is_approved = false, due_at = coalesce(due_at, now())
WHERE reward_id = $1

-- name: approve_reward
UPDATE rewards SET state = CASE WHEN posted > 0 THEN 'released' ELSE 'pending' END, wanted = $3, note = $2,
  is_approved = true, due_at = now()
WHERE reward_id = $1

-- name: find_reward
SELECT reward_id, referral_id, account_id, side, cause, order_id, amount, wanted, posted, state, note, due_at, created_at, released_at
FROM rewards WHERE reward_id = $1

-- name: lock_reward
SELECT reward_id, referral_id, account_id, side, cause, order_id, amount, wanted, posted, state, note, due_at, created_at, released_at
FROM rewards WHERE reward_id = $1 FOR UPDATE

-- name: totals_of
-- Sums over all time, as decimal strings.
SELECT
  (SELECT balance FROM wallets WHERE account_id = $1 AND kind = 'reward') AS reward_balance,
  coalesce(sum(wanted) FILTER (WHERE state = 'pending'), 0)::text AS pending_total,
  coalesce(sum(posted), 0)::text AS rewarded_total,
  (SELECT count(*) FROM referrals WHERE referrer_account = $1) AS referred_count
FROM rewards WHERE account_id = $1

-- name: rewards_of_account
-- With the other side's address, which the service masks.
SELECT w.reward_id, w.side, w.cause, w.amount, w.posted, w.state, w.due_at, w.created_at, w.released_at, u.email AS other_email
FROM rewards w JOIN referrals r USING (referral_id)
LEFT JOIN members m ON m.team_role = 'owner'
  AND m.account_id = CASE w.side WHEN 'referrer' THEN r.invitee_account ELSE r.referrer_account END
LEFT JOIN users u ON u.user_id = m.user_id
WHERE w.account_id = $1 AND ($2::timestamptz IS NULL OR (w.created_at, w.reward_id) < ($2, $3::uuid))
ORDER BY w.created_at DESC, w.reward_id DESC LIMIT $4

-- name: rewards_of_referrals
SELECT reward_id, referral_id, account_id, side, cause, order_id, amount, wanted, posted, state, note, due_at, created_at, released_at
FROM rewards WHERE referral_id = ANY ($1::uuid[]) ORDER BY created_at, reward_id
