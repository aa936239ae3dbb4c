-- A dispute may be about a part of a payment: it takes that part of the order's quota.
ALTER TABLE orders ADD COLUMN disputed_amount bigint CONSTRAINT order_disputed_amount CHECK (disputed_amount > 0);   -- minor units; null: all that was paid
