-- Money in by payment: methods, orders, what processors said (the inbox), and what an account owes (its debt wallet).

-- A debt wallet holds what an account owes, below zero: made when it is first needed, never leased, never above zero.
ALTER TABLE wallets DROP CONSTRAINT wallet_kinds, ADD CONSTRAINT wallet_kinds
  CHECK (kind IN ('main', 'reward', 'debt', 'sales', 'grants', 'revenue', 'overrun', 'loss'));
ALTER TABLE wallets DROP CONSTRAINT wallet_kind, ADD CONSTRAINT wallet_kind
  CHECK ((kind IN ('main', 'reward', 'debt')) = (balance IS NOT NULL));
ALTER TABLE wallets DROP CONSTRAINT wallet_leased, ADD CONSTRAINT wallet_leased
  CHECK (leased >= 0 AND (kind = 'debt' OR balance >= leased));
ALTER TABLE wallets ADD CONSTRAINT wallet_debt CHECK (kind <> 'debt' OR (balance <= 0 AND balance > -9007199254740992));

-- 'debt': an amount that could not be taken, and what repays it. 'forfeit': what a closed account leaves.
-- 'clawback': a reward taken back.
ALTER TABLE transfers DROP CONSTRAINT transfer_kinds, ADD CONSTRAINT transfer_kinds
  CHECK (kind IN ('grant', 'redemption', 'adjustment', 'top_up', 'reward', 'reward_transfer', 'refund', 'loss', 'debt', 'forfeit', 'clawback'));

