-- Orders. An order's row is locked before wallets, here and everywhere.

-- name: hold_account
-- Those who place orders for one account take turns, so that the bound on open ones is exact.
SELECT account_id FROM accounts WHERE account_id = $1 FOR NO KEY UPDATE

-- name: open_orders_of
SELECT count(*) FROM orders WHERE account_id = $1 AND status = 'pending'

-- name: insert_order
-- No row back: the same request once more.
INSERT INTO orders (order_id, account_id, user_id, method_id, processor, currency, exponent, amount, fee, quota, bonus_quota,
  quota_per_minor_unit, package_id, group_name, expires_at, ask_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (order_id) DO NOTHING RETURNING order_id

-- name: find_order
SELECT order_id, account_id, user_id, method_id, processor, status, reason, currency, exponent, amount, fee, quota,
  bonus_quota, quota_per_minor_unit, package_id, group_name, next, processor_reference, trade_number, paid_amount, paid_currency,
  paid_at, credited_quota, credited_bonus, refunded_amount, taken_quota, taken_bonus, disputes, has_paused, created_at, updated_at,
  expires_at, ask_at, asks
FROM orders WHERE order_id = $1

-- name: lock_order
SELECT order_id, account_id, user_id, method_id, processor, status, reason, currency, exponent, amount, fee, quota,
  bonus_quota, quota_per_minor_unit, package_id, group_name, next, processor_reference, trade_number, paid_amount, paid_currency,
  paid_at, credited_quota, credited_bonus, refunded_amount, taken_quota, taken_bonus, disputes, has_paused, created_at, updated_at,
  expires_at, ask_at, asks
FROM orders WHERE order_id = $1 FOR UPDATE

-- name: order_by_trade_number
SELECT order_id FROM orders WHERE method_id = $1 AND trade_number = $2 ORDER BY created_at DESC LIMIT 1

-- name: save_order
-- Under the lock of lock_order: what facts change is written, the promise is not.
UPDATE orders SET status = $2, reason = $3, trade_number = $4, paid_amount = $5, paid_currency = $6, paid_at = $7,
  credited_quota = $8, credited_bonus = $9, refunded_amount = $10, taken_quota = $11, taken_bonus = $12, disputes = $13,
  has_paused = $14, ask_at = CASE WHEN $2 IN ('pending', 'expired', 'failed') THEN ask_at END, updated_at = now()
WHERE order_id = $1

-- name: keep_next
-- The processor was told. A second answer for the same order replaces the first: it is the same payment there.
UPDATE orders SET next = $2, processor_reference = coalesce($3, processor_reference), updated_at = now()
WHERE order_id = $1 AND status = 'pending'
RETURNING order_id, account_id, user_id, method_id, processor, status, reason, currency, exponent, amount, fee, quota,
  bonus_quota, quota_per_minor_unit, package_id, group_name, next, processor_reference, trade_number, paid_amount, paid_currency,
  paid_at, credited_quota, credited_bonus, refunded_amount, taken_quota, taken_bonus, disputes, has_paused, created_at, updated_at,
  expires_at, ask_at, asks

-- name: cancel_order
UPDATE orders SET status = 'expired', reason = 'cancelled', updated_at = now()
WHERE order_id = $1 AND account_id = $2 AND status = 'pending' RETURNING order_id

-- name: expire_orders
-- They may still become paid.
UPDATE orders SET status = 'expired', updated_at = now()
WHERE order_id IN (SELECT order_id FROM orders WHERE status = 'pending' AND expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING order_id

-- name: orders_to_ask
-- Each is put off before it is asked, so that a processor that hangs is not asked by everybody.
UPDATE orders SET asks = asks + 1, updated_at = updated_at,
  ask_at = CASE WHEN now() > expires_at + $2::interval THEN NULL
    ELSE now() + least($3::interval * power(2, least(asks, 12)), $4::interval) END
WHERE order_id IN (SELECT order_id FROM orders WHERE ask_at <= now() ORDER BY ask_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING order_id, account_id, user_id, method_id, processor, status, reason, currency, exponent, amount, fee, quota,
  bonus_quota, quota_per_minor_unit, package_id, group_name, next, processor_reference, trade_number, paid_amount, paid_currency,
  paid_at, credited_quota, credited_bonus, refunded_amount, taken_quota, taken_bonus, disputes, has_paused, created_at, updated_at,
  expires_at, ask_at, asks

-- name: orders_of
SELECT order_id, account_id, user_id, method_id, processor, status, reason, currency, exponent, amount, fee, quota,
  bonus_quota, quota_per_minor_unit, package_id, group_name, next, processor_reference, trade_number, paid_amount, paid_currency,
  paid_at, credited_quota, credited_bonus, refunded_amount, taken_quota, taken_bonus, disputes, has_paused, created_at, updated_at,
  expires_at, ask_at, asks
FROM orders
WHERE account_id = $1 AND ($2::text IS NULL OR status = $2)
  AND ($3::timestamptz IS NULL OR (created_at, order_id) < ($3, $4::uuid))
ORDER BY created_at DESC, order_id DESC LIMIT $5

-- name: search_orders
-- $4: a LIKE pattern over the account's name, its members' addresses, the trade number and the order's id.
SELECT o.order_id, o.account_id, o.user_id, o.method_id, o.processor, o.status, o.reason, o.currency, o.exponent, o.amount, o.fee, o.quota, o.bonus_quota, o.quota_per_minor_unit, o.package_id, o.group_name, o.next, o.processor_reference, o.trade_number, o.paid_amount, o.paid_currency, o.paid_at, o.credited_quota, o.credited_bonus, o.refunded_amount, o.taken_quota, o.taken_bonus, o.disputes, o.has_paused, o.created_at, o.updated_at, o.expires_at, o.ask_at, o.asks
FROM orders o JOIN accounts a USING (account_id)
WHERE ($1::text IS NULL OR o.status = $1) AND ($2::text IS NULL OR o.method_id = $2) AND ($3::uuid IS NULL OR o.account_id = $3)
  AND ($4::text IS NULL OR a.name ILIKE $4 OR o.trade_number ILIKE $4 OR o.processor_reference ILIKE $4 OR o.order_id::text ILIKE $4
    OR EXISTS (SELECT 1 FROM users u WHERE u.user_id = o.user_id AND u.email ILIKE $4))
  AND ($5::timestamptz IS NULL OR (o.created_at, o.order_id) < ($5, $6::uuid))
ORDER BY o.created_at DESC, o.order_id DESC LIMIT $7

-- name: names_of
-- Whose orders these are, in words.
SELECT o.order_id, a.name AS account_name, u.email AS buyer
FROM orders o JOIN accounts a USING (account_id) LEFT JOIN users u ON u.user_id = o.user_id WHERE o.order_id = ANY($1::uuid[])

-- name: pause_account
UPDATE accounts SET status = 'paused' WHERE account_id = $1 AND status = 'active' RETURNING account_id

-- name: is_paused_by_orders
SELECT EXISTS (SELECT 1 FROM orders WHERE account_id = $1 AND has_paused)

-- name: forget_pauses
-- An operator has said whether the account may go on: its orders have no say in it any more.
UPDATE orders SET has_paused = false WHERE account_id = $1 AND has_paused

-- name: resume_account
-- Unless another order of it still wants it paused.
UPDATE accounts SET status = 'active' WHERE account_id = $1 AND status = 'paused' AND deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM orders WHERE account_id = $1 AND has_paused AND order_id <> $2)
RETURNING account_id

-- name: insert_refund
INSERT INTO order_refunds (refund_id, order_id, amount, refunded_total, at_processor, reason, made_by, ask_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8::interval)
ON CONFLICT (refund_id) DO NOTHING RETURNING refund_id

-- name: finish_refund
UPDATE order_refunds SET status = $2, detail = $3, ask_at = NULL, updated_at = now()
WHERE refund_id = $1 AND status = 'started' RETURNING refund_id

-- name: find_refund
SELECT refund_id, order_id, amount, refunded_total, at_processor, reason, status, detail, made_by, created_at, updated_at
FROM order_refunds WHERE refund_id = $1

-- name: refunds_of
SELECT refund_id, order_id, amount, refunded_total, at_processor, reason, status, detail, made_by, created_at, updated_at
FROM order_refunds WHERE order_id = $1 ORDER BY created_at, refund_id

-- name: refunds_to_ask
UPDATE order_refunds SET ask_at = now() + $2::interval
WHERE refund_id IN (SELECT refund_id FROM order_refunds WHERE status = 'started' AND ask_at <= now() ORDER BY ask_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING refund_id, order_id, amount, refunded_total, at_processor, reason, status, detail, made_by, created_at, updated_at
