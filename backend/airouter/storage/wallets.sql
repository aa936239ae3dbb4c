-- Wallets as money verbs see them. Balances change only here and in leases.sql, by guarded increments beside a transfer.

-- name: main_wallet_of
SELECT wallet_id FROM wallets WHERE account_id = $1 AND kind = 'main'

-- name: reward_wallet_of
SELECT wallet_id FROM wallets WHERE account_id = $1 AND kind = 'reward'

-- name: make_debt_wallet
INSERT INTO wallets (account_id, kind, balance) VALUES ($1, 'debt', 0) ON CONFLICT ON CONSTRAINT wallet_once DO NOTHING

-- name: debt_wallet_of
SELECT wallet_id FROM wallets WHERE account_id = $1 AND kind = 'debt'

-- name: debt_wallet_beside
-- Of the account whose wallet this is. No row: it never owed anything.
SELECT d.wallet_id FROM wallets w JOIN wallets d ON d.account_id = w.account_id AND d.kind = 'debt' WHERE w.wallet_id = $1

-- name: lock
-- In id order, so that two movements between the same wallets wait instead of deadlocking.
SELECT wallet_id, kind, balance, leased FROM wallets WHERE wallet_id = ANY($1::bigint[]) AND balance IS NOT NULL ORDER BY wallet_id FOR NO KEY UPDATE

-- name: lock_all_of
-- Nothing comes in or goes out while it is decided whether there is anything left.
SELECT coalesce(sum(abs(balance) + leased), 0)::bigint FROM (
  SELECT balance, leased FROM wallets WHERE account_id = ANY ($1::uuid[]) ORDER BY wallet_id FOR NO KEY UPDATE) AS held

-- name: any_of_deleted
-- Whether any of these belongs to an account that is nobody's any more. Asked once they are locked: an account is deleted under these locks.
SELECT EXISTS (SELECT 1 FROM wallets w JOIN accounts a USING (account_id) WHERE w.wallet_id = ANY($1::bigint[]) AND a.deleted_at IS NOT NULL)

-- name: money_in
-- New money ends the refusal for what earlier calls overran.
UPDATE wallets SET balance = balance + $2, overrun = 0 WHERE wallet_id = $1 RETURNING balance

-- name: money_out
-- Guarded: never what is leased. A debt grows as far as its constraint lets it.
UPDATE wallets SET balance = balance - $2 WHERE wallet_id = $1 AND (kind = 'debt' OR balance - leased >= $2) RETURNING balance

-- name: make_reserved_wallet
INSERT INTO wallets (account_id, kind, balance) VALUES ($1, 'reserved', 0) ON CONFLICT ON CONSTRAINT wallet_once DO NOTHING

-- name: reserved_wallet_of
SELECT wallet_id FROM wallets WHERE account_id = $1 AND kind = 'reserved'

-- name: give_back
-- What was the account's all the time: no new money, so that a refusal for what earlier calls overran stands.
UPDATE wallets SET balance = balance + $2 WHERE wallet_id = $1 RETURNING balance
