-- What is offered: models, rate cards, channels, policies; and redemption codes.

-- Operators page through everybody, newest first.
CREATE INDEX accounts_page ON accounts (created_at DESC, account_id DESC);
CREATE INDEX users_page ON users (created_at DESC, user_id DESC);

CREATE TABLE models (
  model text PRIMARY KEY CONSTRAINT model_name CHECK (length(model) BETWEEN 1 AND 200 AND model !~ '[[:space:][:cntrl:]]'),
  vendor text,
  description text,
  context_window integer CONSTRAINT model_context CHECK (context_window > 0),
  max_output_tokens integer CONSTRAINT model_output CHECK (max_output_tokens > 0),
  media_tokens_max integer CONSTRAINT model_media CHECK (media_tokens_max > 0),   -- most tokens that one image, audio clip or document in a prompt can count
  is_enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE rate_cards (
  rate_card_id uuid PRIMARY KEY,
  model text NOT NULL REFERENCES models,
  version integer NOT NULL,
  rates jsonb NOT NULL,
  tiers jsonb NOT NULL DEFAULT '[]',
  effective_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by uuid,
  CONSTRAINT rate_card_version UNIQUE (model, version)
);
CREATE INDEX rate_cards_page ON rate_cards (created_at DESC, rate_card_id DESC);
CREATE INDEX rate_cards_effective ON rate_cards (model, effective_at DESC, version DESC);
CREATE TRIGGER rate_cards_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON rate_cards FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE channels (
  channel_id uuid PRIMARY KEY,
  name text NOT NULL CONSTRAINT channel_name UNIQUE CHECK (length(name) BETWEEN 1 AND 120),
  provider text NOT NULL,
  base_url text NOT NULL,
  models jsonb NOT NULL,                                   -- public name -> upstream name
  groups text[] NOT NULL,
  priority integer NOT NULL DEFAULT 0,
  weight integer NOT NULL DEFAULT 1 CONSTRAINT channel_weight CHECK (weight BETWEEN 0 AND 1000000),
  is_enabled boolean NOT NULL DEFAULT true,
  options jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE channel_credentials (
  credential_id uuid PRIMARY KEY,
  channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
  ciphertext bytea NOT NULL,                               -- AES-GCM; table and id are the associated data
  hint text NOT NULL,                                      -- the last four characters
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX channel_credentials_channel ON channel_credentials (channel_id);

CREATE TABLE policies (
  topic text PRIMARY KEY,
  value jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by uuid
);

CREATE TABLE redemption_batches (
  batch_id uuid PRIMARY KEY,
  name text NOT NULL CONSTRAINT batch_name CHECK (length(name) BETWEEN 1 AND 120),
  amount bigint NOT NULL CONSTRAINT batch_amount CHECK (amount BETWEEN 1 AND 9007199254740991),
  count integer NOT NULL CONSTRAINT batch_count CHECK (count BETWEEN 1 AND 10000),
  uses_per_code integer NOT NULL DEFAULT 1 CONSTRAINT batch_uses_per_code CHECK (uses_per_code BETWEEN 1 AND 1000000),
  uses_per_account integer NOT NULL DEFAULT 1 CONSTRAINT batch_uses_per_account CHECK (uses_per_account BETWEEN 1 AND 1000),
  groups text[],                                           -- null: every group
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by uuid
);

CREATE TABLE redemption_codes (
  code_id uuid PRIMARY KEY,
  batch_id uuid NOT NULL REFERENCES redemption_batches,
  code_hash bytea NOT NULL CONSTRAINT redemption_code UNIQUE,   -- keyed hash
  hint text NOT NULL,                                           -- the last four characters
  uses integer NOT NULL DEFAULT 0 CONSTRAINT code_uses CHECK (uses >= 0),
  revoked_at timestamptz
);
CREATE INDEX redemption_codes_batch ON redemption_codes (batch_id);

CREATE TABLE redemptions (
  code_id uuid NOT NULL REFERENCES redemption_codes,
  account_id uuid NOT NULL REFERENCES accounts,
  nth integer NOT NULL,                                    -- 1, 2 … of this account with this code
  user_id uuid NOT NULL REFERENCES users,
  transfer_id uuid NOT NULL REFERENCES transfers,
  redeemed_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT redemption_once PRIMARY KEY (code_id, account_id, nth)
);
CREATE INDEX redemptions_account ON redemptions (account_id, redeemed_at DESC);
