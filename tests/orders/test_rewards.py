"""Orders and referrals: paying releases what was promised, and giving back takes it back."""

from airouter.services.users import Client, Joined
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
