-- name: take_attempt
-- Counted before it is known how it ends, so that a thousand at once get no more than the budget.
INSERT INTO attempts (scope, subject, window_start, failures) VALUES ($1, $2, now(), 1)
ON CONFLICT (scope, subject) DO UPDATE SET
  failures = CASE WHEN attempts.window_start <= now() - $3::interval THEN 1 ELSE attempts.failures + 1 END,
  window_start = CASE WHEN attempts.window_start <= now() - $3::interval THEN now() ELSE attempts.window_start END
RETURNING failures, ceil(extract(epoch FROM window_start + $3::interval - now()))::integer AS seconds_left

-- name: give_attempt_back
UPDATE attempts SET failures = failures - 1 WHERE scope = $1 AND subject = $2 AND failures > 0

-- name: clear_attempts
DELETE FROM attempts WHERE scope = $1 AND subject = $2

-- name: forget_attempts
DELETE FROM attempts WHERE (scope, subject) IN (
  SELECT scope, subject FROM attempts WHERE window_start < now() - interval '1 day' FOR UPDATE SKIP LOCKED)
