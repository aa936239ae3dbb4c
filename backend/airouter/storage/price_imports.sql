-- Price lists that were read in, and their lines: proposals by which nothing is charged.

-- name: insert_import
INSERT INTO price_imports (import_id, source, origin, facts, currency, factor, markup_micros, channel_id, skipped, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: insert_lines
INSERT INTO price_import_lines (import_id, line, model, vendor, proposal, unmapped, rates, tiers, base_id, base_version, change)
SELECT $1::uuid, l.line, l.model, l.vendor, l.proposal, l.unmapped, l.rates, l.tiers, l.base_id, l.base_version, l.change
FROM jsonb_to_recordset($2::jsonb) AS l (line integer, model text, vendor text, proposal jsonb, unmapped text[], rates jsonb, tiers jsonb,
  base_id uuid, base_version integer, change text)

-- name: find_import
SELECT i.import_id, i.source, i.origin, i.facts, i.currency, i.factor, i.markup_micros, i.channel_id, c.name AS channel, i.skipped,
       i.created_at, i.created_by, u.email AS created_by_email,
       count(l.line) AS lines, count(l.line) FILTER (WHERE l.state = 'accepted') AS accepted,
       count(l.line) FILTER (WHERE l.state = 'skipped') AS set_aside
FROM price_imports i LEFT JOIN channels c USING (channel_id) LEFT JOIN users u ON u.user_id = i.created_by
LEFT JOIN price_import_lines l USING (import_id)
WHERE i.import_id = $1
GROUP BY i.import_id, c.name, u.email

-- name: page_of_imports
-- Newest first. What was skipped may be long; it is shown with the one import.
SELECT i.import_id, i.source, i.origin, i.facts, i.currency, i.factor, i.markup_micros, i.channel_id, c.name AS channel, '[]'::jsonb AS skipped,
       i.created_at, i.created_by, u.email AS created_by_email,
       count(l.line) AS lines, count(l.line) FILTER (WHERE l.state = 'accepted') AS accepted,
       count(l.line) FILTER (WHERE l.state = 'skipped') AS set_aside
FROM (SELECT * FROM price_imports WHERE $1::timestamptz IS NULL OR (created_at, import_id) < ($1, $2::uuid)
      ORDER BY created_at DESC, import_id DESC LIMIT $3) i
LEFT JOIN channels c USING (channel_id) LEFT JOIN users u ON u.user_id = i.created_by
LEFT JOIN price_import_lines l USING (import_id)
GROUP BY i.import_id, i.source, i.origin, i.facts, i.currency, i.factor, i.markup_micros, i.channel_id, c.name, i.created_at, i.created_by, u.email
ORDER BY i.created_at DESC, i.import_id DESC

-- name: lock_import
-- Whoever decides about lines of an import does it alone.
SELECT import_id, channel_id FROM price_imports WHERE import_id = $1 FOR UPDATE

-- name: count_changes
SELECT change, count(*) AS lines FROM price_import_lines WHERE import_id = $1 GROUP BY change

-- name: count_vendors
SELECT vendor, count(*) AS lines FROM price_import_lines WHERE import_id = $1 AND vendor IS NOT NULL GROUP BY vendor ORDER BY vendor LIMIT 500

-- name: page_of_lines
-- In the order of the list; every filter may be null.
SELECT l.line, l.model, l.vendor, l.proposal, l.unmapped, l.rates, l.tiers, l.base_id, l.base_version, l.change, l.state, l.result_id,
       l.decided_at, l.decided_by, EXISTS (SELECT 1 FROM models m WHERE m.model = l.model) AS is_known
FROM price_import_lines l
WHERE l.import_id = $1 AND l.line > $2
  AND ($3::text IS NULL OR strpos(lower(l.model), lower($3)) > 0)
  AND ($4::text IS NULL OR l.vendor = $4)
  AND ($5::text IS NULL OR l.change = $5)
  AND ($6::text IS NULL OR l.state = $6)
  AND ($7::boolean IS NULL OR (l.unmapped <> '{}') = $7)
  AND ($8::boolean IS NULL OR EXISTS (SELECT 1 FROM models m WHERE m.model = l.model) = $8)
ORDER BY l.line LIMIT $9

-- name: lines_of
SELECT l.line, l.model, l.vendor, l.proposal, l.unmapped, l.rates, l.tiers, l.base_id, l.base_version, l.change, l.state, l.result_id,
       l.decided_at, l.decided_by, EXISTS (SELECT 1 FROM models m WHERE m.model = l.model) AS is_known
FROM price_import_lines l WHERE l.import_id = $1 AND ($2::integer[] IS NULL OR l.line = ANY($2)) ORDER BY l.line

-- name: accept_line
UPDATE price_import_lines SET state = 'accepted', result_id = $3, decided_at = now(), decided_by = $4 WHERE import_id = $1 AND line = $2

-- name: set_aside
-- What was accepted stays accepted.
UPDATE price_import_lines SET state = $3, decided_at = now(), decided_by = $4
WHERE import_id = $1 AND line = ANY($2::integer[]) AND state <> 'accepted'

-- name: rebase_lines
UPDATE price_import_lines l SET base_id = b.base_id, base_version = b.base_version, change = b.change
FROM jsonb_to_recordset($2::jsonb) AS b (line integer, base_id uuid, base_version integer, change text)
WHERE l.import_id = $1 AND l.line = b.line

-- name: rename_line
UPDATE price_import_lines SET model = $3, base_id = $4, base_version = $5, change = $6 WHERE import_id = $1 AND line = $2

-- name: newest_versions
-- Of each model's rate card, whenever it takes effect.
SELECT model, max(version) AS version FROM rate_cards WHERE model = ANY($1::text[]) GROUP BY model

-- name: cards_by_id
SELECT rate_card_id, model, version, rates, tiers, effective_at, created_at, created_by FROM rate_cards WHERE rate_card_id = ANY($1::uuid[])

-- name: costs_by_id
SELECT cost_id, channel_id, model, version, rates, tiers, effective_at, created_at, created_by FROM channel_costs WHERE cost_id = ANY($1::uuid[])

-- name: costs_of_models
-- What channels that are there cost for these models now.
SELECT DISTINCT ON (k.channel_id, k.model) k.cost_id, k.channel_id, k.model, k.version, k.rates, k.tiers, k.effective_at, k.created_at, k.created_by
FROM channel_costs k JOIN channels c USING (channel_id)
WHERE k.model = ANY($1::text[]) AND k.effective_at <= now() ORDER BY k.channel_id, k.model, k.effective_at DESC, k.version DESC
