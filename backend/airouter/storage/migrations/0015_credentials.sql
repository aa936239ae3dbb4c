-- Credentials of a channel one by one, and what tests of it found.

ALTER TABLE channel_credentials
  ADD COLUMN label text NOT NULL DEFAULT '' CONSTRAINT credential_label CHECK (length(label) <= 120),
  ADD COLUMN disabled_at timestamptz,                      -- null: it may be used
  ADD COLUMN disabled_by text CONSTRAINT credential_disabled_by CHECK (disabled_by IN ('operator', 'gateway')),
  ADD COLUMN disabled_reason text CONSTRAINT credential_disabled_reason CHECK (length(disabled_reason) <= 500),
  ADD CONSTRAINT credential_disabled CHECK (
    (disabled_at IS NULL) = (disabled_by IS NULL) AND (disabled_at IS NOT NULL OR disabled_reason IS NULL));

-- The last test of each credential; where a channel needs none, of the channel.
CREATE TABLE channel_probes (
  channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
  credential_id uuid REFERENCES channel_credentials ON DELETE CASCADE,
  tested_at timestamptz NOT NULL DEFAULT now(),
  model text NOT NULL,
  is_ok boolean NOT NULL,
  status integer,                                          -- null: there was no answer
  latency_ms integer NOT NULL CONSTRAINT probe_latency CHECK (latency_ms >= 0),
  error text,
  CONSTRAINT channel_probe UNIQUE NULLS NOT DISTINCT (channel_id, credential_id)
);
CREATE INDEX channel_probes_credential ON channel_probes (credential_id);
