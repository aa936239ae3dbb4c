-- name: cards_in_force
-- Of each model the one that took effect last; of two for the same moment the later version.
SELECT DISTINCT ON (model) rate_card_id, model, version, rates, tiers, effective_at, created_at, created_by
FROM rate_cards WHERE effective_at <= now() ORDER BY model, effective_at DESC, version DESC

-- name: cards_in_force_of
SELECT DISTINCT ON (model) rate_card_id, model, version, rates, tiers, effective_at, created_at, created_by
FROM rate_cards WHERE model = ANY($1::text[]) AND effective_at <= now() ORDER BY model, effective_at DESC, version DESC

-- name: seconds_until_next
-- Until the next card comes into force, by the clock that decides it.
SELECT extract(epoch FROM min(effective_at) - now())::float8 AS seconds FROM rate_cards WHERE effective_at > now()

-- name: page_of_rate_cards
-- Newest first; $1 null: of every model.
SELECT rate_card_id, model, version, rates, tiers, effective_at, created_at, created_by
FROM rate_cards
WHERE ($1::text IS NULL OR model = $1) AND ($2::timestamptz IS NULL OR (created_at, rate_card_id) < ($2, $3::uuid))
ORDER BY created_at DESC, rate_card_id DESC LIMIT $4

-- name: find_rate_card
SELECT rate_card_id, model, version, rates, tiers, effective_at, created_at, created_by FROM rate_cards WHERE rate_card_id = $1

-- name: insert_rate_card
-- Under the lock of the model's row. No row: the time lies in the past by the clock of Postgres.
INSERT INTO rate_cards (rate_card_id, model, version, rates, tiers, effective_at, created_by)
SELECT $1::uuid, $2::text, coalesce((SELECT max(version) FROM rate_cards WHERE model = $2), 0) + 1, $3::jsonb, $4::jsonb,
  coalesce($5::timestamptz, now()), $6::uuid
WHERE $5 IS NULL OR $5 >= now()
RETURNING rate_card_id, model, version, rates, tiers, effective_at, created_at, created_by

-- name: now
SELECT now() AS now
