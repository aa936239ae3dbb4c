-- Transfers other than those of usage. Immutable: there is no UPDATE here, and no grant for one.

-- name: insert_once
INSERT INTO transfers (transfer_id, kind, reference, debit_wallet, credit_wallet, amount, debit_balance, credit_balance, memo, made_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT ON CONSTRAINT transfer_once DO NOTHING
RETURNING transfer_id, created_at, kind, reference, debit_wallet, credit_wallet, amount, debit_balance, credit_balance, memo, made_by

-- name: find
SELECT transfer_id, created_at, kind, reference, debit_wallet, credit_wallet, amount, debit_balance, credit_balance, memo, made_by
FROM transfers WHERE kind = $1 AND reference = $2
