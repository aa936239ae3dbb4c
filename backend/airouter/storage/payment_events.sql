-- The inbox: what was said about payments, kept before it is acted upon. An event's row is locked before its order's.

-- name: insert_event
-- No row back: this event of this method was kept before.
INSERT INTO payment_events (event_key, method_id, event_id, source, kind, order_id, trade_number, amount, refunded_total, currency,
  status_text, reason, made_by, body, dispute_name, dispute_reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT ON CONSTRAINT payment_event_once DO NOTHING
RETURNING event_key

-- name: find_event
SELECT event_key, method_id, event_id, source, kind, order_id, trade_number, amount, refunded_total, currency, status_text, reason, made_by,
  dispute_name, dispute_reason, received_at, outcome, handled_at
FROM payment_events WHERE method_id = $1 AND event_id = $2

-- name: lock_open_event
-- No row back: it was acted upon.
SELECT event_key, method_id, event_id, source, kind, order_id, trade_number, amount, refunded_total, currency, status_text, reason, made_by,
  dispute_name, dispute_reason, received_at, outcome, handled_at
FROM payment_events WHERE event_key = $1 AND outcome IS NULL FOR UPDATE

-- name: handled
UPDATE payment_events SET outcome = $2, order_id = coalesce($3, order_id), handled_at = now() WHERE event_key = $1 AND outcome IS NULL

-- name: left_open
-- Kept, but whoever kept them died before acting on them.
SELECT event_key FROM payment_events WHERE outcome IS NULL AND received_at < now() - $1::interval ORDER BY received_at LIMIT $2

-- name: events_of
SELECT event_key, method_id, event_id, source, kind, order_id, trade_number, amount, refunded_total, currency, status_text, reason, made_by,
  dispute_name, dispute_reason, received_at, outcome, handled_at
FROM payment_events WHERE order_id = $1 ORDER BY received_at, event_key

-- name: page_of_events
-- Newest first. $2: only those whose outcome is one of these.
SELECT event_key, method_id, event_id, source, kind, order_id, trade_number, amount, refunded_total, currency, status_text, reason, made_by,
  dispute_name, dispute_reason, received_at, outcome, handled_at
FROM payment_events
WHERE ($1::text IS NULL OR method_id = $1) AND ($2::text[] IS NULL OR outcome = ANY($2))
  AND ($3::timestamptz IS NULL OR (received_at, event_key) < ($3, $4::uuid))
ORDER BY received_at DESC, event_key DESC LIMIT $5

-- name: forget_bodies
UPDATE payment_events SET body = NULL
WHERE event_key IN (SELECT event_key FROM payment_events WHERE body IS NOT NULL AND received_at < now() - $1::interval LIMIT $2)
RETURNING event_key
