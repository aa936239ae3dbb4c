-- Teams that are about to be deleted with what is in them; persons have theirs in `deletions`.

CREATE TABLE team_deletions (
  account_id uuid PRIMARY KEY REFERENCES accounts,
  requested_at timestamptz NOT NULL DEFAULT now(),
  requested_by uuid NOT NULL,
  is_by_operator boolean NOT NULL,                         -- else by an owner of the team
  due_at timestamptz NOT NULL,                             -- until then it can be cancelled
  ends_keys_now boolean NOT NULL,
  finished_at timestamptz                                  -- set once the wallets are empty, too
);
CREATE INDEX team_deletions_due ON team_deletions (due_at) WHERE finished_at IS NULL;

-- What an erased person leaves is nobody's: money that still arrives for it has to be looked at.
UPDATE accounts a SET deleted_at = u.erased_at
FROM members m JOIN users u USING (user_id)
WHERE m.account_id = a.account_id AND u.erased_at IS NOT NULL AND a.deleted_at IS NULL AND a.status = 'paused'
  AND NOT EXISTS (SELECT 1 FROM members o JOIN users v USING (user_id) WHERE o.account_id = a.account_id AND v.erased_at IS NULL);
