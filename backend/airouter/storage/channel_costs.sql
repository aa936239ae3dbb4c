-- name: costs_in_force
-- Of each channel and model the one that took effect last. A row without rates says that it is not known any more.
SELECT DISTINCT ON (channel_id, model) cost_id, channel_id, model, version, rates, tiers, effective_at, created_at, created_by
FROM channel_costs WHERE effective_at <= now() ORDER BY channel_id, model, effective_at DESC, version DESC

-- name: costs_of_channel
-- In force now, by model.
SELECT DISTINCT ON (model) cost_id, channel_id, model, version, rates, tiers, effective_at, created_at, created_by
FROM channel_costs WHERE channel_id = $1 AND effective_at <= now() ORDER BY model, effective_at DESC, version DESC

-- name: costs_to_come
SELECT cost_id, channel_id, model, version, rates, tiers, effective_at, created_at, created_by
FROM channel_costs WHERE channel_id = $1 AND effective_at > now() ORDER BY model, effective_at, version

-- name: newest_versions
-- Of each model of a channel, whenever it takes effect.
SELECT model, max(version) AS version FROM channel_costs WHERE channel_id = $1 AND model = ANY($2::text[]) GROUP BY model

-- name: seconds_until_next
SELECT extract(epoch FROM min(effective_at) - now())::float8 AS seconds FROM channel_costs WHERE effective_at > now()

-- name: insert_cost
-- Under the lock of the channel's row. No row: the time lies in the past by the clock of Postgres.
INSERT INTO channel_costs (cost_id, channel_id, model, version, rates, tiers, effective_at, created_by)
SELECT $1::uuid, $2::uuid, $3::text,
  coalesce((SELECT max(version) FROM channel_costs WHERE channel_id = $2 AND model = $3), 0) + 1,
  $4::jsonb, $5::jsonb, coalesce($6::timestamptz, now()), $7::uuid
WHERE $6 IS NULL OR $6 >= now()
RETURNING cost_id, channel_id, model, version, rates, tiers, effective_at, created_at, created_by
