-- name: every_provider
SELECT p.provider_id, p.kind, p.label, p.issuer, p.client_id, p.client_secret, p.scopes, p.allow_sign_up, p.allowed_domains,
       p.trust_email, p.is_enabled, p.created_at,
       (SELECT count(*) FROM identities i WHERE i.provider_id = p.provider_id) AS identities
FROM identity_providers p ORDER BY p.label, p.provider_id

-- name: find_provider
SELECT p.provider_id, p.kind, p.label, p.issuer, p.client_id, p.client_secret, p.scopes, p.allow_sign_up, p.allowed_domains,
       p.trust_email, p.is_enabled, p.created_at,
       (SELECT count(*) FROM identities i WHERE i.provider_id = p.provider_id) AS identities
FROM identity_providers p WHERE p.provider_id = $1

-- name: insert_provider
-- No row back: the id is taken.
INSERT INTO identity_providers (provider_id, kind, label, issuer, client_id, client_secret, scopes, allow_sign_up, allowed_domains,
                                trust_email, is_enabled)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (provider_id) DO NOTHING
RETURNING provider_id

-- name: update_provider
UPDATE identity_providers
SET kind = $2, label = $3, issuer = $4, client_id = $5, client_secret = $6, scopes = $7, allow_sign_up = $8, allowed_domains = $9,
    trust_email = $10, is_enabled = $11
WHERE provider_id = $1

-- name: delete_provider
-- Only one that nobody has linked.
DELETE FROM identity_providers p
WHERE provider_id = $1 AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.provider_id = p.provider_id)
RETURNING provider_id

-- name: providers_on_offer
SELECT provider_id, kind, label FROM identity_providers WHERE is_enabled ORDER BY label, provider_id

-- name: identities_of
SELECT i.identity_id, i.provider_id, o.kind, o.label, i.name, i.linked_at, i.last_used_at, o.is_enabled
FROM identities i JOIN identity_providers o USING (provider_id)
WHERE i.user_id = $1 ORDER BY i.linked_at, i.identity_id

-- name: find_identity
SELECT user_id FROM identities WHERE provider_id = $1 AND subject = $2

-- name: insert_identity
-- No row back: somebody has this identity, or the person has another of this provider.
INSERT INTO identities (identity_id, user_id, provider_id, subject, name, last_used_at)
VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT DO NOTHING
RETURNING identity_id

-- name: use_identity
UPDATE identities SET last_used_at = now(), name = $3 WHERE provider_id = $1 AND subject = $2

-- name: remove_identity
DELETE FROM identities i USING identity_providers o
WHERE i.identity_id = $1 AND i.user_id = $2 AND o.provider_id = i.provider_id
RETURNING o.label

-- name: find_verified_person
-- Whoever proved here that they read mail at this address.
SELECT user_id FROM users WHERE email_normal = $1 AND status = 'active' AND email_verified_at IS NOT NULL
