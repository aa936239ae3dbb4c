-- What was used. `created_at` is the time inside the request id, so a replay meets the same partition and the same row.
-- No foreign keys: these rows outlive what they name, and are written by the thousand.

CREATE TABLE usage_records (
  created_at timestamptz NOT NULL,
  request_id uuid NOT NULL,
  account_id uuid NOT NULL,
  wallet_id bigint NOT NULL,
  key_id uuid NOT NULL,
  transfer_id uuid,                                        -- null when nothing was charged
  model text NOT NULL,
  endpoint text NOT NULL,
  status text NOT NULL,
  usage_source text NOT NULL,
  quantities jsonb NOT NULL,                               -- meter -> quantity
  rate_card_id uuid NOT NULL,
  multiplier_micros bigint NOT NULL,
  group_name text NOT NULL,
  service_tier text,
  cost bigint NOT NULL,
  charged bigint NOT NULL,
  channel_id uuid,
  upstream_model text,
  client_request_id text,
  is_streaming boolean NOT NULL,
  latency_ms integer NOT NULL,
  first_token_ms integer,
  error text,
  unpriced text[] NOT NULL DEFAULT '{}',
  attempts jsonb NOT NULL DEFAULT '[]',
  CONSTRAINT usage_once PRIMARY KEY (created_at, request_id),
  CONSTRAINT usage_charged CHECK (charged BETWEEN 0 AND cost)
) PARTITION BY RANGE (created_at);
CREATE INDEX usage_records_account ON usage_records (account_id, created_at DESC, request_id DESC);
CREATE TABLE usage_records_default PARTITION OF usage_records DEFAULT;

-- Export links: single use, short-lived. The filters are the page's.
CREATE TABLE usage_exports (
  token_hash bytea PRIMARY KEY,
  account_id uuid,                                         -- null: an operator's export over every account
  filters jsonb NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
