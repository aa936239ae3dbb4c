-- What was charged beside what providers charged for it.

-- name: margins
-- `$3` says what to group by; days are those of the time zone `$4`. What has no known cost counts in `charged` alone. The
-- first row is the sum of everything, however many of the others are left out.
WITH picked AS (
  SELECT charged, provider_cost,
         CASE $3::text
           WHEN 'day' THEN to_char(created_at AT TIME ZONE $4, 'YYYY-MM-DD')
           WHEN 'model' THEN model
           WHEN 'channel' THEN coalesce(channel_id::text, '')
           ELSE account_id::text
         END AS key
  FROM usage_records
  WHERE created_at >= $1 AND created_at < $2
    AND ($5::text IS NULL OR model = $5) AND ($6::uuid IS NULL OR channel_id = $6) AND ($7::uuid IS NULL OR account_id = $7)
), sums AS (
  SELECT key, grouping(key) = 1 AS is_total, count(*) AS requests, count(provider_cost) AS covered_requests,
         coalesce(sum(charged), 0) AS charged,
         coalesce(sum(charged) FILTER (WHERE provider_cost IS NOT NULL), 0) AS covered,
         coalesce(sum(provider_cost), 0) AS provider_cost
  FROM picked GROUP BY GROUPING SETS ((key), ())
)
SELECT s.is_total, coalesce(s.key, '') AS key,
       CASE $3::text
         WHEN 'channel' THEN (SELECT c.name FROM channels c WHERE c.channel_id::text = s.key)
         WHEN 'account' THEN (SELECT a.name FROM accounts a WHERE a.account_id::text = s.key)
       END AS label,
       s.requests, s.covered_requests, s.charged::text AS charged, s.covered::text AS covered, s.provider_cost::text AS provider_cost
FROM sums s
ORDER BY s.is_total DESC, CASE WHEN $3 = 'day' THEN s.key END, s.charged DESC, s.key
LIMIT 5001
