-- name: every_method
SELECT method_id, processor, label, text, currency, quota_per_minor_unit, minimum, maximum, custom_amount, packages, bonus_tiers,
  fee_fixed, fee_micros, groups, order_minutes, config, is_enabled, position, created_at, updated_at
FROM payment_methods ORDER BY position, method_id

-- name: find_method
SELECT method_id, processor, label, text, currency, quota_per_minor_unit, minimum, maximum, custom_amount, packages, bonus_tiers,
  fee_fixed, fee_micros, groups, order_minutes, config, is_enabled, position, created_at, updated_at
FROM payment_methods WHERE method_id = $1

-- name: lock_method
SELECT method_id, processor, label, text, currency, quota_per_minor_unit, minimum, maximum, custom_amount, packages, bonus_tiers,
  fee_fixed, fee_micros, groups, order_minutes, config, is_enabled, position, created_at, updated_at
FROM payment_methods WHERE method_id = $1 FOR UPDATE

-- name: insert_method
INSERT INTO payment_methods (method_id, processor, label, text, currency, quota_per_minor_unit, minimum, maximum, custom_amount,
  packages, bonus_tiers, fee_fixed, fee_micros, groups, order_minutes, config, is_enabled, position)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
RETURNING method_id, processor, label, text, currency, quota_per_minor_unit, minimum, maximum, custom_amount, packages, bonus_tiers,
  fee_fixed, fee_micros, groups, order_minutes, config, is_enabled, position, created_at, updated_at

-- name: update_method
-- Under the lock of lock_method: every column is written, but neither the id nor the processor.
UPDATE payment_methods SET label = $2, text = $3, currency = $4, quota_per_minor_unit = $5, minimum = $6, maximum = $7,
  custom_amount = $8, packages = $9, bonus_tiers = $10, fee_fixed = $11, fee_micros = $12, groups = $13, order_minutes = $14,
  config = $15, is_enabled = $16, position = $17, updated_at = now()
WHERE method_id = $1
RETURNING method_id, processor, label, text, currency, quota_per_minor_unit, minimum, maximum, custom_amount, packages, bonus_tiers,
  fee_fixed, fee_micros, groups, order_minutes, config, is_enabled, position, created_at, updated_at

-- name: delete_method
DELETE FROM payment_methods WHERE method_id = $1 RETURNING method_id

-- name: has_open_orders
SELECT EXISTS (SELECT 1 FROM orders WHERE method_id = $1 AND status IN ('pending', 'review', 'disputed'))

-- name: known_groups
SELECT name FROM groups WHERE name = ANY($1::text[])

-- name: secrets_of
SELECT method_id, field, ciphertext, set_at, previous, previous_accepted_until
FROM payment_secrets WHERE method_id = ANY($1::text[]) ORDER BY method_id, field

-- name: put_secret
-- What was current is the one before now, for as long as the operator said.
INSERT INTO payment_secrets (method_id, field, ciphertext) VALUES ($1, $2, $3)
ON CONFLICT (method_id, field) DO UPDATE SET ciphertext = excluded.ciphertext, set_at = now(),
  previous = CASE WHEN $4::interval > interval '0' THEN payment_secrets.ciphertext END,
  previous_accepted_until = CASE WHEN $4::interval > interval '0' THEN now() + $4::interval END

-- name: delete_secret
DELETE FROM payment_secrets WHERE method_id = $1 AND field = $2
