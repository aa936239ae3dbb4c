"""Orders and referrals: paying releases what was promised, and giving back takes it back."""

import pytest

from airouter.domain.reward_errors import OrderGivenBack
from airouter.services.audit_log import SYSTEM
from airouter.services.users import Client, Joined
from tests.builders import run_sql
from tests.orders.conftest import RATE, Shop
from tests.services.referred import ADDRESS, scene


async def test_paying_rewards_whoever_brought_the_buyer_and_a_refund_takes_it_back(shop: Shop) -> None:
    async with scene(shop.dsn) as here:
        await here.policy(reward=500, invitee_reward=300, condition="first_order", share_micros=100_000)
        ada = await here.person()
        buyer = Joined(user_id=shop.buyer.user_id, account_id=shop.buyer.account_id)
        async with here.database.transaction() as connection:
            code = await here.code(ada)
            await here.referrals.joined(connection, buyer, code, Client(address=ADDRESS, user_agent=""))
        first, second = await shop.order(), await shop.order()
        for order in (first, second):
            for _ in range(3):  # told again and again, as processors do
                assert (await shop.pay(order)).status_code == 200
        await here.rewards.work()
        assert await here.wallets(ada) == {"reward": 500 + 100 * RATE}
        assert await here.wallets(buyer) == {"main": 2000 * RATE, "reward": 300}
        half = await shop.admin(second, "refund", amount=515, at_processor=False, reason="half of it")
        assert half.status_code == 200, half.text
        await here.rewards.work()
        assert await here.wallets(ada) == {"reward": 500 + 50 * RATE}
        assert (await shop.admin(first, "refund", at_processor=False, reason="all of it")).status_code == 200
        await here.rewards.work()
        assert await here.wallets(ada) == {"reward": 50 * RATE}
        assert await here.wallets(buyer) == {"main": 500 * RATE}


async def test_a_withheld_reward_is_released_for_what_is_left_of_its_order(shop: Shop) -> None:
    async with scene(shop.dsn) as here:
        await here.policy(share_micros=100_000, condition="registration")
        ada = await here.person()
        buyer = Joined(user_id=shop.buyer.user_id, account_id=shop.buyer.account_id)
        async with here.database.transaction() as connection:
            code = await here.code(ada)
            await here.referrals.joined(connection, buyer, code, Client(address=ADDRESS, user_agent=""))
        for amount, left in ((515, 50 * RATE), (1030, 0)):
            order = await shop.order()
            await shop.pay(order)
            await here.rewards.work()
            (share,) = await run_sql(shop.dsn, "SELECT reward_id FROM rewards WHERE cause = $1", f"order/{order['id']}")
            await here.rewards.withhold(share["reward_id"], "to be looked at", SYSTEM)
            await here.rewards.work()
            assert await here.wallets(ada) == {}
            await shop.admin(order, "refund", amount=amount, at_processor=False)
            await here.rewards.work()
            if left:
                await here.rewards.release(share["reward_id"], "all well", SYSTEM)
                await here.rewards.work()
                assert await here.wallets(ada) == {"reward": left}
                await shop.admin(order, "refund", at_processor=False)
                await here.rewards.work()
            else:
                with pytest.raises(OrderGivenBack):
                    await here.rewards.release(share["reward_id"], "all well", SYSTEM)
            assert await here.wallets(ada) == {}
