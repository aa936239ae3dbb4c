-- A link to choose a password with may also be handed over by an operator: `mailed_links` keeps it, though no mail brings it.
ALTER TABLE mailed_links DROP CONSTRAINT mailed_link_purpose,
  ADD CONSTRAINT mailed_link_purpose CHECK (purpose IN ('reset_password', 'handed_password', 'change_email'));
