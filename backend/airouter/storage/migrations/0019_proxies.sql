-- The proxy of a channel.
SELECT 1; -- to be replaced
