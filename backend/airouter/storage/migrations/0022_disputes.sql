-- A payment may be disputed more than once: an order keeps each dispute by the processor's name for it.
ALTER TABLE orders ADD COLUMN disputes jsonb NOT NULL DEFAULT '[]';   -- domain/dispute.py; in the order in which they were heard of
UPDATE orders SET disputes = jsonb_build_array(jsonb_build_object(
  'name', NULL, 'state', dispute, 'amount', disputed_amount, 'reason', NULL,
  'heard_at', updated_at, 'decided_at', CASE WHEN dispute <> 'open' THEN updated_at END))
WHERE dispute IS NOT NULL;
ALTER TABLE orders DROP COLUMN dispute, DROP COLUMN disputed_amount;
ALTER TABLE payment_events ADD COLUMN dispute_name text, ADD COLUMN dispute_reason text;   -- of an event about a dispute, where the protocol has them