CREATE TABLE payment_methods (
  method_id text PRIMARY KEY CONSTRAINT payment_method_slug CHECK (method_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),   -- part of its webhook's address
  processor text NOT NULL,
  label text NOT NULL,
  text text NOT NULL DEFAULT '',
  currency text NOT NULL CONSTRAINT payment_method_currency CHECK (currency ~ '^[A-Z]{3}$'),
  quota_per_minor_unit bigint NOT NULL CONSTRAINT payment_method_rate CHECK (quota_per_minor_unit > 0),
  minimum bigint CONSTRAINT payment_method_minimum CHECK (minimum > 0),          -- minor units; null: no bound of its own
  maximum bigint CONSTRAINT payment_method_maximum CHECK (maximum >= coalesce(minimum, 1)),
  custom_amount boolean NOT NULL DEFAULT true,
  packages jsonb NOT NULL DEFAULT '[]',
  bonus_tiers jsonb NOT NULL DEFAULT '[]',
  fee_fixed bigint NOT NULL DEFAULT 0 CONSTRAINT payment_method_fee_fixed CHECK (fee_fixed >= 0),
  fee_micros bigint NOT NULL DEFAULT 0 CONSTRAINT payment_method_fee_micros CHECK (fee_micros >= 0),   -- millionths of the amount
  groups text[],                                           -- null: accounts of every group
  order_minutes integer CONSTRAINT payment_method_order_minutes CHECK (order_minutes > 0),             -- null: policy topup
  config jsonb NOT NULL DEFAULT '{}',                      -- the processor's own, typed there; nothing secret
  is_enabled boolean NOT NULL DEFAULT false,
  position integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Encrypted with method and field as associated data. After a change the one before is accepted for a while.
CREATE TABLE payment_secrets (
  method_id text NOT NULL REFERENCES payment_methods ON DELETE CASCADE,
  field text NOT NULL,
  ciphertext bytea NOT NULL,
  set_at timestamptz NOT NULL DEFAULT now(),
  previous bytea,
  previous_accepted_until timestamptz,
  PRIMARY KEY (method_id, field),
  CONSTRAINT payment_secret_previous CHECK ((previous IS NULL) = (previous_accepted_until IS NULL))
);

-- Amounts are minor units of the currency; everything that decides what is credited is copied here when the order is placed.
CREATE TABLE orders (
  order_id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  user_id uuid,                                            -- who placed it; null after the person was erased
  method_id text NOT NULL,                                 -- no reference: a method may be deleted, its orders stay
  processor text NOT NULL,
  status text NOT NULL DEFAULT 'pending'
    CONSTRAINT order_status CHECK (status IN ('pending', 'paid', 'expired', 'failed', 'refunded', 'disputed', 'review')),
  reason text,                                             -- of the status, as a code: cancelled, amount_differs, …
  currency text NOT NULL,
  exponent smallint NOT NULL,
  amount bigint NOT NULL CONSTRAINT order_amount CHECK (amount > 0),
  fee bigint NOT NULL CONSTRAINT order_fee CHECK (fee >= 0),
  quota bigint NOT NULL CONSTRAINT order_quota CHECK (quota > 0),
  bonus_quota bigint NOT NULL CONSTRAINT order_bonus CHECK (bonus_quota >= 0),
  quota_per_minor_unit bigint NOT NULL,
  package_id text,
  group_name text NOT NULL,
  next jsonb,                                              -- where the buyer goes; null until the processor was told
  processor_reference text,                                -- the processor's name for what was started
  trade_number text,                                       -- the processor's name for the payment
  paid_amount bigint CONSTRAINT order_paid_amount CHECK (paid_amount >= 0),      -- what came, fee included
  paid_currency text,
  paid_at timestamptz,
  credited_quota bigint NOT NULL DEFAULT 0,
  credited_bonus bigint NOT NULL DEFAULT 0,
  refunded_amount bigint NOT NULL DEFAULT 0 CONSTRAINT order_refunded CHECK (refunded_amount >= 0),
  taken_quota bigint NOT NULL DEFAULT 0,
  taken_bonus bigint NOT NULL DEFAULT 0,
  dispute text CONSTRAINT order_dispute CHECK (dispute IN ('open', 'won', 'lost')),
  has_paused boolean NOT NULL DEFAULT false,               -- the account was paused for this order
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ask_at timestamptz,                                      -- when the reconciler asks the processor next; null: never
  asks integer NOT NULL DEFAULT 0,
  CONSTRAINT order_taken CHECK (0 <= taken_quota AND taken_quota <= credited_quota AND 0 <= taken_bonus AND taken_bonus <= credited_bonus),
  CONSTRAINT order_credited_when_paid CHECK ((credited_quota > 0) = (status IN ('paid', 'refunded', 'disputed')))
);
CREATE INDEX orders_account ON orders (account_id, created_at DESC, order_id DESC);
CREATE INDEX orders_all ON orders (created_at DESC, order_id DESC);
CREATE INDEX orders_ask ON orders (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX orders_pending ON orders (expires_at) WHERE status = 'pending';

-- What processors, the reconciler and operators said. A row is kept before it is acted upon, once for each event of a method.
CREATE TABLE payment_events (
  event_key uuid PRIMARY KEY,
  method_id text NOT NULL,
  event_id text NOT NULL,
  source text NOT NULL CONSTRAINT payment_event_source CHECK (source IN ('webhook', 'reconciler', 'operator')),
  kind text NOT NULL,
  order_id uuid,                                           -- as the event claims: no reference
  trade_number text,
  amount bigint,
  refunded_total bigint,
  currency text,
  status_text text NOT NULL DEFAULT '',
  reason text,                                             -- an operator's, in words
  made_by uuid,
  body bytea,                                              -- encrypted; deleted after 30 days
  received_at timestamptz NOT NULL DEFAULT now(),
  outcome text,                                            -- null: not acted upon yet
  handled_at timestamptz,
  CONSTRAINT payment_event_once UNIQUE (method_id, event_id),
  CONSTRAINT payment_event_handled CHECK ((outcome IS NULL) = (handled_at IS NULL))
);
CREATE INDEX payment_events_order ON payment_events (order_id, received_at);
CREATE INDEX payment_events_open ON payment_events (received_at) WHERE outcome IS NULL;
CREATE INDEX payment_events_bodies ON payment_events (received_at) WHERE body IS NOT NULL;

-- Refunds that an operator asked a processor for: kept before the processor hears of it, so that a crash asks again with the same key.
CREATE TABLE order_refunds (
  refund_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  amount bigint NOT NULL CONSTRAINT order_refund_amount CHECK (amount > 0),
  refunded_total bigint NOT NULL,                          -- of the order, once this one is made: what the processor will say, too
  at_processor boolean NOT NULL,
  reason text NOT NULL,
  status text NOT NULL DEFAULT 'started' CONSTRAINT order_refund_status CHECK (status IN ('started', 'done', 'failed')),
  detail text NOT NULL DEFAULT '',
  made_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  ask_at timestamptz
);
CREATE UNIQUE INDEX order_refund_alone ON order_refunds (order_id) WHERE status = 'started';   -- or the totals would not be known
CREATE INDEX order_refunds_order ON order_refunds (order_id, created_at);
CREATE INDEX order_refunds_ask ON order_refunds (ask_at) WHERE status = 'started';
