"""The arithmetic of one sync, whatever the rows say."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.ids import KeyId, RateCardId, WalletId
from airouter.domain.lease import UNLIMITED, Fund, Level, Purse, PurseId, Wish, charge, purse_id_of, purse_name, regrant
from airouter.domain.usage import UsageRecord

WALLETS = [WalletId(100), WalletId(101)]
KEYS = [KeyId(UUID(int=n)) for n in (1, 2, 3)]
amounts = st.integers(0, 1_000)


@st.composite
def fund(draw: st.DrawFn, *, may_be_unlimited: bool = False) -> Fund:
    mine = draw(amounts)
    leased = mine + draw(amounts)
    if may_be_unlimited and draw(st.booleans()):
        return Fund(UNLIMITED, leased, mine, is_limited=False)
    return Fund(leased + draw(amounts), leased, mine)


@st.composite
def funds_(draw: st.DrawFn) -> dict[PurseId, Fund]:
    funds: dict[PurseId, Fund] = {wallet: draw(fund()) for wallet in WALLETS}
    funds.update({key: draw(fund(may_be_unlimited=True)) for key in KEYS})
    return funds


@st.composite
def record(draw: st.DrawFn) -> UsageRecord:
    cost = draw(st.integers(0, 400))
    return UsageRecord(
        request_id=UUID(int=draw(st.integers(0, 2**64))),
        account_id=UUID(int=9),
        wallet_id=draw(st.sampled_from(WALLETS)),
        key_id=draw(st.sampled_from(KEYS)),
        model="m",
        endpoint="e",
        status="ok",
        usage_source="provider",
        quantities={},
        rate_card_id=RateCardId(UUID(int=1)),
        multiplier_micros=1,
        group="g",
        cost=cost,
        covered=draw(st.one_of(st.just(cost), st.integers(0, cost))),
        key_is_limited=draw(st.booleans()),
    )


def facts(funds: dict[PurseId, Fund]) -> dict[PurseId, tuple[int, ...]]:
    return {name: (f.total, f.leased, f.mine, f.charged, f.overrun) for name, f in funds.items()}


def copied(funds: dict[PurseId, Fund]) -> dict[PurseId, Fund]:
    return {name: Fund(f.total, f.leased, f.mine, is_limited=f.is_limited) for name, f in funds.items()}


def one_by_one(records: list[UsageRecord], funds: dict[PurseId, Fund]) -> list[int]:
    """The rule for a single record, in words: the covered part from our lease, the rest from what nobody leased."""
    charges = []
    for r in records:
        parts = [(funds[r.wallet_id], r.covered), (funds[r.key_id], r.covered if r.key_is_limited else 0)]
        charged = min(r.cost, *(min(covered, f.mine) + f.total - f.leased for f, covered in parts))
        for f, covered in parts:
            from_lease = min(covered, charged, f.mine)
            f.total, f.leased, f.mine, f.charged = (
                f.total - charged, f.leased - from_lease, f.mine - from_lease, f.charged + charged,
            )  # fmt: skip
        funds[r.wallet_id].overrun += r.cost - charged
        charges.append(charged)
    return charges


@given(st.lists(record(), max_size=12), funds_())
def test_charging_a_batch_is_charging_its_records_one_by_one(
    records: list[UsageRecord], funds: dict[PurseId, Fund]
) -> None:
    expected = copied(funds)
    assert one_by_one(records, expected) == charge(records, funds)
    assert facts(expected) == facts(funds)


@given(st.lists(record(), max_size=12), funds_())
def test_no_purse_pays_more_than_it_has_and_no_lease_of_others_shrinks(
    records: list[UsageRecord], funds: dict[PurseId, Fund]
) -> None:
    others = {name: f.leased - f.mine for name, f in funds.items()}
    charges = charge(records, funds)
    assert all(0 <= charged <= r.cost for r, charged in zip(records, charges, strict=True))
    for name, f in funds.items():
        assert 0 <= f.leased <= f.total
        assert f.mine >= 0
        assert f.leased - f.mine == others[name]
    assert sum(f.overrun for f in funds.values()) == sum(r.cost for r in records) - sum(charges)


@given(
    funds_(),
    st.lists(st.tuples(amounts, st.sampled_from(WALLETS), st.sampled_from([None, *KEYS])), max_size=6),
    st.dictionaries(st.sampled_from([*WALLETS, *KEYS]), st.tuples(amounts, amounts)),
)
def test_regranting_stays_within_what_is_free_and_keeps_what_is_busy(
    funds: dict[PurseId, Fund],
    calls: list[tuple[int, WalletId, KeyId | None]],
    wanted: dict[PurseId, tuple[int, int]],
) -> None:
    wishes = [Wish(amount, (w,) if k is None else (w, k)) for amount, w, k in calls]
    asked = {purse_id for wish in wishes for purse_id in wish.purses}
    levels = {}
    for name in {*asked, *wanted}:
        busy, more = wanted.get(name, (0, 0))
        busy = min(busy, funds[name].mine)
        levels[name] = Level(busy, busy + more)
    others = {name: f.leased - f.mine for name, f in funds.items()}
    short = regrant(funds, wishes, levels)
    for name, f in funds.items():
        assert 0 <= f.leased <= f.total
        assert f.leased - f.mine == others[name]
        assert name not in levels or f.mine >= levels[name].busy
    for name in short:
        assert name in asked


def test_a_call_is_granted_from_all_of_its_purses_or_from_none() -> None:
    rich, poor = Fund(1_000, 0, 0), Fund(10, 0, 0)
    funds: dict[PurseId, Fund] = {WALLETS[0]: rich, KEYS[0]: poor}
    levels = {WALLETS[0]: Level(0, 0), KEYS[0]: Level(0, 0)}
    assert regrant(funds, [Wish(100, (WALLETS[0], KEYS[0]))], levels) == []
    assert (rich.mine, poor.mine) == (0, 0)


def test_a_purse_whose_credit_others_lease_is_recalled() -> None:
    fund = Fund(100, 100, 0)
    assert regrant({WALLETS[0]: fund}, [Wish(50, (WALLETS[0],))], {WALLETS[0]: Level(0, 0)}) == [WALLETS[0]]


def test_head_room_takes_at_most_a_quarter_of_what_is_free() -> None:
    fund = Fund(1_000, 0, 0)
    regrant({WALLETS[0]: fund}, [], {WALLETS[0]: Level(0, 900)})
    assert fund.mine == 250


def test_a_purse_is_named_in_a_recall_and_found_again() -> None:
    for purse_id in (WALLETS[0], KEYS[0]):
        assert purse_id_of(purse_name(purse_id)) == purse_id


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**12)), max_size=20))
def test_head_room_of_a_steady_pace_is_what_the_horizon_would_use(calls: list[tuple[int, int]]) -> None:
    purse, now = Purse(WALLETS[0], 0), 0
    for wait, cost in calls:
        now += wait
        purse.used(now, cost, 5_000_000_000)
        assert 0 <= purse.recent <= sum(cost for _, cost in calls)
    assert purse.head_room(now + 10**13, 5_000_000_000, 60_000_000_000) == 0


def test_head_room_follows_a_pace_of_a_hundred_a_second_within_a_tenth() -> None:
    second = 1_000_000_000
    purse = Purse(WALLETS[0], 0)
    for n in range(1, 6_000):
        purse.used(n * second // 100, 100, 5 * second)
    assert abs(purse.head_room(60 * second, 5 * second, 60 * second) - 600_000) < 60_000
