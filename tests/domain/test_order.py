"""What facts make of an order, in whatever order they come."""

from datetime import UTC, datetime
from itertools import pairwise, permutations
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.ids import AccountId
from airouter.domain.order import MOVES, Fact, Order, credited, judge, part_of, settled, worth

AT = datetime(2026, 1, 2, tzinfo=UTC)


def an_order(**changes: Any) -> Order:
    order = Order(
        order_id=UUID(int=1), account_id=AccountId(UUID(int=2)), user_id=None, method_id="card", processor="cashier",
        status="pending", reason=None, currency="EUR", exponent=2, amount=1000, fee=30, quota=10_000, bonus_quota=777,
        quota_per_minor_unit=10, package_id=None, group_name="default", next=None, processor_reference=None,
        trade_number=None, paid_amount=None, paid_currency=None, paid_at=None, credited_quota=0, credited_bonus=0,
        refunded_amount=0, taken_quota=0, taken_bonus=0, disputes=(), has_paused=False,
        created_at=AT, updated_at=AT, expires_at=AT, ask_at=None, asks=0,
    )  # fmt: skip
    return msgspec.structs.replace(order, **changes)


PAID = Fact(kind="paid", amount=1030, currency="EUR", trade_number="t1")


def after(order: Order, *facts: Fact, takes_back: bool = True) -> Order:
    for fact in facts:
        order = judge(order, fact, at=AT, dispute_takes_back=takes_back).order
    return order


def refund(total: int) -> Fact:
    return Fact(kind="refunded", refunded_total=total)


@pytest.mark.parametrize("status", ["pending", "expired", "failed"])
def test_a_payment_counts_whether_it_is_in_time_or_late(status: str) -> None:
    verdict = judge(an_order(status=status), PAID, at=AT, dispute_takes_back=True)
    assert verdict.outcome == "applied"
    assert (verdict.order.status, verdict.order.credited_quota, verdict.order.credited_bonus) == ("paid", 10_000, 777)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": 1029}, "underpaid"),
        ({"amount": 1031}, "overpaid"),
        ({"amount": 1000}, "underpaid"),
        ({"amount": None}, "amount_unknown"),
        ({"currency": "USD"}, "currency_differs"),
    ],
)
def test_what_was_not_asked_for_goes_to_review_and_credits_nothing(change: dict, reason: str) -> None:
    verdict = judge(an_order(), msgspec.structs.replace(PAID, **change), at=AT, dispute_takes_back=True)
    assert (verdict.outcome, verdict.order.status, verdict.order.reason) == ("review", "review", reason)
    assert verdict.order.credited_quota == 0


def test_a_protocol_without_a_currency_is_compared_by_amount_alone() -> None:
    assert after(an_order(), msgspec.structs.replace(PAID, currency=None)).status == "paid"


def test_the_same_payment_again_is_known_and_another_one_is_for_a_person() -> None:
    paid = after(an_order(), PAID)
    assert judge(paid, PAID, at=AT, dispute_takes_back=True).outcome == "known"
    second = judge(paid, msgspec.structs.replace(PAID, trade_number="t2"), at=AT, dispute_takes_back=True)
    assert (second.outcome, second.order) == ("paid_twice", paid)


def test_the_number_of_a_payment_that_was_confirmed_by_hand_is_learned_from_its_late_notice() -> None:
    confirmed = after(an_order(), msgspec.structs.replace(PAID, trade_number=None))
    late = judge(confirmed, PAID, at=AT, dispute_takes_back=True)
    assert (late.outcome, late.order) == ("known", msgspec.structs.replace(confirmed, trade_number="t1"))
    second = judge(late.order, msgspec.structs.replace(PAID, trade_number="t2"), at=AT, dispute_takes_back=True)
    assert (second.outcome, second.order.trade_number) == ("paid_twice", "t1")


def test_a_payment_that_was_rejected_is_not_asked_about_again_but_another_one_counts() -> None:
    short = msgspec.structs.replace(PAID, amount=515)
    rejected = msgspec.structs.replace(after(an_order(), short), status="failed", reason="rejected")
    again = judge(rejected, short, at=AT, dispute_takes_back=True)
    assert (again.outcome, again.order) == ("known", rejected)
    assert after(rejected, msgspec.structs.replace(PAID, trade_number="t2")).status == "paid"
    assert after(rejected, msgspec.structs.replace(PAID, trade_number=None)).status == "paid"


@pytest.mark.parametrize("kind", ["failed", "expired"])
def test_nothing_that_is_paid_fails_or_expires(kind: str) -> None:
    paid = after(an_order(), PAID)
    assert after(paid, Fact(kind=kind)) == paid  # type: ignore[arg-type]


