-- Fallback models of keys, groups that stand for others in order, and what was asked for where another model answered.

ALTER TABLE keys ADD COLUMN fallback_models text[] CONSTRAINT key_fallback_models CHECK (cardinality(fallback_models) BETWEEN 1 AND 5);

-- In the order in which they are tried; empty: the group stands for itself.
ALTER TABLE groups ADD COLUMN members text[] NOT NULL DEFAULT '{}'
  CONSTRAINT group_members CHECK (cardinality(members) <= 20 AND NOT name = ANY(members));

ALTER TABLE usage_records ADD COLUMN requested_model text;  -- null: the one that answered
