-- Background jobs: what was reserved for each, and when its provider is asked again. Ended ones are kept for a while.

-- name: insert_job
INSERT INTO background_jobs (job_id, account_id, wallet_id, key_id, key_is_limited, reserved, model, endpoint, rate_card_id,
  multiplier_micros, group_name, estimated_input_tokens, is_streaming, client_request_id, ask_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, now() + $15::interval)
ON CONFLICT (job_id) DO NOTHING RETURNING job_id

-- name: place_job
-- Where it runs, and what it is called there. No row back: it has ended already.
UPDATE background_jobs SET response_id = $2, channel_id = $3, credential_id = $4, upstream_model = $5, ask_at = now() + $6::interval
WHERE job_id = $1 AND ask_at IS NOT NULL RETURNING job_id

-- name: lock_open_job
SELECT job_id, account_id, wallet_id, key_id, key_is_limited, reserved, model, endpoint, rate_card_id, multiplier_micros, group_name,
  estimated_input_tokens, is_streaming, client_request_id, response_id, channel_id, credential_id, upstream_model, created_at, asks
FROM background_jobs WHERE job_id = $1 AND ask_at IS NOT NULL FOR NO KEY UPDATE

-- name: open_job_of
SELECT job_id, account_id, wallet_id, key_id, key_is_limited, reserved, model, endpoint, rate_card_id, multiplier_micros, group_name,
  estimated_input_tokens, is_streaming, client_request_id, response_id, channel_id, credential_id, upstream_model, created_at, asks
FROM background_jobs WHERE account_id = $1 AND response_id = $2 AND ask_at IS NOT NULL

-- name: claim_due_jobs
-- Taken for $2: a process that dies while it asks leaves them to the next run. Asked more and more seldom.
UPDATE background_jobs b SET asks = b.asks + 1, ask_at = now() + greatest($2::interval, least((now() - b.created_at) / 4, $3::interval))
FROM (SELECT job_id FROM background_jobs WHERE ask_at <= now() ORDER BY ask_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
WHERE b.job_id = due.job_id
RETURNING b.job_id, b.account_id, b.wallet_id, b.key_id, b.key_is_limited, b.reserved, b.model, b.endpoint, b.rate_card_id, b.multiplier_micros,
  b.group_name, b.estimated_input_tokens, b.is_streaming, b.client_request_id, b.response_id, b.channel_id, b.credential_id, b.upstream_model,
  b.created_at, b.asks

-- name: end_job
UPDATE background_jobs SET ask_at = NULL, ended_at = now(), outcome = $2, reason = $3 WHERE job_id = $1

-- name: forget_ended
DELETE FROM background_jobs WHERE job_id IN (SELECT job_id FROM background_jobs WHERE ended_at < now() - interval '30 days' LIMIT 50000 FOR UPDATE SKIP LOCKED)
