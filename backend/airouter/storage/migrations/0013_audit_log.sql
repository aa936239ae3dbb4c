-- Who did what; what is held about a person, and how it is taken away again.

-- Append-only. The serving role can insert and read; the one way to take a person's details out is erase_from_audit_log().
CREATE TABLE audit_log (
  act_id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  action text NOT NULL CONSTRAINT audit_action CHECK (action ~ '^[a-z_]+([.][a-z_]+)+$'),
  subject text NOT NULL,                                   -- the noun: channel, user, key …
  subject_id text NOT NULL,
  account_id uuid,                                         -- the account that it concerns; its owner may read it
  user_id uuid,                                            -- who; null: the house itself, or a stranger
  token_id uuid,                                           -- the management token that they used
  address text,
  request_id uuid,
  before jsonb,
  after jsonb,
  is_erased boolean NOT NULL DEFAULT false                 -- personal details were taken out
);
CREATE INDEX audit_log_page ON audit_log (created_at DESC, act_id DESC);
CREATE INDEX audit_log_account ON audit_log (account_id, created_at DESC, act_id DESC) WHERE account_id IS NOT NULL;
CREATE INDEX audit_log_user ON audit_log (user_id, created_at DESC, act_id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX audit_log_subject ON audit_log (subject, subject_id, created_at DESC, act_id DESC);

CREATE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- An erasure takes away the address and the details; nothing else ever changes.
  IF NEW.is_erased AND NEW.address IS NULL
     AND ((NEW.before IS NULL AND NEW.after IS NULL) OR (NEW.before, NEW.after) IS NOT DISTINCT FROM (OLD.before, OLD.after))
     AND (NEW.act_id, NEW.created_at, NEW.action, NEW.subject, NEW.subject_id, NEW.account_id, NEW.user_id, NEW.token_id, NEW.request_id)
         IS NOT DISTINCT FROM
         (OLD.act_id, OLD.created_at, OLD.action, OLD.subject, OLD.subject_id, OLD.account_id, OLD.user_id, OLD.token_id, OLD.request_id)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_log_kept BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION keep_audit_log();
CREATE TRIGGER audit_log_immutable BEFORE DELETE OR TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the person did loses the address it was done from. What was done to them, what they named (their keys, their
-- account), and whatever has their e-mail address in it, loses its details as well. That something happened, when, and by
-- which id, stays for ever; so do amounts.
CREATE FUNCTION erase_from_audit_log(person uuid, email text, accounts uuid[]) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
  WITH named AS (
    SELECT act_id,
           subject = 'user' AND subject_id = person::text
           OR account_id = ANY (accounts) AND subject NOT IN ('wallet', 'order', 'transfer') AND action <> 'balance.adjusted'
           OR email <> '' AND strpos(lower(concat(before::text, after::text)), lower(email)) > 0 AS is_about_them
    FROM audit_log
    WHERE user_id = person OR subject = 'user' AND subject_id = person::text OR account_id = ANY (accounts)
       OR email <> '' AND strpos(lower(concat(before::text, after::text)), lower(email)) > 0
  ), erased AS (
    UPDATE audit_log a
    SET is_erased = true, address = CASE WHEN n.is_about_them OR a.user_id = person THEN NULL ELSE a.address END,
        before = CASE WHEN n.is_about_them THEN NULL ELSE a.before END,
        after = CASE WHEN n.is_about_them THEN NULL ELSE a.after END
    FROM named n WHERE n.act_id = a.act_id AND (n.is_about_them OR a.user_id = person)
    RETURNING 1
  )
  SELECT count(*) FROM erased
$$;
REVOKE ALL ON FUNCTION erase_from_audit_log(uuid, text, uuid[]) FROM PUBLIC;

-- What is held about a person, put together for them; sealed, and gone when its day is over.
CREATE TABLE personal_exports (
  export_id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users,
  requested_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,                                 -- null: still to be put together
  expires_at timestamptz,                                  -- set when finished
  content bytea,                                           -- encrypted; null once taken or expired
  size_bytes bigint,
  token_hash bytea CONSTRAINT personal_export_token UNIQUE, -- the link that opens it once
  taken_at timestamptz
);
CREATE INDEX personal_exports_user ON personal_exports (user_id, requested_at DESC);
CREATE UNIQUE INDEX personal_exports_one_open ON personal_exports (user_id) WHERE finished_at IS NULL;

-- A deletion that was asked for: it may be cancelled until it is due, and is resumed until it is finished.
CREATE TABLE deletions (
  user_id uuid PRIMARY KEY REFERENCES users,
  requested_at timestamptz NOT NULL DEFAULT now(),
  requested_by uuid,                                       -- null: themselves
  due_at timestamptz NOT NULL,
  ends_keys_now boolean NOT NULL,
  finished_at timestamptz
);
CREATE INDEX deletions_due ON deletions (due_at) WHERE finished_at IS NULL;

ALTER TABLE users ADD COLUMN erased_at timestamptz;        -- the person is gone; the row stands for the ids that refer to it

-- Export links of the audit log: single use, a minute.
CREATE TABLE audit_exports (
  token_hash bytea PRIMARY KEY,
  filters jsonb NOT NULL,
  format text NOT NULL CONSTRAINT audit_export_format CHECK (format IN ('csv', 'jsonl')),
  expires_at timestamptz NOT NULL
);

-- Older tools of this family of gateways name users and keys by small integers.
ALTER TABLE users ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT user_number UNIQUE;
ALTER TABLE keys ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT key_number UNIQUE;

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'airouter_serve') THEN
    REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM airouter_serve;
    GRANT EXECUTE ON FUNCTION erase_from_audit_log(uuid, text, uuid[]) TO airouter_serve;
  END IF;
END $$;
