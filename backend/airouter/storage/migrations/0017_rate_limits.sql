-- Limits of requests and tokens, and the shares that nodes hold of them.
SELECT 1; -- to be replaced
