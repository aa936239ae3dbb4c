-- Budgets of keys and members, the grace of a rotated secret, short-lived keys, alerts and their signed deliveries.

-- A day, a week (from Monday) and a month begin at midnight in the account's zone.
ALTER TABLE accounts ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';

ALTER TABLE keys
  ADD COLUMN kind text NOT NULL DEFAULT 'standard' CONSTRAINT key_kind CHECK (kind IN ('standard', 'ephemeral')),
  ADD COLUMN is_budgeted boolean NOT NULL DEFAULT false,   -- a budget of the key or of its member counts it; changed only under the key's lock
  ADD COLUMN previous_secret_hash bytea CONSTRAINT key_previous_secret UNIQUE,
  ADD COLUMN previous_secret_until timestamptz,
  ADD CONSTRAINT key_grace CHECK ((previous_secret_hash IS NULL) = (previous_secret_until IS NULL));
CREATE INDEX keys_member ON keys (account_id, user_id) WHERE status <> 'deleted';
CREATE INDEX keys_ephemeral ON keys (user_id, expires_at) WHERE kind = 'ephemeral' AND status <> 'deleted';

ALTER TABLE usage_records ADD COLUMN user_id uuid;         -- who was responsible for the key when it was charged: whose budget paid

-- The window of a moment: when it began and when it ends. `total` has no end. A zone whose clock shows midnight twice begins its day at the second.
CREATE FUNCTION budget_window(period text, zone text, at timestamptz, OUT starts timestamptz, OUT ends timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  local_start timestamp;
BEGIN
  IF period = 'total' THEN
    starts := at;
    RETURN;
  END IF;
  local_start := date_trunc(period, at AT TIME ZONE zone);
  starts := local_start AT TIME ZONE zone;
  ends := (local_start + ('1 ' || period)::interval) AT TIME ZONE zone;
  IF starts > at THEN
    ends := starts;
    starts := at;
  END IF;
END $$;

-- What a key, or all keys of one member together, may spend in a period. Key leases count in every budget above the key.
CREATE TABLE budgets (
  budget_id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  key_id uuid REFERENCES keys,
  user_id uuid REFERENCES users,
  period text NOT NULL CONSTRAINT budget_period CHECK (period IN ('total', 'day', 'week', 'month')),
  quota_max bigint NOT NULL CONSTRAINT budget_max CHECK (quota_max BETWEEN 0 AND 9007199254740991),
  spent bigint NOT NULL DEFAULT 0,                         -- charges of calls that began at or after window_start
  leased bigint NOT NULL DEFAULT 0,                        -- the sum of the leases of the keys below
  excess bigint NOT NULL DEFAULT 0,                        -- spent and leased beyond a maximum that was lowered; it only shrinks
  window_start timestamptz NOT NULL,
  window_end timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT budget_owner CHECK (num_nonnulls(key_id, user_id) = 1),
  CONSTRAINT budget_total CHECK (period <> 'total' OR user_id IS NOT NULL),   -- a key's total is its spend_limit
  CONSTRAINT budget_end CHECK ((period = 'total') = (window_end IS NULL)),
  CONSTRAINT budget_within CHECK (spent >= 0 AND leased >= 0 AND excess >= 0 AND spent + leased <= quota_max + excess),
  CONSTRAINT budget_once UNIQUE NULLS NOT DISTINCT (account_id, key_id, user_id, period)
) WITH (fillfactor = 50);
CREATE INDEX budgets_key ON budgets (key_id) WHERE key_id IS NOT NULL;

-- A key that is handed over takes its leases from the budgets of one member to those of another.
CREATE FUNCTION key_handed_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM members WHERE account_id = NEW.account_id AND user_id = NEW.user_id FOR SHARE;   -- no budget of theirs comes or goes meanwhile
  PERFORM 1 FROM budgets WHERE account_id = NEW.account_id AND user_id IN (OLD.user_id, NEW.user_id) ORDER BY budget_id FOR NO KEY UPDATE;
  UPDATE budgets SET leased = leased - OLD.leased WHERE account_id = OLD.account_id AND user_id = OLD.user_id;
  UPDATE budgets SET leased = leased + NEW.leased, excess = greatest(excess, spent + leased + NEW.leased - quota_max)
  WHERE account_id = NEW.account_id AND user_id = NEW.user_id;
  NEW.is_budgeted := EXISTS (SELECT FROM budgets b WHERE b.key_id = NEW.key_id OR (b.account_id = NEW.account_id AND b.user_id = NEW.user_id));
  RETURN NEW;
END $$;
CREATE TRIGGER key_handed_over BEFORE UPDATE OF user_id ON keys
FOR EACH ROW WHEN (OLD.user_id IS DISTINCT FROM NEW.user_id) EXECUTE FUNCTION key_handed_over();

-- A new key of a member with a budget counts there from its first call.
CREATE FUNCTION key_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM members WHERE account_id = NEW.account_id AND user_id = NEW.user_id FOR SHARE;
  NEW.is_budgeted := EXISTS (SELECT FROM budgets b WHERE b.account_id = NEW.account_id AND b.user_id = NEW.user_id);
  RETURN NEW;
END $$;
CREATE TRIGGER key_made BEFORE INSERT ON keys FOR EACH ROW EXECUTE FUNCTION key_made();

-- What an account wants to be told. `threshold` is quota for a low balance, percent for a budget.
CREATE TABLE alerts (
  alert_id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  kind text NOT NULL CONSTRAINT alert_kind CHECK (kind IN ('low_balance', 'key_budget', 'member_budget')),
  threshold bigint NOT NULL,
  to_mail boolean NOT NULL,
  webhook_url text,
  secret_sealed bytea,                                     -- what signs its webhooks, sealed by the vault
  is_enabled boolean NOT NULL DEFAULT true,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT alert_threshold CHECK (threshold >= 0 AND (kind = 'low_balance' OR threshold BETWEEN 1 AND 100)),
  CONSTRAINT alert_channel CHECK (to_mail OR webhook_url IS NOT NULL),
  CONSTRAINT alert_secret CHECK ((webhook_url IS NULL) = (secret_sealed IS NULL))
);
CREATE INDEX alerts_account ON alerts (account_id, created_at, alert_id);

-- An alert that was told about a wallet, a key or a budget. No row: armed. The row goes when the figure is well again or its window is over.
CREATE TABLE alert_firings (
  alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
  subject text NOT NULL,                                   -- w<wallet_id>, k<key_id> or b<budget_id>
  window_start timestamptz,
  fired_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (alert_id, subject)
);

-- One webhook to send, and how that went. The body is fixed when the alert fires, so that each attempt says the same.
CREATE TABLE alert_deliveries (
  delivery_id uuid PRIMARY KEY,
  alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
  account_id uuid NOT NULL,
  event text NOT NULL,
  body text NOT NULL,
  state text NOT NULL DEFAULT 'pending' CONSTRAINT delivery_state CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  status integer,                                          -- the receiver's last answer
  error text,                                              -- why the last attempt failed
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (due_at) WHERE state = 'pending';
CREATE INDEX alert_deliveries_account ON alert_deliveries (account_id, created_at DESC, delivery_id DESC);