@given(st.lists(st.integers(1, 1030), min_size=1, max_size=8), st.integers(1, 10**9), st.integers(0, 10**9))
def test_partial_refunds_add_up_exactly_to_the_whole(parts: list[int], quota: int, bonus: int) -> None:
    order = after(an_order(quota=quota, bonus_quota=bonus), PAID)
    totals = sorted({min(1030, sum(parts[: n + 1])) for n in range(len(parts))} | {1030})
    seen = [order]
    for total in totals:
        seen.append(after(seen[-1], refund(total)))
        assert seen[-1].taken_quota == quota * total // 1030
        assert seen[-1].taken_bonus == bonus * total // 1030
    assert all(a.taken_quota <= b.taken_quota for a, b in pairwise(seen))
    assert (seen[-1].status, seen[-1].taken_quota, seen[-1].taken_bonus) == ("refunded", quota, bonus)


FACTS = [PAID, refund(400), refund(1030), Fact(kind="dispute_opened"), Fact(kind="dispute_lost"), Fact(kind="expired")]


@pytest.mark.parametrize("takes_back", [True, False])
def test_facts_in_any_order_end_in_the_same_state(*, takes_back: bool) -> None:
    ends = {
        msgspec.json.encode(msgspec.structs.replace(after(an_order(), *facts, takes_back=takes_back), reason=None))
        for facts in permutations(FACTS)
    }
    assert len(ends) == 1
    assert msgspec.json.decode(ends.pop(), type=Order).status == "refunded"


@given(
    facts=st.lists(
        st.sampled_from(
            [
                *FACTS,
                Fact(kind="dispute_won"),
                Fact(kind="failed"),
                refund(10),
                Fact(kind="refund_failed", refunded_total=0),
            ]
        ),
        max_size=12,
    ),
    takes_back=st.booleans(),
)
def test_no_state_is_reached_that_the_table_forbids_and_no_more_is_taken_than_was_credited(
    facts: list[Fact], *, takes_back: bool
) -> None:
    order = an_order()
    for fact in facts:
        new = judge(order, fact, at=AT, dispute_takes_back=takes_back).order
        assert new.status == order.status or new.status in MOVES[order.status]
        assert new.credited_quota >= order.credited_quota  # one way
        assert 0 <= new.taken_quota <= new.credited_quota
        assert 0 <= new.taken_bonus <= new.credited_bonus
        assert (new.credited_quota > 0) == (new.status in {"paid", "refunded", "disputed"})
        again = judge(new, fact, at=AT, dispute_takes_back=takes_back)
        assert again.order == new, "the same fact once more"
        order = new


def test_a_refund_heard_of_before_its_payment_takes_effect_with_it() -> None:
    waiting = after(an_order(), refund(515))
    assert (waiting.status, waiting.taken_quota) == ("pending", 0)
    paid = after(waiting, PAID)
    assert (paid.status, paid.credited_quota, paid.taken_quota, paid.refunded_amount) == ("paid", 10_000, 5_000, 515)


def test_a_dispute_takes_everything_a_won_one_gives_it_back_a_lost_one_keeps_it() -> None:
    open_ = after(an_order(), PAID, refund(103), Fact(kind="dispute_opened"))
    assert (open_.status, open_.taken_quota, open_.taken_bonus) == ("disputed", 10_000, 777)
    won = after(open_, Fact(kind="dispute_won"))
    assert (won.status, won.taken_quota, won.taken_bonus) == ("paid", 1_000, 77)
    lost = after(open_, Fact(kind="dispute_lost"))
    assert (lost.status, lost.taken_quota, lost.given_back_amount) == ("refunded", 10_000, 1030)


def disputed(kind: str, amount: int | None = None, currency: str | None = "EUR", *, name: str | None = None) -> Fact:
    return Fact(
        kind=f"dispute_{kind}",  # type: ignore[arg-type]
        amount=amount,
        currency=currency,
        dispute_name=name,
    )


def test_a_dispute_over_a_part_takes_that_part_beside_what_was_refunded() -> None:
    open_ = after(an_order(), PAID, refund(103), disputed("opened", 515))
    assert (open_.status, open_.taken_quota, open_.taken_bonus) == ("disputed", 6_000, 466)
    assert (open_.given_back_amount, open_.refundable_amount) == (103, 0)
    won = after(open_, disputed("won", 515))
    assert (won.status, won.taken_quota, won.taken_bonus, won.refundable_amount) == ("paid", 1_000, 77, 927)
    lost = after(open_, disputed("lost", 515))
    assert (lost.status, lost.taken_quota, lost.taken_bonus) == ("paid", 6_000, 466)
    assert (lost.given_back_amount, lost.refundable_amount) == (618, 412)
    more = after(lost, refund(103 + 412))
    assert (more.status, more.taken_quota, more.given_back_amount) == ("refunded", 10_000, 1030)


