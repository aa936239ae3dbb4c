-- What providers charge the operator, and proposals of prices.

-- What a channel's provider charges for a public model, in quota: only ever added to, in force from a time. No foreign
-- key: like usage records, these rows explain the past when the channel is gone.
CREATE TABLE channel_costs (
  cost_id uuid PRIMARY KEY,
  channel_id uuid NOT NULL,
  model text NOT NULL CONSTRAINT cost_model CHECK (length(model) BETWEEN 1 AND 200 AND model !~ '[[:space:][:cntrl:]]'),
  version integer NOT NULL,
  rates jsonb,                                             -- null: from now on it is not known
  tiers jsonb NOT NULL DEFAULT '[]',
  effective_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by uuid,
  CONSTRAINT cost_version UNIQUE (channel_id, model, version)
);
CREATE INDEX channel_costs_effective ON channel_costs (channel_id, model, effective_at DESC, version DESC);
CREATE TRIGGER channel_costs_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON channel_costs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the provider of a call charged for it, where that is known; null is not zero.
ALTER TABLE usage_records ADD COLUMN provider_cost bigint CONSTRAINT usage_provider_cost CHECK (provider_cost >= 0);

-- A price list that somebody read in. Its lines are proposals: nothing is ever charged by them.
CREATE TABLE price_imports (
  import_id uuid PRIMARY KEY,
  source text NOT NULL,
  origin text,                                             -- the address or the file's name
  facts jsonb NOT NULL,                                    -- name, version, date and licence of the list, as far as it says
  currency text,                                           -- null: a unit of that site's own
  factor text NOT NULL,                                    -- to the ledger's currency, exact decimal
  markup_micros bigint NOT NULL,
  channel_id uuid,                                         -- the lines are what this channel costs; null: prices of models
  skipped jsonb NOT NULL,                                  -- what the list has and no line could be made of, with the reason
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by uuid
);
CREATE INDEX price_imports_page ON price_imports (created_at DESC, import_id DESC);

CREATE TABLE price_import_lines (
  import_id uuid NOT NULL REFERENCES price_imports,
  line integer NOT NULL,
  model text NOT NULL,                                     -- the public name that it would be a price of
  vendor text,
  proposal jsonb NOT NULL,                                 -- what the list says, in its own currency
  unmapped text[] NOT NULL,                                -- what of it has no meter here
  rates jsonb NOT NULL,                                    -- in quota, by the factor and the markup of the import
  tiers jsonb NOT NULL,
  base_id uuid,                                            -- the card in force that it was compared with
  base_version integer NOT NULL,                           -- the newest version at that moment; 0: there was none
  change text NOT NULL CONSTRAINT line_change CHECK (change IN ('new', 'dearer', 'cheaper', 'mixed', 'same')),
  state text NOT NULL DEFAULT 'open' CONSTRAINT line_state CHECK (state IN ('open', 'accepted', 'skipped')),
  result_id uuid,                                          -- the rate card or cost that it became
  decided_at timestamptz,
  decided_by uuid,
  PRIMARY KEY (import_id, line)
);

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'airouter_serve') THEN
    REVOKE UPDATE, DELETE, TRUNCATE ON channel_costs FROM airouter_serve;
  END IF;
END $$;
