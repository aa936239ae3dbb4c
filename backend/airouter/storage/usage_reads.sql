-- Reading usage. Every query is scoped by account; null stands for an operator who sees all of them. Who may see only
-- their own is scoped by who was responsible for the key when it was called.

-- name: usage_page
SELECT created_at, request_id, account_id, key_id, model, status, quantities, usage_source, cost, charged, latency_ms,
       first_token_ms, is_streaming, channel_id, provider_cost,
       coalesce((SELECT k.kind FROM keys k WHERE k.key_id = usage_records.key_id), 'standard') AS key_kind
FROM usage_records
WHERE ($1::uuid IS NULL OR account_id = $1)
  AND ($2::text IS NULL OR model = $2)
  AND ($3::uuid IS NULL OR key_id = $3)
  AND ($4::text IS NULL OR status = $4)
  AND ($5::timestamptz IS NULL OR created_at >= $5)
  AND ($6::timestamptz IS NULL OR created_at < $6)
  AND ($7::timestamptz IS NULL OR (created_at, request_id) < ($7, $8::uuid))
  AND ($10::uuid IS NULL OR user_id = $10)
ORDER BY created_at DESC, request_id DESC
LIMIT $9

-- name: usage_record
-- The time is inside the id, so this looks into one partition.
SELECT created_at, request_id, account_id, key_id, model, status, quantities, usage_source, cost, charged, latency_ms,
       first_token_ms, is_streaming, channel_id, provider_cost, endpoint, rate_card_id, multiplier_micros, group_name, service_tier,
       upstream_model, client_request_id, error, unpriced, attempts, requested_model,
       coalesce((SELECT k.kind FROM keys k WHERE k.key_id = usage_records.key_id), 'standard') AS key_kind
FROM usage_records
WHERE created_at = $1 AND request_id = $2 AND ($3::uuid IS NULL OR account_id = $3)
  AND ($4::uuid IS NULL OR user_id = $4)

-- name: usage_summary
-- `$7` says what to group by; days and hours are those of the time zone `$8`. The first row is the sum of everything,
-- however many of the others are left out.
WITH picked AS (
  SELECT cost, charged, quantities,
         CASE $7::text
           WHEN 'day' THEN to_char(created_at AT TIME ZONE $8, 'YYYY-MM-DD')
           WHEN 'hour' THEN to_char(date_trunc('hour', created_at, $8) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
           WHEN 'model' THEN model
           ELSE key_id::text
         END AS key
  FROM usage_records
  WHERE ($1::uuid IS NULL OR account_id = $1)
    AND ($2::text IS NULL OR model = $2)
    AND ($3::uuid IS NULL OR key_id = $3)
    AND ($4::text IS NULL OR status = $4)
    AND created_at >= $5 AND created_at < $6
    AND ($9::uuid IS NULL OR user_id = $9)
), meters AS (
  -- One pass: a record stands here once for each of its meters, and is counted with the first.
  SELECT key, meter, sum(value::bigint) AS quantity,
         count(*) FILTER (WHERE place IS NULL OR place = 1) AS requests,
         sum(cost) FILTER (WHERE place IS NULL OR place = 1) AS cost,
         sum(charged) FILTER (WHERE place IS NULL OR place = 1) AS charged
  FROM picked LEFT JOIN LATERAL jsonb_each_text(quantities) WITH ORDINALITY AS q (meter, value, place) ON true
  GROUP BY key, meter
), sums AS (
  SELECT key, sum(requests) AS requests, sum(cost) AS cost, sum(charged) AS charged,
         jsonb_object_agg(meter, quantity) FILTER (WHERE meter IS NOT NULL) AS usage
  FROM meters GROUP BY key
), of_all AS (
  SELECT jsonb_object_agg(meter, quantity) AS usage
  FROM (SELECT meter, sum(quantity) AS quantity FROM meters WHERE meter IS NOT NULL GROUP BY meter) AS by_meter
)
SELECT true AS is_total, '' AS key, coalesce(sum(requests), 0)::bigint AS requests, coalesce(sum(cost), 0)::text AS cost,
       coalesce(sum(charged), 0)::text AS charged, coalesce((SELECT usage FROM of_all), '{}') AS usage
FROM sums
UNION ALL
(SELECT false, key, requests::bigint, cost::text, charged::text, coalesce(usage, '{}')
 FROM sums
 ORDER BY CASE WHEN $7 IN ('day', 'hour') THEN key END, sums.cost DESC, key
 LIMIT 5000)

-- name: put_export
INSERT INTO usage_exports (token_hash, account_id, filters, expires_at) VALUES ($1, $2, $3, now() + $4::interval)

-- name: use_export
-- One row back for exactly one of those who come at once.
UPDATE usage_exports SET used_at = now()
WHERE token_hash = ANY ($1::bytea[]) AND used_at IS NULL AND expires_at > now()
RETURNING account_id, filters

-- name: forget_exports
DELETE FROM usage_exports WHERE token_hash IN (
  SELECT token_hash FROM usage_exports WHERE expires_at < now() - interval '1 day' FOR UPDATE SKIP LOCKED)
