-- `serve` works as a role that cannot rewrite history. Where the owner may not create roles, the triggers alone stand guard.
DO $$
BEGIN
  BEGIN
    CREATE ROLE airouter_serve NOLOGIN;
  EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;   -- another database of this cluster made it
    WHEN insufficient_privilege THEN
      RAISE WARNING 'role airouter_serve cannot be created by %: transfers are protected by triggers only', current_user;
      RETURN;
  END;
  EXECUTE format('GRANT airouter_serve TO %I', current_user);
  GRANT USAGE ON SCHEMA public TO airouter_serve;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO airouter_serve;
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO airouter_serve;
  REVOKE UPDATE, DELETE, TRUNCATE ON transfers, usage_transfers, usage_transfers_default, rate_cards, installation FROM airouter_serve;
  ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO airouter_serve;
END $$;
