-- What providers charge the operator, and proposals of prices.
SELECT 1; -- to be replaced