def test_a_dispute_over_more_than_is_left_takes_what_is_left() -> None:
    lost = after(an_order(), PAID, refund(600), disputed("opened", 600), disputed("lost"))
    assert (lost.status, lost.given_back_amount, lost.taken_quota) == ("refunded", 1030, 10_000)


@pytest.mark.parametrize(("amount", "currency"), [(None, None), (0, "EUR"), (515, "USD")])
def test_a_dispute_whose_part_is_not_known_is_about_everything(amount: int | None, currency: str | None) -> None:
    open_ = after(an_order(), PAID, disputed("opened", amount, currency))
    assert (open_.taken_quota, open_.disputes[0].amount) == (10_000, None)


def test_what_is_disputed_is_what_was_said_last_when_it_is_decided() -> None:
    lost = after(an_order(), PAID, disputed("opened", 1030), disputed("lost", 206))
    assert (lost.status, lost.given_back_amount, lost.taken_quota) == ("paid", 206, 2_000)
    kept = after(an_order(), PAID, disputed("opened", 206), disputed("lost"))
    assert kept.given_back_amount == 206


PARTS = st.integers(1, 1200)


@given(
    facts=st.lists(
        st.one_of(
            st.just(PAID),
            PARTS.map(refund),
            st.builds(Fact, kind=st.just("refund_failed"), refunded_total=st.integers(0, 1200)),
            st.builds(
                disputed,
                st.sampled_from(["opened", "won", "lost"]),
                st.none() | PARTS,
                name=st.sampled_from([None, "dp_1", "dp_2", "dp_3"]),
            ),
        ),
        max_size=12,
    ),
    takes_back=st.booleans(),
)
def test_refunds_and_disputes_over_parts_in_any_order_take_in_all_what_is_gone(
    facts: list[Fact], *, takes_back: bool
) -> None:
    order, balance = an_order(), 0
    for fact in facts:
        new = judge(order, fact, at=AT, dispute_takes_back=takes_back).order
        balance += (new.credited_quota - order.credited_quota) - (new.taken_quota - order.taken_quota)
        order = new
        if not order.is_paid:
            continue
        counting = {"lost", "open"} if takes_back else {"lost"}
        parts = [1030 if one.amount is None else one.amount for one in order.disputes if one.state in counting]
        gone = min(1030, order.refunded_amount + sum(parts))
        assert balance == 10_000 - 10_000 * gone // 1030, "what moved is what the order says, whatever came before"
        assert order.taken_bonus == 777 * gone // 1030
        assert 0 <= order.refunded_amount <= order.given_back_amount <= 1030
        assert order.given_back_amount + order.refundable_amount <= 1030
        assert (order.status == "refunded") == (order.given_back_amount == 1030 and not order.open_disputes)


@given(first=PARTS, part=PARTS, later=PARTS, takes_back=st.booleans())
def test_a_won_dispute_leaves_an_order_as_if_there_had_been_none(
    first: int, part: int, later: int, *, takes_back: bool
) -> None:
    refunds = [refund(first), refund(first + later)]
    without = after(an_order(), PAID, *refunds)
    for place in range(3):
        facts = [*refunds[:place], disputed("opened", part), *refunds[place:], disputed("won", part)]
        won = after(an_order(), PAID, *facts, takes_back=takes_back)
        assert msgspec.structs.replace(won, disputes=()) == without


@given(st.permutations([PAID, refund(206), refund(309), disputed("opened", 412), disputed("lost", 412)]))
def test_refunds_and_a_dispute_over_a_part_end_the_same_in_any_order(facts: list[Fact]) -> None:
    end = after(an_order(), *facts)
    assert (end.status, end.given_back_amount, end.taken_quota) == ("paid", 721, 7_000)


def test_each_of_several_disputes_is_booked_and_decided_alone() -> None:
    order = after(an_order(), PAID, disputed("opened", 206, name="dp_1"), disputed("lost", 206, name="dp_1"))
    assert (order.status, order.taken_quota) == ("paid", 2_000)
    order = after(order, disputed("opened", 515, name="dp_2"), disputed("opened", 103, name="dp_3"))
    assert (order.status, order.taken_quota, order.open_disputes) == ("disputed", 8_000, 2)
    order = after(order, disputed("won", name="dp_2"))
    assert (order.status, order.taken_quota, order.given_back_amount) == ("disputed", 3_000, 206)
    order = after(order, disputed("lost", name="dp_3"))
    assert (order.status, order.taken_quota, order.given_back_amount) == ("paid", 3_000, 309)
    assert [(one.name, one.state, one.amount) for one in order.disputes] == [
        ("dp_1", "lost", 206), ("dp_2", "won", 515), ("dp_3", "lost", 103)
    ]  # fmt: skip


