-- Fallback models of keys, and groups that stand for others in order.
SELECT 1; -- to be replaced
