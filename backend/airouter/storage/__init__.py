"""SQL and nothing but SQL: `noun.sql` holds named, commented queries, `noun.py` typed functions over them.

Locks. Who holds a row and waits for another goes down this list, never up:

    what was asked for      the deletion of a team; the event of a payment, its order; a code; a job, a reward
    the person              users, then the deletion of one
    money                   one row of nodes, wallets
    the account             accounts, invitations, members, keys, budgets
    what tells              alerts, their firings
    what lets somebody in   management tokens, mailed links, identities, factors, sessions
    the counters of changes `versions`, which `announce` puts off to the end of the transaction

Several rows of one table are locked by their ids, in one statement (ORDER BY … FOR UPDATE), and as weakly as will do: a
row that others only refer to is locked FOR NO KEY UPDATE, or whoever inserts a reference waits. Work that tidies up
passes over what somebody holds (SKIP LOCKED): it comes again. A circle that Postgres finds all the same is a busy
database: nothing was done, a request says 503, a job runs again. A run of our tests fails of it.
"""
