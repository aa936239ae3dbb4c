-- name: insert_mail
-- No row back: this occasion was written about already.
INSERT INTO mails (mail_id, recipient, locale, letter, facts, once, give_up_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval)
ON CONFLICT ON CONSTRAINT mail_once DO NOTHING
RETURNING mail_id

-- name: claim_mails
-- Those that are due, and those whose sender died with them. Two senders at once get different ones.
UPDATE mails SET state = 'sending', attempts = attempts + 1, next_at = now() + $2::interval
WHERE mail_id IN (
  SELECT mail_id FROM mails WHERE state IN ('queued', 'failed', 'sending') AND next_at <= now()
  ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING mail_id, recipient, locale, letter, facts, attempts, give_up_at <= now() AS is_late

-- name: mail_is_sent
UPDATE mails SET state = 'sent', finished_at = now(), last_error = NULL, facts = CASE WHEN $2 THEN facts END
WHERE mail_id = $1

-- name: mail_failed
UPDATE mails SET state = 'failed', last_error = $2, next_at = least(now() + $3::interval, give_up_at) WHERE mail_id = $1

-- name: mail_is_given_up
UPDATE mails SET state = 'given_up', finished_at = now(), last_error = $2, facts = NULL WHERE mail_id = $1

-- name: retry_mail
-- No row back: it is not waiting for another try.
UPDATE mails SET next_at = now() WHERE mail_id = $1 AND state IN ('queued', 'failed') RETURNING mail_id

-- name: mails
SELECT mail_id, recipient, locale, letter, state, attempts, next_at, last_error, created_at, finished_at FROM mails
WHERE ($1::text IS NULL OR state = $1) AND ($2::timestamptz IS NULL OR (created_at, mail_id) < ($2, $3::uuid))
ORDER BY created_at DESC, mail_id DESC LIMIT $4

-- name: find_mail
SELECT mail_id, recipient, locale, letter, facts FROM mails WHERE mail_id = $1

-- name: forget_mails
DELETE FROM mails WHERE mail_id IN (
  SELECT mail_id FROM mails WHERE finished_at < now() - interval '30 days' FOR UPDATE SKIP LOCKED)
