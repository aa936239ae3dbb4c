-- The proxy of a channel.

ALTER TABLE channels
  ADD COLUMN proxy bytea,                                  -- encrypted: its address may hold a password
  ADD COLUMN proxy_hint text CONSTRAINT channel_proxy_hint CHECK (length(proxy_hint) <= 300), -- without user and password
  ADD CONSTRAINT channel_proxy CHECK ((proxy IS NULL) = (proxy_hint IS NULL));
