-- Mail on its way, people who have not proved their address yet, links in mail, and what policies said before.

CREATE TABLE mails (
  mail_id uuid PRIMARY KEY,
  recipient text NOT NULL,
  locale text,
  letter text NOT NULL,
  facts bytea,                                             -- encrypted: it holds links; wiped when nobody needs it any more
  once text CONSTRAINT mail_once UNIQUE,                   -- the same occasion is written about once
  state text NOT NULL DEFAULT 'queued'
    CONSTRAINT mail_state CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'given_up')),
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT now(),              -- sending: until when the sender may be taken for alive
  give_up_at timestamptz NOT NULL,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX mails_due ON mails (next_at) WHERE state IN ('queued', 'failed', 'sending');
CREATE INDEX mails_listed ON mails (created_at DESC, mail_id DESC);

ALTER TABLE users ADD COLUMN email_verified_at timestamptz;  -- null: nobody proved that they read what is sent there

-- Somebody asked to join and has to prove the address first. They become a user when they do.
CREATE TABLE registrations (
  token_hash bytea PRIMARY KEY,
  email text NOT NULL,
  email_normal text NOT NULL,
  password_hash text NOT NULL,
  locale text,
  referral_code text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX registrations_email ON registrations (email_normal, created_at DESC);

-- Links that were mailed to somebody who is a user already. Hashed, single use, one of each purpose a person.
CREATE TABLE mailed_links (
  token_hash bytea PRIMARY KEY,
  purpose text NOT NULL CONSTRAINT mailed_link_purpose CHECK (purpose IN ('reset_password', 'change_email')),
  user_id uuid NOT NULL REFERENCES users,
  email text NOT NULL,                                     -- where it went; for change_email the address to be
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CONSTRAINT mailed_link_one UNIQUE (user_id, purpose)
);

-- Who was welcomed with quota. The row outlives the person, so that leaving and coming back gives nothing.
CREATE TABLE welcomed_identities (
  identity_hash bytea PRIMARY KEY,                         -- keyed hash of the normalised address
  welcomed_at timestamptz NOT NULL DEFAULT now()
);

-- Challenges of sign-up that were solved and used: each works once. (`spent_challenges` are those of sign-in, 0009.)
CREATE TABLE solved_challenges (
  challenge_hash bytea PRIMARY KEY,
  expires_at timestamptz NOT NULL
);

-- Secrets that an owner sets and nobody reads back.
CREATE TABLE instance_secrets (
  name text PRIMARY KEY,
  ciphertext bytea NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by uuid REFERENCES users
);

CREATE TABLE policy_history (
  topic text NOT NULL,
  version integer NOT NULL CONSTRAINT policy_version CHECK (version > 0),
  value jsonb NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by uuid REFERENCES users,
  PRIMARY KEY (topic, version)
);
INSERT INTO policy_history (topic, version, value, changed_at, changed_by)
SELECT topic, 1, value, updated_at, updated_by FROM policies;
