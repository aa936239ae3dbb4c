-- Alerts, what they were told about, and the webhooks that tell it.

-- name: insert_alert
INSERT INTO alerts (alert_id, account_id, kind, threshold, to_mail, webhook_url, secret_sealed, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (alert_id) DO NOTHING
RETURNING alert_id

-- name: hold_account
-- One after the other, so that each sees what the others made.
SELECT true FROM accounts WHERE account_id = $1 FOR NO KEY UPDATE

-- name: count_alerts
SELECT count(*) FROM alerts WHERE account_id = $1

-- name: alerts_of
SELECT a.alert_id, a.kind, a.threshold, a.to_mail, a.webhook_url, a.is_enabled, a.created_at,
       (SELECT max(f.fired_at) FROM alert_firings f WHERE f.alert_id = a.alert_id) AS fired_at
FROM alerts a WHERE a.account_id = $1 AND ($2::timestamptz IS NULL OR (a.created_at, a.alert_id) > ($2, $3::uuid))
ORDER BY a.created_at, a.alert_id
LIMIT $4

-- name: find_alert
SELECT a.alert_id, a.kind, a.threshold, a.to_mail, a.webhook_url, a.is_enabled, a.created_at,
       (SELECT max(f.fired_at) FROM alert_firings f WHERE f.alert_id = a.alert_id) AS fired_at
FROM alerts a WHERE a.alert_id = $1 AND a.account_id = $2

-- name: lock_alert
SELECT a.alert_id, a.kind, a.threshold, a.to_mail, a.webhook_url, a.is_enabled, a.created_at, NULL::timestamptz AS fired_at
FROM alerts a WHERE a.alert_id = $1 AND a.account_id = $2 FOR NO KEY UPDATE

-- name: change_alert
-- The secret stays where none is given and there is still an address.
UPDATE alerts SET threshold = $2, to_mail = $3, webhook_url = $4, is_enabled = $5,
                  secret_sealed = CASE WHEN $4::text IS NULL THEN NULL ELSE coalesce($6::bytea, secret_sealed) END
WHERE alert_id = $1

-- name: delete_alert
DELETE FROM alerts WHERE alert_id = $1 AND account_id = $2 RETURNING alert_id

-- name: lock_alerts_in
SELECT alert_id FROM alerts WHERE account_id = ANY ($1::uuid[]) ORDER BY alert_id FOR NO KEY UPDATE

-- name: delete_alerts_in
DELETE FROM alerts WHERE alert_id IN (SELECT alert_id FROM alerts WHERE account_id = ANY ($1::uuid[]) ORDER BY alert_id FOR UPDATE)

-- name: forget_firings_of
-- Under the lock of the alert, before it is deleted, and by id: as they are locked where they fire.
DELETE FROM alert_firings WHERE (alert_id, subject) IN (
  SELECT alert_id, subject FROM alert_firings WHERE alert_id = $1 ORDER BY alert_id, subject FOR UPDATE)

-- name: forget_firings_in
DELETE FROM alert_firings WHERE (alert_id, subject) IN (
  SELECT f.alert_id, f.subject FROM alert_firings f JOIN alerts a USING (alert_id) WHERE a.account_id = ANY ($1::uuid[])
  ORDER BY f.alert_id, f.subject FOR UPDATE OF f)

-- name: fire_alerts
-- Every crossing that nobody was told about, marked as told. One statement decides, so two processes never tell twice.
WITH figures AS (
  SELECT al.alert_id, 'w' || w.wallet_id AS subject, NULL::timestamptz AS window_start, w.balance + coalesce(h.balance, 0) AS figure,
         NULL::bigint AS quota_max, NULL::text AS period, NULL::uuid AS key_id, NULL::uuid AS user_id, NULL::timestamptz AS resets_at
  FROM alerts al JOIN wallets w ON w.account_id = al.account_id AND w.kind = 'main'
  LEFT JOIN wallets h ON h.account_id = al.account_id AND h.kind = 'reserved'
  WHERE al.is_enabled AND al.kind = 'low_balance' AND w.balance + coalesce(h.balance, 0) < al.threshold
  UNION ALL
  SELECT al.alert_id, 'k' || k.key_id, NULL, k.spent, k.spend_limit, 'total', k.key_id, k.user_id, NULL
  FROM alerts al JOIN keys k ON k.account_id = al.account_id AND k.status <> 'deleted' AND k.kind = 'standard' AND k.spend_limit > 0
  WHERE al.is_enabled AND al.kind = 'key_budget' AND k.spent * 100 >= k.spend_limit * al.threshold
  UNION ALL
  SELECT al.alert_id, 'b' || b.budget_id, b.window_start, b.spent, b.quota_max, b.period, b.key_id, coalesce(b.user_id, k.user_id), b.window_end
  FROM alerts al
  JOIN budgets b ON b.account_id = al.account_id AND (b.key_id IS NULL) = (al.kind = 'member_budget') AND b.quota_max > 0
  LEFT JOIN keys k ON k.key_id = b.key_id
  WHERE al.is_enabled AND al.kind IN ('key_budget', 'member_budget') AND b.spent * 100 >= b.quota_max * al.threshold
    AND (b.window_end IS NULL OR b.window_end > now()) AND (k.key_id IS NULL OR k.status <> 'deleted')
), fired AS (
  INSERT INTO alert_firings AS f (alert_id, subject, window_start)
  SELECT alert_id, subject, window_start FROM figures ORDER BY alert_id, subject
  ON CONFLICT (alert_id, subject) DO UPDATE SET window_start = excluded.window_start, fired_at = now()
  WHERE f.window_start IS DISTINCT FROM excluded.window_start
  RETURNING alert_id, subject, fired_at
)
SELECT r.alert_id, r.subject, r.fired_at, al.account_id, al.kind, al.threshold, al.to_mail, al.webhook_url, ac.name AS account_name,
       g.figure, g.quota_max, g.period, g.key_id, k.name AS key_name, g.user_id, u.email AS user_email, g.resets_at, ac.time_zone,
       coalesce((SELECT currency FROM installation), '') AS currency
FROM fired r JOIN figures g USING (alert_id, subject) JOIN alerts al USING (alert_id) JOIN accounts ac USING (account_id)
LEFT JOIN keys k ON k.key_id = g.key_id LEFT JOIN users u ON u.user_id = g.user_id

-- name: rearm_alerts
-- What is well again, gone, or of a period that is over may be told about another time; what somebody holds, the next time.
DELETE FROM alert_firings WHERE (alert_id, subject) IN (SELECT f.alert_id, f.subject FROM alert_firings f JOIN alerts al USING (alert_id)
WHERE CASE left(f.subject, 1)
  WHEN 'w' THEN NOT EXISTS (SELECT FROM wallets w LEFT JOIN wallets h ON h.account_id = w.account_id AND h.kind = 'reserved'
                            WHERE w.wallet_id = substr(f.subject, 2)::bigint AND w.balance + coalesce(h.balance, 0) < al.threshold)
  WHEN 'k' THEN NOT EXISTS (SELECT FROM keys k WHERE k.key_id = substr(f.subject, 2)::uuid AND k.status <> 'deleted' AND k.spend_limit > 0
                              AND k.spent * 100 >= k.spend_limit * al.threshold)
  ELSE NOT EXISTS (SELECT FROM budgets b WHERE b.budget_id = substr(f.subject, 2)::uuid AND b.quota_max > 0
                     AND (b.window_end IS NULL OR b.window_end > now()) AND b.spent * 100 >= b.quota_max * al.threshold) END
FOR UPDATE OF f SKIP LOCKED)

-- name: readers_of
SELECT u.email, u.locale FROM members m JOIN users u USING (user_id)
WHERE m.account_id = $1 AND m.team_role = ANY ($2::text[]) AND u.status = 'active' ORDER BY u.user_id

-- name: insert_delivery
INSERT INTO alert_deliveries (delivery_id, alert_id, account_id, event, body) VALUES ($1, $2, $3, $4, $5)

-- name: claim_deliveries
-- Whoever claims one has so long to say how it went; then it is due again.
UPDATE alert_deliveries d SET attempts = d.attempts + 1, due_at = now() + $2::interval
FROM (SELECT delivery_id FROM alert_deliveries WHERE state = 'pending' AND due_at <= now() ORDER BY due_at LIMIT $1
      FOR UPDATE SKIP LOCKED) p
JOIN alert_deliveries o USING (delivery_id) JOIN alerts a USING (alert_id)
WHERE d.delivery_id = p.delivery_id
RETURNING d.delivery_id, d.alert_id, d.event, d.body, d.attempts, a.webhook_url, a.secret_sealed

-- name: end_delivery
-- A `pause` means that it is tried again; without one it has arrived or is given up.
UPDATE alert_deliveries SET state = $2, status = $3, error = $4, due_at = CASE WHEN $5::interval IS NULL THEN due_at ELSE now() + $5 END,
                            ended_at = CASE WHEN $2 = 'pending' THEN NULL ELSE now() END
WHERE delivery_id = $1 AND state = 'pending'

-- name: deliveries_of
SELECT delivery_id, alert_id, event, state, attempts, status, error, created_at, ended_at,
       CASE WHEN state = 'pending' THEN due_at END AS due_at
FROM alert_deliveries
WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (created_at, delivery_id) < ($2, $3::uuid))
ORDER BY created_at DESC, delivery_id DESC
LIMIT $4

-- name: forget_deliveries
DELETE FROM alert_deliveries WHERE delivery_id IN (
  SELECT delivery_id FROM alert_deliveries WHERE state <> 'pending' AND ended_at < now() - interval '30 days' FOR UPDATE SKIP LOCKED)
