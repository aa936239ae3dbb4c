-- Limits of requests, tokens and calls at once of accounts, groups, models and keys, and the shares that nodes hold of them.

ALTER TABLE keys ADD COLUMN tokens_per_minute integer CONSTRAINT key_token_rate CHECK (tokens_per_minute > 0);

-- {requests_per_minute?, tokens_per_minute?, concurrency?}; what is absent is not limited.
ALTER TABLE accounts ADD COLUMN rate_limits jsonb NOT NULL DEFAULT '{}' CONSTRAINT account_rate_limits CHECK (jsonb_typeof(rate_limits) = 'object');
ALTER TABLE groups ADD COLUMN rate_limits jsonb NOT NULL DEFAULT '{}' CONSTRAINT group_rate_limits CHECK (jsonb_typeof(rate_limits) = 'object');
ALTER TABLE models ADD COLUMN rate_limits jsonb NOT NULL DEFAULT '{}' CONSTRAINT model_rate_limits CHECK (jsonb_typeof(rate_limits) = 'object');

-- A gateway process that holds shares of limits. It uses them until shortly before `until`, by its own clock.
CREATE TABLE rate_nodes (
  node_id uuid PRIMARY KEY,
  until timestamptz NOT NULL
) WITH (fillfactor = 50);

-- How much of a limit each node may use without asking. Whoever changes one of a subject holds the subject's advisory lock,
-- so the sum stays within the limit. After a node's `until`, shares of a minute count for another minute.
CREATE TABLE rate_shares (
  subject text NOT NULL,                                   -- whose limit, and of what: 'key <id> requests'
  node_id uuid NOT NULL REFERENCES rate_nodes ON DELETE CASCADE,
  share bigint NOT NULL CONSTRAINT rate_share CHECK (share >= 0),
  missing bigint NOT NULL DEFAULT 0 CONSTRAINT rate_missing CHECK (missing >= 0),   -- what calls wait for
  missing_since timestamptz,
  answered_at timestamptz,                                 -- when the node last gave back what it could spare
  PRIMARY KEY (subject, node_id)
) WITH (fillfactor = 50);
CREATE INDEX rate_shares_node ON rate_shares (node_id);
CREATE INDEX rate_shares_missing ON rate_shares (subject) WHERE missing > 0;
