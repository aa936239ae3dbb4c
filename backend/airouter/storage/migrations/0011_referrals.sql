-- Referrals: who brought whom, what was promised for it, and what of that was given.

CREATE TABLE referral_codes (
  account_id uuid PRIMARY KEY REFERENCES accounts,         -- a personal one; its code is made when it is first asked for
  code text NOT NULL CONSTRAINT referral_code UNIQUE CONSTRAINT referral_code_form CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{12}$'),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- One person is brought once, by one other person. The terms are those of the day.
CREATE TABLE referrals (
  referral_id uuid PRIMARY KEY,
  referrer_account uuid NOT NULL REFERENCES accounts,
  invitee_account uuid NOT NULL REFERENCES accounts CONSTRAINT referral_invitee_once UNIQUE,
  identity bytea NOT NULL CONSTRAINT referral_identity_once UNIQUE,   -- keyed hash of the mailbox: it outlives the account
  network text,                                            -- where the invitee came from; forgotten after 30 days
  condition text NOT NULL CONSTRAINT referral_condition CHECK (condition IN ('registration', 'first_order', 'after_days')),
  first_order_minimum bigint NOT NULL,
  verified_email_only boolean NOT NULL,
  share_micros bigint NOT NULL CONSTRAINT referral_share CHECK (share_micros BETWEEN 0 AND 1000000),
  share_until timestamptz,                                 -- null: without end
  share_orders_max integer,                                -- null: every order
  joined_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT referral_not_self CHECK (referrer_account <> invitee_account)
);
CREATE INDEX referrals_referrer ON referrals (referrer_account, joined_at DESC, referral_id DESC);
CREATE INDEX referrals_all ON referrals (joined_at DESC, referral_id DESC);
CREATE INDEX referrals_network ON referrals (network, joined_at) WHERE network IS NOT NULL;

-- What one side gets for one cause. A pending reward is a row, not quota. `wanted` is what the side should have of it
-- by now, `posted` what transfers have given less what they took back; a job makes the second equal to the first.
CREATE TABLE rewards (
  reward_id uuid PRIMARY KEY,
  referral_id uuid NOT NULL REFERENCES referrals,
  account_id uuid NOT NULL REFERENCES accounts,            -- who gets it
  side text NOT NULL CONSTRAINT reward_side CHECK (side IN ('referrer', 'invitee')),
  cause text NOT NULL CONSTRAINT reward_cause CHECK (cause = 'joining' OR cause LIKE 'order/%'),
  order_id uuid,                                           -- whose payment released it, and whose refund takes it back
  amount bigint NOT NULL CONSTRAINT reward_amount CHECK (amount > 0 AND amount < 9007199254740992),
  wanted bigint NOT NULL CONSTRAINT reward_wanted CHECK (wanted BETWEEN 0 AND amount),
  posted bigint NOT NULL DEFAULT 0 CONSTRAINT reward_posted CHECK (posted BETWEEN 0 AND amount),
  moves integer NOT NULL DEFAULT 0,                        -- transfers so far; the next one's reference has this number
  state text NOT NULL CONSTRAINT reward_state CHECK (state IN ('pending', 'released', 'withheld', 'taken_back')),
  note text,                                               -- why it is withheld: a code of ours, or an operator's words
  is_approved boolean NOT NULL DEFAULT false,              -- an operator released it: no rule withholds it any more
  due_at timestamptz,                                      -- null: what it waits for has not happened
  created_at timestamptz NOT NULL DEFAULT now(),
  released_at timestamptz,
  CONSTRAINT reward_once UNIQUE (referral_id, side, cause)
);
CREATE INDEX rewards_account ON rewards (account_id, created_at DESC, reward_id DESC);
CREATE INDEX rewards_work ON rewards (due_at) WHERE wanted <> posted;
CREATE INDEX rewards_order ON rewards (order_id) WHERE order_id IS NOT NULL;

-- What orders tell: only ever inserted by them, so that telling it waits for nobody; a job reads it in this order.
CREATE TABLE referral_events (
  event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  referral_id uuid NOT NULL REFERENCES referrals,
  order_id uuid NOT NULL,
  credited bigint NOT NULL,
  taken bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX referral_events_referral ON referral_events (referral_id, event_id);

-- Codes that an operator chose the words of.
ALTER TABLE redemption_batches ADD COLUMN is_campaign boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT campaign_is_bounded CHECK (NOT is_campaign OR expires_at IS NOT NULL);
CREATE INDEX redemptions_all ON redemptions (redeemed_at DESC, transfer_id DESC);
