"""Money that comes for an account that is gone: nobody has it, so a person decides, and the books balance."""

import asyncio
from uuid import UUID

from tests.api.teams import ACCOUNTS, team_of, within
from tests.builders import run_sql
from tests.orders.conftest import RATE, Shop, said


async def work(shop: Shop) -> None:
    await shop.app._house.services().jobs.run("team_deletions")


async def about_to_go(shop: Shop, **policy: str) -> str:
    """A team of the buyer's whose deletion is due."""
    await shop.owner.client.put("/api/v1/admin/policies/privacy", json=policy)
    team = await team_of(shop.buyer)
    assert (await shop.buyer.client.post(f"{ACCOUNTS}/{team}/deletion", json={})).status_code == 202
    await run_sql(shop.dsn, "UPDATE team_deletions SET due_at = now() - interval '1 second'")
    return team


async def test_a_payment_for_a_team_that_is_gone_is_put_in_review_and_given_back(shop: Shop) -> None:
    team = await about_to_go(shop)
    order = await shop.order(**within(team))
    await work(shop)
    await shop.pay(order)
    story = (await shop.story(order))["line"]["order"]
    assert (story["status"], story["reason"]) == ("review", "account_deleted")
    wallets = await run_sql(shop.dsn, "SELECT balance FROM wallets WHERE account_id = $1", UUID(team))
    assert {row["balance"] for row in wallets} == {0}
    accepted = await shop.admin(order, "resolve", decision="credit_paid")
    assert accepted.status_code in {409, 422}, accepted.text
    assert (await shop.story(order))["line"]["order"]["status"] == "review"


async def test_a_payment_and_the_end_of_a_team_at_the_same_moment_lose_nothing(shop: Shop) -> None:
    """Whoever is first: the team is kept with its quota, or it is gone and the order waits for a decision."""
    for _ in range(8):
        team = await about_to_go(shop, remaining_balance="keep_refusing")
        order = await shop.order(**within(team))
        await asyncio.gather(work(shop), shop.pay(order))
        await work(shop)
        status = (await shop.story(order))["line"]["order"]["status"]
        account = (await shop.owner.client.get(f"/api/v1/admin/accounts/{team}")).json()
        if status == "paid":
            assert (account["balance"], account["deleted_at"]) == (1000 * RATE, None)
        else:
            assert (status, account["balance"], account["deleted_at"] is None) == ("review", 0, False)


async def test_a_dispute_that_is_won_for_a_team_that_is_gone_is_over_and_gives_nobody_anything(shop: Shop) -> None:
    team = await about_to_go(shop)
    order = await shop.order(**within(team))
    await shop.pay(order)
    await shop.hear(said(order, "dispute_opened", "opened", amount=1030, currency="EUR", dispute_name="dp_1"))
    await work(shop)
    for event in ("won", "won again"):
        await shop.hear(said(order, "dispute_won", event, amount=1030, currency="EUR", dispute_name="dp_1"))
    story = await shop.story(order)
    line = story["line"]
    assert [one["state"] for one in line["disputes"]] == ["won"]
    assert (line["order"]["status"], line["order"]["taken_quota"]) == ("paid", 1000 * RATE)
    assert {event["outcome"] for event in story["events"][2:]} == {"review"}, "somebody has to look"
    assert line["refundable_amount"] == 1030, "and can give the money back"
    wallets = await run_sql(shop.dsn, "SELECT balance FROM wallets WHERE account_id = $1", UUID(team))
    assert {row["balance"] for row in wallets} == {0}


async def test_a_refund_that_fails_for_a_team_that_is_gone_can_be_made_again(shop: Shop) -> None:
    team = await about_to_go(shop)
    order = await shop.order(**within(team))
    await shop.pay(order)
    await shop.hear(said(order, "refunded", "refunded", refunded_total=1030))
    await work(shop)
    await shop.hear(said(order, "refund_failed", "failed", refunded_total=0))
    line = (await shop.story(order))["line"]
    assert (line["order"]["status"], line["order"]["refunded_amount"], line["refundable_amount"]) == ("paid", 0, 1030)
    again = await shop.admin(order, "refund", at_processor=False)
    assert (again.json()["line"]["order"]["status"], again.json()["line"]["refundable_amount"]) == ("refunded", 0)
