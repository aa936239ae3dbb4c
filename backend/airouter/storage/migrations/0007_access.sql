-- Teams, invitations, and management tokens.

-- Accounts are never dropped, because the books refer to them: a deleted team is paused, without members, and nobody finds it any more.
ALTER TABLE accounts ADD COLUMN deleted_at timestamptz;
ALTER TABLE accounts ADD CONSTRAINT account_deleted CHECK (deleted_at IS NULL OR status = 'paused');

-- An invitation names an address and a role. Its token is hashed, single-use and expires; a new one for the same address replaces it.
CREATE TABLE invitations (
  invitation_id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  email text NOT NULL,
  email_normal text NOT NULL,
  team_role text NOT NULL CONSTRAINT invitation_role CHECK (team_role IN ('owner', 'admin', 'billing', 'member')),
  token_hash bytea NOT NULL CONSTRAINT invitation_token UNIQUE,
  is_mailed boolean NOT NULL,                              -- then whoever has the token reads that mailbox; else the inviter saw it, too
  invited_by uuid NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  accepted_by uuid REFERENCES users,
  revoked_at timestamptz,
  CONSTRAINT invitation_accepted CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
  CONSTRAINT invitation_end CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);
CREATE UNIQUE INDEX invitation_open ON invitations (account_id, email_normal) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_account ON invitations (account_id, created_at DESC, invitation_id DESC);

-- A management token acts for one person in one account, with what it was given and no more than that person may do at the moment.
CREATE TABLE management_tokens (
  token_id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  user_id uuid NOT NULL REFERENCES users,
  name text NOT NULL CONSTRAINT token_name CHECK (length(name) BETWEEN 1 AND 120),
  secret_hash bytea NOT NULL CONSTRAINT token_secret UNIQUE,
  prefix text NOT NULL,                                    -- what people see of it
  scopes text[] NOT NULL CONSTRAINT token_scopes CHECK (cardinality(scopes) > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,                                -- to the minute
  revoked_at timestamptz
);
CREATE INDEX management_tokens_user ON management_tokens (user_id, created_at DESC, token_id DESC);
CREATE INDEX management_tokens_account ON management_tokens (account_id) WHERE revoked_at IS NULL;
