-- More than a password: second factors, passkeys, identities at other providers, and how a session came to be.

ALTER TABLE sessions
  ADD COLUMN method text NOT NULL DEFAULT 'password'
    CONSTRAINT session_method CHECK (method IN ('password', 'passkey', 'identity', 'link', 'sign_up')),
  ADD COLUMN second_method text CONSTRAINT session_second_method CHECK (second_method IN ('totp', 'recovery_code', 'passkey')),
  ADD COLUMN authenticated_at timestamptz NOT NULL DEFAULT now();   -- when the person last proved who they are

CREATE TABLE totp_factors (
  user_id uuid PRIMARY KEY REFERENCES users,
  secret bytea NOT NULL,                                   -- encrypted
  confirmed_at timestamptz,                                -- null: shown, and not yet proved with a code
  last_step bigint NOT NULL DEFAULT 0,                     -- a code of this step or an earlier one is not taken again
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recovery_codes (
  user_id uuid NOT NULL REFERENCES users,
  code_hash bytea NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE passkeys (
  passkey_id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users,
  credential_id bytea NOT NULL CONSTRAINT passkey_credential UNIQUE,
  public_key bytea NOT NULL,
  sign_count bigint NOT NULL DEFAULT 0,
  transports text[] NOT NULL DEFAULT '{}',
  is_backed_up boolean NOT NULL DEFAULT false,             -- the person's devices share it
  name text NOT NULL CONSTRAINT passkey_name CHECK (length(name) BETWEEN 1 AND 120),
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz
);
CREATE INDEX passkeys_user ON passkeys (user_id, created_at);

-- What was signed and handed out (a challenge, a second step, a visit to a provider) and has been used: never again.
CREATE TABLE spent_proofs (
  proof_hash bytea PRIMARY KEY,
  expires_at timestamptz NOT NULL                          -- after this the signature refuses it anyway
);
CREATE INDEX spent_proofs_age ON spent_proofs (expires_at);

CREATE TABLE identity_providers (
  provider_id text PRIMARY KEY CONSTRAINT identity_provider_id CHECK (provider_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  kind text NOT NULL CONSTRAINT identity_provider_kind CHECK (kind IN ('oidc', 'github')),
  label text NOT NULL,
  issuer text NOT NULL,                                    -- OpenID Connect: its issuer; GitHub: the address of its pages
  client_id text NOT NULL,
  client_secret bytea NOT NULL,                            -- encrypted
  scopes text[] NOT NULL,
  allow_sign_up boolean NOT NULL DEFAULT false,
  allowed_domains text[] NOT NULL DEFAULT '{}',            -- of verified e-mail addresses; empty: every one
  trust_email boolean NOT NULL DEFAULT false,              -- a verified address there is the person who has it here
  is_enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE identities (
  identity_id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users,
  provider_id text NOT NULL CONSTRAINT identity_of_provider REFERENCES identity_providers,
  subject text NOT NULL,                                   -- the provider's own id for the person; addresses change, this does not
  name text NOT NULL DEFAULT '',                           -- what the person knows it by: an address or a login
  linked_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  CONSTRAINT identity_once UNIQUE (provider_id, subject),
  CONSTRAINT identity_one_each UNIQUE (user_id, provider_id)
);

-- Whether somebody runs the place without the second factor that policy `sign_in` asks of those who do.
CREATE FUNCTION lacks_factor(person uuid, role text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT role <> 'user'
    AND coalesce((SELECT value ->> 'require_second_factor_for' FROM policies WHERE topic = 'sign_in') = 'operators', false)
    AND NOT EXISTS (SELECT 1 FROM totp_factors t WHERE t.user_id = person AND t.confirmed_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = person)
$$;
