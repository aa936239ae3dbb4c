-- What settlement writes: usage records and the transfers that pay for them. Reading them is usage.sql's.

-- name: insert_usage
-- Plain: a duplicate is an error (23505 names the partition's index), never half counted.
INSERT INTO usage_records (created_at, request_id, account_id, wallet_id, key_id, transfer_id, model, endpoint, status, usage_source,
  quantities, rate_card_id, multiplier_micros, group_name, service_tier, cost, charged, channel_id, upstream_model, client_request_id,
  is_streaming, latency_ms, first_token_ms, error, unpriced, attempts, provider_cost, requested_model, user_id)
SELECT created_at, request_id, account_id, wallet_id, key_id, transfer_id, model, endpoint, status, usage_source,
  quantities::jsonb, rate_card_id, multiplier_micros, group_name, service_tier, cost, charged, channel_id, upstream_model, client_request_id,
  is_streaming, latency_ms, first_token_ms, error, unpriced::text[], attempts::jsonb, provider_cost, requested_model, user_id
FROM unnest($1::timestamptz[], $2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[],
  $11::text[], $12::uuid[], $13::bigint[], $14::text[], $15::text[], $16::bigint[], $17::bigint[], $18::uuid[], $19::text[], $20::text[],
  $21::boolean[], $22::integer[], $23::integer[], $24::text[], $25::text[], $26::text[], $27::bigint[], $28::text[], $29::uuid[])
AS u (created_at, request_id, account_id, wallet_id, key_id, transfer_id, model, endpoint, status, usage_source,
  quantities, rate_card_id, multiplier_micros, group_name, service_tier, cost, charged, channel_id, upstream_model, client_request_id,
  is_streaming, latency_ms, first_token_ms, error, unpriced, attempts, provider_cost, requested_model, user_id)

-- name: insert_usage_transfers
INSERT INTO usage_transfers (created_at, transfer_id, kind, reference, debit_wallet, credit_wallet, amount, debit_balance)
SELECT now(), * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])

-- name: known_requests
-- Which of these were written before. The time is part of the key, so each looks into one partition.
SELECT u.request_id FROM unnest($1::timestamptz[], $2::uuid[]) AS r (created_at, request_id)
JOIN usage_records u ON u.created_at = r.created_at AND u.request_id = r.request_id
