-- Names that providers mint (responses, their items, conversations), where they live and whose they are; and background
-- work, which is paid for when it ends, whether or not anybody asks again.

-- One name in one account: the same name in another account is another thing, or nothing. No foreign keys, as in usage
-- records: a name outlives its channel, and a request that carries it is told so.
CREATE TABLE stored_ids (
  account_id uuid NOT NULL,
  name text NOT NULL CONSTRAINT stored_id_name CHECK (length(name) BETWEEN 1 AND 256),
  kind text NOT NULL CONSTRAINT stored_id_kind CHECK (kind IN ('response', 'item', 'conversation', 'file', 'batch')),
  key_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  credential_id uuid,                                      -- null: the channel needs none
  model text,                                              -- null where the name belongs to no model
  upstream_model text,
  request_id uuid NOT NULL,                                -- the call that it was minted in
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,                                  -- null: the provider keeps it until it is deleted
  CONSTRAINT stored_id_once PRIMARY KEY (account_id, name)
);
CREATE INDEX stored_ids_expired ON stored_ids (expires_at) WHERE expires_at IS NOT NULL;

-- What open background jobs may cost stands in the account's reserved wallet, made when it is first needed.
ALTER TABLE wallets DROP CONSTRAINT wallet_kinds, ADD CONSTRAINT wallet_kinds
  CHECK (kind IN ('main', 'reward', 'debt', 'reserved', 'sales', 'grants', 'revenue', 'overrun', 'loss'));
ALTER TABLE wallets DROP CONSTRAINT wallet_kind, ADD CONSTRAINT wallet_kind
  CHECK ((kind IN ('main', 'reward', 'debt', 'reserved')) = (balance IS NOT NULL));

-- 'reserve': main -> reserved when a job begins. 'release': all of it back when it ends; what it used is a usage transfer.
ALTER TABLE transfers DROP CONSTRAINT transfer_kinds, ADD CONSTRAINT transfer_kinds
  CHECK (kind IN ('grant', 'redemption', 'adjustment', 'top_up', 'reward', 'reward_transfer', 'refund', 'loss', 'debt', 'forfeit', 'clawback',
                  'reserve', 'release'));

-- The terms are those of admission. A limited key's share of the worst case is a lease of the node that stands for all jobs.
CREATE TABLE background_jobs (
  job_id uuid PRIMARY KEY,                                 -- the request id of the call that began it
  account_id uuid NOT NULL,
  wallet_id bigint NOT NULL REFERENCES wallets,
  key_id uuid NOT NULL,
  key_is_limited boolean NOT NULL,
  reserved bigint NOT NULL CONSTRAINT background_reserved CHECK (reserved >= 0),
  model text NOT NULL,
  endpoint text NOT NULL,
  rate_card_id uuid NOT NULL REFERENCES rate_cards,
  multiplier_micros bigint NOT NULL,
  group_name text NOT NULL,
  estimated_input_tokens bigint NOT NULL,                  -- for an answer that nobody counted
  is_streaming boolean NOT NULL,
  client_request_id text,
  response_id text,                                        -- null until the provider has said it
  channel_id uuid,
  credential_id uuid,
  upstream_model text,
  created_at timestamptz NOT NULL DEFAULT now(),
  ask_at timestamptz,                                      -- when the provider is asked next; null: it has ended
  asks integer NOT NULL DEFAULT 0,
  ended_at timestamptz,
  outcome text CONSTRAINT background_outcome CHECK (outcome IN ('ok', 'partial', 'cancelled', 'failed')),
  reason text,                                             -- why it was given up, as a code
  CONSTRAINT background_ended CHECK ((ask_at IS NULL) = (ended_at IS NOT NULL) AND (outcome IS NULL) = (ended_at IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX background_jobs_ask ON background_jobs (ask_at) WHERE ask_at IS NOT NULL;
CREATE UNIQUE INDEX background_jobs_response ON background_jobs (account_id, response_id) WHERE ask_at IS NOT NULL AND response_id IS NOT NULL;
CREATE INDEX background_jobs_ended ON background_jobs (ended_at) WHERE ended_at IS NOT NULL;