def test_disputes_and_refunds_together_never_take_more_than_the_order_gave() -> None:
    everything = [disputed(kind, name=name) for name in ("dp_1", "dp_2") for kind in ("opened", "lost")]
    order = after(an_order(), PAID, refund(515), *everything)
    assert (order.status, order.taken_quota, order.taken_bonus, order.given_back_amount) == (
        "refunded", 10_000, 777, 1030
    )  # fmt: skip


TWO = [
    PAID,
    refund(103),
    disputed("opened", 206, name="dp_1"),
    disputed("lost", 206, name="dp_1"),
    disputed("opened", 412, name="dp_2"),
    disputed("won", 412, name="dp_2"),
]


@pytest.mark.parametrize("takes_back", [True, False])
def test_facts_about_two_disputes_in_any_order_end_the_same(*, takes_back: bool) -> None:
    for facts in permutations(TWO):
        end = after(an_order(), *facts, takes_back=takes_back)
        assert (end.status, end.given_back_amount, end.taken_quota) == ("paid", 309, 3_000)
        assert {one.name: one.state for one in end.disputes} == {"dp_1": "lost", "dp_2": "won"}


def test_a_payment_in_review_is_not_given_back_while_it_is_disputed() -> None:
    underpaid = after(an_order(), Fact(kind="paid", amount=500, currency="EUR"))
    assert (underpaid.status, underpaid.refundable_amount) == ("review", 500)
    open_ = after(underpaid, disputed("opened", 200, name="dp_1"))
    assert (open_.status, open_.refundable_amount) == ("review", 0)
    assert after(open_, disputed("lost", name="dp_1")).refundable_amount == 300


def test_a_dispute_that_is_decided_the_other_way_round_is_for_a_person() -> None:
    lost = after(an_order(), PAID, disputed("lost", name="dp_1"))
    verdict = judge(lost, disputed("won", name="dp_1"), at=AT, dispute_takes_back=True)
    assert (verdict.outcome, verdict.order) == ("refund_unclear", lost)


def test_a_dispute_that_was_open_before_names_were_kept_learns_its_name_when_it_is_decided() -> None:
    old = after(an_order(), PAID, disputed("opened", 206))
    lost = after(old, disputed("opened", 206, name="dp_1"), disputed("lost", name="dp_1"))
    assert [(one.name, one.state, one.amount) for one in lost.disputes] == [("dp_1", "lost", 206)]
    second = after(lost, disputed("opened", 103, name="dp_2"))
    assert (second.status, second.taken_quota) == ("disputed", 3_000)


def test_by_policy_a_dispute_takes_nothing_until_it_is_lost() -> None:
    open_ = after(an_order(), PAID, Fact(kind="dispute_opened"), takes_back=False)
    assert (open_.status, open_.taken_quota) == ("disputed", 0)
    assert after(open_, Fact(kind="dispute_lost"), takes_back=False).taken_quota == 10_000


def test_a_refund_that_failed_at_the_processor_gives_the_quota_back() -> None:
    refunded = after(an_order(), PAID, refund(1030))
    again = after(refunded, Fact(kind="refund_failed", refunded_total=0))
    assert (again.status, again.taken_quota, again.refunded_amount) == ("paid", 0, 0)


def test_an_order_in_review_is_worth_what_was_paid_for_it() -> None:
    underpaid = after(an_order(), msgspec.structs.replace(PAID, amount=515))
    assert worth(underpaid) == (5_000, 388)
    overpaid = after(an_order(), msgspec.structs.replace(PAID, amount=2060))
    assert worth(overpaid) == (20_000, 777)
    done = settled(credited(underpaid, *worth(underpaid), AT), dispute_takes_back=True)
    assert (done.status, done.refundable_amount) == ("paid", 515)
    assert (part_of(7, 1, 2), part_of(7, 1, 0)) == (3, 0)


@pytest.mark.parametrize("amount", [0, None])
def test_what_is_credited_as_ordered_though_nothing_that_counts_was_paid_is_not_given_back(amount: int | None) -> None:
    heard = after(an_order(), msgspec.structs.replace(PAID, amount=amount))
    done = settled(credited(heard, 10_000, 777, AT), dispute_takes_back=True)
    assert (done.status, done.taken_quota, done.taken_bonus, done.refundable_amount) == ("paid", 0, 0, 0)
    lost = after(done, Fact(kind="dispute_lost"))
    assert (lost.status, lost.taken_quota, lost.taken_bonus) == ("refunded", 10_000, 777)
