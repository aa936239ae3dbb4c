-- Credentials of a channel one by one, and what tests of it found.
SELECT 1; -- to be replaced
