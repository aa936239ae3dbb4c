"""Deliberate errors, one line each. The simulation is worth something only as long as it finds every one of them."""

from tests.simulation.code import Error

ERRORS = [
    Error(
        name="no fence at the deadline",
        module="book",
        old="        if now >= self.deadline or not self.is_registered or",
        new="        if not self.is_registered or",
    ),
    Error(
        name="a repeated sync is applied again",
        module="settlement",
        old="if not await nodes.advance(connection, request.node_id, request.seq):",
        new="if not (await nodes.advance(connection, request.node_id, request.seq)"
        " or (await nodes.state_of(connection, request.node_id)).state == 'live'):",
    ),
    Error(
        name="adoption settles what is settled",
        module="settlement",
        old="fresh = _once(record for record in records if record.request_id not in known)",
        new="fresh = _once(records)",
    ),
    Error(
        name="adoption forgets the leases",
        module="settlement",
        old="await _post(connection, node_id, node.seq, fresh, wishes=(), levels=levels, mine=mine)",
        new="await _post(connection, node_id, node.seq, fresh, wishes=(), levels={}, mine=mine)",
    ),
    Error(
        name="what is unsettled counts as idle",
        module="levels",
        old="busy = purse.held + purse.unsettled - purse.batched",
        new="busy = purse.held",
    ),
    Error(
        name="grants look at no limit",
        module="lease",
        old="missing = [purse_id for purse_id in wish.purses if lack[purse_id] > funds[purse_id].free]",
        new="missing = []",
    ),
    Error(
        name="an excess is paid from what others hold",
        module="book",
        old="return hold.amount + min(cost - hold.amount, max(0, idle))",
        new="return cost",
    ),
    Error(
        name="the deadline counts from the answer",
        module="book",
        old="self.deadline = flight.first_sent + self._ttl - self._margin",
        new="self.deadline = now + self._ttl",
        hint=21,
    ),
    Error(
        name="the operator's part is forgotten", module="settlement", old="unpaid += record.cost - charged", new="pass"
    ),
    Error(name="a hold is never let go", module="book", old="purse.held -= hold.amount", new="pass"),
    Error(
        name="a swept lease pays all the same",
        module="lease",
        old="wallet.pay(charged, min(record.covered, charged, wallet.mine))",
        new="wallet.pay(charged, min(record.covered, charged))",
    ),
    Error(
        name="a call without a hold of its key pays from the lease of others",
        module="lease",
        old="covered_by_key = record.covered if record.key_is_limited else 0",
        new="covered_by_key = record.covered",
    ),
    Error(
        name="the fast path does not look whether the key was held",
        module="lease",
        old="if record.key_is_limited != funds[key_id].is_limited:",
        new="if False:",
    ),
    Error(
        name="what goes back is still spent",
        module="levels",
        old="purse.returning = max(0, after - want)",
        new="purse.returning = 0",
    ),
    Error(
        name="settled charges stay in the way",
        module="book",
        old="hold.wallet.unsettled -= covered",
        new="pass",
    ),
    Error(
        name="others are declared dead too early",
        module="observer",
        old="if sent - since >= self._ttl]",
        new="if sent - since >= self._ttl // 2]",
    ),
    Error(
        name="a call is extended beyond the lease",
        module="book",
        old="if any(purse.idle < lack for purse in hold.purses):",
        new="if False:",
    ),
    Error(
        name="the node is closed while calls run",
        module="book",
        old="closes = self.is_draining and not self.running and not self.waiting",
        new="closes = self.is_draining and not self.waiting",
    ),
    Error(
        name="a purse that nobody uses keeps its lease",
        module="levels",
        old="or now - purse.used_at > self._idle_return",
        new="",
    ),
    Error(
        name="a charge is not taken from the wallet",
        module="lease",
        old="        self.total -= amount\n        self.leased -= from_lease",
        new="        self.leased -= from_lease",
    ),
    Error(
        name="a recall is not heard",
        module="book",
        old="            purse.tight_until = now + self.settings.tight_ms * MILLISECOND",
        new="            pass",
    ),
    Error(
        name="a key does not see what others lease of its budget",
        module="lease",
        old="return max(0, min(self.total - self.leased, *(budget.free for budget in self.budgets)))",
        new="return self.total - self.leased",
    ),
    Error(
        name="a lease does not count in the budget",
        module="lease",
        old="            budget.lend(amount)",
        new="            pass",
    ),
    Error(
        name="an excess is paid beyond the budget",
        module="lease",
        old="free = min(free, max(0, budget.free))",
        new="pass",
    ),
    Error(
        name="a call of the last window counts in this one",
        module="budget",
        old="return at >= self.window_start",
        new="return True",
    ),
    Error(name="a window does not begin at nothing", module="budget", old="self.spent = 0", new="pass"),
    Error(
        name="what was charged stays leased in the budget",
        module="budget",
        old="self.leased -= from_lease",
        new="pass",
    ),
    Error(
        name="a budget's excess is never settled",
        module="budget",
        old="self.excess = min(self.excess, max(0, -self.free))",
        new="pass",
    ),
    Error(
        name="a call ahead of the clock counts in the window before",
        module="settlement",
        old="newest=max(used_at.values(), default=None)",
        new="newest=None",
    ),
    Error(
        name="only the key itself is recalled, not those that share its budget",
        module="settlement",
        old="for purse_id in await leases.sharing(connection, locked, short):",
        new="for purse_id in short:",
    ),
]

SHELL_ERRORS = {"journal after the answer": 2, "adoption without the lock": 0, "the deadline counts from a retry": 21}
"""Errors in the shell around the book, with a seed that finds each."""
