-- Wallets as money verbs see them. Balances change only here and in leases.sql, by guarded increments beside a transfer.

-- name: main_wallet_of
SELECT wallet_id FROM wallets WHERE account_id = $1 AND kind = 'main'

-- name: reward_wallet_of
SELECT wallet_id FROM wallets WHERE account_id = $1 AND kind = 'reward'

-- name: lock
-- In id order, so that two movements between the same wallets wait instead of deadlocking.
SELECT wallet_id, balance, leased FROM wallets WHERE wallet_id = ANY($1::bigint[]) AND balance IS NOT NULL ORDER BY wallet_id FOR NO KEY UPDATE

-- name: money_in
-- New money ends the refusal for what earlier calls overran.
UPDATE wallets SET balance = balance + $2, overrun = 0 WHERE wallet_id = $1 RETURNING balance

-- name: money_out
-- Guarded: never what is leased.
UPDATE wallets SET balance = balance - $2 WHERE wallet_id = $1 AND balance - leased >= $2 RETURNING balance
