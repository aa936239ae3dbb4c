-- People, the accounts that own wallets and keys, sessions, and keys.

CREATE TABLE groups (
  name text PRIMARY KEY CONSTRAINT group_name CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  label text NOT NULL DEFAULT '',
  multiplier_micros bigint NOT NULL CONSTRAINT group_multiplier CHECK (multiplier_micros BETWEEN 0 AND 1000000000),
  models text[],                                           -- null: every model
  is_public boolean NOT NULL DEFAULT false,
  usable_by text[] NOT NULL DEFAULT '{}',                  -- account groups whose accounts may use this group, besides its own
  overrides jsonb NOT NULL DEFAULT '{}',                   -- account group -> multiplier_micros when it uses this group
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO groups (name, label, multiplier_micros, is_public) VALUES ('default', 'Default', 1000000, true);

CREATE TABLE users (
  user_id uuid PRIMARY KEY,
  email text NOT NULL,
  email_normal text NOT NULL CONSTRAINT user_email UNIQUE,  -- lower case, what sign-in looks for
  password_hash text,                                       -- argon2id; null until the person chose one
  role text NOT NULL DEFAULT 'user' CONSTRAINT user_role CHECK (role IN ('user', 'operator', 'owner')),
  status text NOT NULL DEFAULT 'active' CONSTRAINT user_status CHECK (status IN ('active', 'banned')),
  locale text,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE accounts (
  account_id uuid PRIMARY KEY,
  name text NOT NULL,
  kind text NOT NULL DEFAULT 'personal' CONSTRAINT account_kind CHECK (kind IN ('personal', 'team')),
  group_name text NOT NULL DEFAULT 'default' CONSTRAINT account_group REFERENCES groups (name),
  status text NOT NULL DEFAULT 'active' CONSTRAINT account_status CHECK (status IN ('active', 'paused')),
  created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE wallets ADD CONSTRAINT wallet_account FOREIGN KEY (account_id) REFERENCES accounts;

CREATE TABLE members (
  account_id uuid NOT NULL REFERENCES accounts,
  user_id uuid NOT NULL REFERENCES users,
  team_role text NOT NULL CONSTRAINT member_role CHECK (team_role IN ('owner', 'admin', 'billing', 'member')),
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

-- The refresh token is derived from (session_id, rotation) with a server secret: nothing secret is stored.
CREATE TABLE sessions (
  session_id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users,
  rotation integer NOT NULL DEFAULT 0,
  rotated_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  user_agent text NOT NULL DEFAULT '',
  address inet
);
CREATE INDEX sessions_user ON sessions (user_id, created_at DESC);

-- One-time links: first operator, setup. Hashed, single use.
CREATE TABLE one_time_links (
  token_hash bytea PRIMARY KEY,
  purpose text NOT NULL CONSTRAINT link_purpose CHECK (purpose IN ('operator', 'setup')),
  email text NOT NULL DEFAULT '',
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);

-- Failure budgets of sign-in and code guessing, per account and per address. Losing them in a crash costs nothing.
CREATE UNLOGGED TABLE attempts (
  scope text NOT NULL,
  subject bytea NOT NULL,                                  -- hash of the e-mail address, user or network address
  window_start timestamptz NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  PRIMARY KEY (scope, subject)
);

CREATE TABLE keys (
  key_id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  wallet_id bigint NOT NULL REFERENCES wallets,
  user_id uuid NOT NULL REFERENCES users,                  -- the responsible member
  name text NOT NULL CONSTRAINT key_name CHECK (length(name) BETWEEN 1 AND 120),
  secret_hash bytea NOT NULL CONSTRAINT key_secret UNIQUE,
  prefix text NOT NULL,                                    -- what people see of it
  status text NOT NULL DEFAULT 'active' CONSTRAINT key_status CHECK (status IN ('active', 'disabled', 'deleted')),
  group_name text CONSTRAINT key_group REFERENCES groups (name),
  spend_limit bigint,                                      -- null: no limit, then never leased
  spent bigint NOT NULL DEFAULT 0,
  leased bigint NOT NULL DEFAULT 0,
  models text[],                                           -- null: every model the group offers
  allowed_ips text[],                                      -- addresses or networks; null: everywhere
  requests_per_minute integer CONSTRAINT key_rate CHECK (requests_per_minute > 0),
  concurrency integer CONSTRAINT key_concurrency CHECK (concurrency > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  CONSTRAINT key_limit CHECK (spent >= 0 AND leased >= 0 AND (spend_limit IS NULL OR spent + leased <= spend_limit)),
  CONSTRAINT key_limit_max CHECK (spend_limit < 9007199254740992)
) WITH (fillfactor = 50);
CREATE INDEX keys_account ON keys (account_id, created_at DESC, key_id DESC);

CREATE TABLE key_leases (
  node_id uuid NOT NULL REFERENCES nodes,
  key_id uuid NOT NULL REFERENCES keys,
  amount bigint NOT NULL CONSTRAINT key_lease_amount CHECK (amount >= 0),
  PRIMARY KEY (node_id, key_id)
) WITH (fillfactor = 50);
CREATE INDEX key_leases_key ON key_leases (key_id);

-- Idempotency-Key: first status and body are replayed for 24 h. Secrets are blanked before they come here.
CREATE TABLE idempotency_keys (
  scope text NOT NULL,                                     -- account, method and path
  key text NOT NULL,
  body_hash bytea NOT NULL,
  claim_id uuid NOT NULL,                                  -- becomes the id of what the request makes, so that a second run makes it once
  status integer,                                          -- null: still running
  answer bytea,
  media_type text,
  started_at timestamptz NOT NULL DEFAULT now(),           -- a run that began long ago and has no status died with its process
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Every change another process must hear of bumps one of these; a listener compares after a reconnect or a silence.
CREATE TABLE versions (
  name text PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0
);
INSERT INTO versions (name) VALUES ('catalogue'), ('keys'), ('accounts'), ('sessions');
