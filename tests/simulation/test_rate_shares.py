"""Limits that several nodes share, under crashes, pauses, lost messages and an absent Postgres: never more than the
limit in any minute, and no share idle for longer than a second where somebody else could use it.
"""

import asyncio

import pytest

from airouter.domain.rate_limit import RateLimits
from tests.effort import EFFORT
from tests.gateway.limited import caller
from tests.simulation.rate_errors import ERRORS, Break
from tests.simulation.rate_world import Node, Weather, World
from tests.simulation.virtual_time import run

STORM = Weather(delay_seconds_max=0.05, lost_requests=0.02, lost_answers=0.02, lost_notices=0.1)


async def _trouble(world: World, seconds: float) -> None:
    """Crashes, orderly restarts, pauses and outages, one after the other."""
    draw = world.draw
    until = world.now() + seconds
    while world.now() < until:
        await asyncio.sleep(draw.uniform(1, 12))
        place = draw.randrange(len(world.nodes))
        node = world.nodes[place]
        match draw.choice(("crash", "restart", "pause", "outage")):
            case "crash":
                node.crash()
                world.nodes[place] = Node(world)
            case "restart":
                await asyncio.sleep(0)
                if not node.running:
                    await node.stop()
                    world.nodes[place] = Node(world)
            case "pause":
                node.goes_on.clear()
                await asyncio.sleep(draw.choice((draw.uniform(0.1, 20), draw.uniform(66, 90))))
                node.goes_on.set()
            case _:
                world.postgres.is_away = True
                await asyncio.sleep(draw.uniform(0.1, 20))
                world.postgres.is_away = False


async def _storm(seed: int, limits: RateLimits) -> World:
    world = World(seed, limits, STORM)
    seconds = 150.0

    async def keep_asking(place: int) -> None:
        until = world.now() + seconds
        while world.now() < until:
            await world.demand(world.nodes[place], world.draw.choice((0.2, 3, 40)), world.draw.uniform(0.5, 5), 20)
            await asyncio.sleep(world.draw.uniform(0, 5))

    trouble = asyncio.gather(_trouble(world, seconds), _trouble(world, seconds))
    await asyncio.gather(*(keep_asking(place) for place in range(len(world.nodes))))
    await trouble
    world.postgres.is_away = False
    await world.close()
    return world


LIMITS = (
    RateLimits(requests_per_minute=40),
    RateLimits(requests_per_minute=2),
    RateLimits(tokens_per_minute=300),
    RateLimits(requests_per_minute=60, tokens_per_minute=500),
)


@pytest.mark.parametrize("seed", range(max(3, EFFORT.seeds // 20)))
def test_no_minute_ever_holds_more_than_the_limit(seed: int):
    world = run(_storm(seed, LIMITS[seed % 4]))
    assert world.violations == []
    assert world.total


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_deliberate_error_is_found(error: Break, monkeypatch: pytest.MonkeyPatch):
    error(monkeypatch)
    seeds = (ERRORS[error], *range(60))
    assert any(run(_storm(seed, LIMITS[seed % 4])).violations for seed in seeds)


async def _moved(seed: int) -> tuple[int, int]:
    """One node used all it could for a while, then another is asked for everything that is left."""
    limits = RateLimits(requests_per_minute=400)
    world = World(seed, limits, nodes=2)
    first = await world.demand(world.nodes[0], 10, 10)
    second = await world.demand(world.nodes[1], 800, 1)
    await world.close()
    assert world.violations == []
    return first, second


@pytest.mark.parametrize("seed", range(5))
def test_within_a_second_a_node_has_what_the_others_do_not_use(seed: int):
    first, second = run(_moved(seed))
    assert first + second >= 0.95 * 400


async def _alone(limit: int) -> tuple[int, int]:
    world = World(1, RateLimits(requests_per_minute=limit), nodes=1)
    admitted = await world.demand(world.nodes[0], 3 * limit, 1)
    transactions = world.postgres.transactions
    await world.close()
    return admitted, transactions


def test_a_node_that_is_alone_has_all_of_it_for_a_few_transactions():
    admitted, transactions = run(_alone(1000))
    assert admitted == 1000
    assert transactions < 30


async def _one_after_the_other(calls: int) -> int:
    world = World(2, RateLimits(concurrency=1), nodes=3)
    served = 0
    for number in range(calls):
        served += await world.nodes[number % 3].call(0.1, 1)
    await world.close()
    assert world.violations == []
    return served


def test_one_call_at_once_may_come_by_any_node():
    assert run(_one_after_the_other(30)) == 30


async def _crowd(seed: int, nodes: int) -> World:
    world = World(seed, RateLimits(concurrency=2), nodes=nodes)
    await asyncio.gather(*(world.demand(node, 20, 10) for node in world.nodes))
    await world.close()
    return world


@pytest.mark.parametrize("seed", range(5))
def test_a_limit_smaller_than_the_number_of_nodes_is_kept_and_used(seed: int):
    world = run(_crowd(seed, 5))
    assert world.violations == []
    assert world.peak == 2
    assert world.total > 60


async def _restarted() -> int:
    """A node that ends in order leaves what it used in its last minute, and nothing else."""
    world = World(3, RateLimits(requests_per_minute=50), nodes=1)
    for _ in range(20):
        await world.nodes[0].call(0, 1)
    await world.nodes[0].stop()
    world.nodes = [Node(world)]
    admitted = await world.demand(world.nodes[0], 100, 1)
    await asyncio.sleep(60)
    admitted += 20 if await world.nodes[0].call(0, 1) else 0
    await world.close()
    assert world.violations == []
    return admitted


def test_a_node_that_is_restarted_in_order_goes_on_where_it_was():
    assert run(_restarted()) == 50


async def _adrift() -> tuple[int, int]:
    world = World(4, RateLimits(requests_per_minute=80), nodes=2)
    await world.demand(world.nodes[0], 2, 5)
    world.postgres.is_away = True
    known = await world.demand(world.nodes[0], 2, 10)
    unknown = await world.demand(world.nodes[1], 2, 10)
    world.postgres.is_away = False
    await world.close()
    assert world.violations == []
    return known, unknown


def test_without_postgres_a_node_goes_on_with_the_share_it_had_and_nobody_else_begins():
    known, unknown = run(_adrift())
    assert known >= 8
    assert unknown == 0


async def _raised_and_lowered() -> tuple[int, int, int]:
    world = World(5, RateLimits(requests_per_minute=10), nodes=2)
    first = await world.demand(world.nodes[0], 50, 1)
    world.limits = RateLimits(requests_per_minute=30)
    world.who = caller(limits=world.limits)
    second = await world.demand(world.nodes[1], 50, 1)
    world.limits = RateLimits(requests_per_minute=5)
    world.who = caller(limits=world.limits)
    third = sum([await world.demand(node, 20, 2) for node in world.nodes])
    await world.close()
    return first, second, third


def test_a_limit_that_is_raised_or_lowered_holds_for_all_nodes():
    assert run(_raised_and_lowered()) == (10, 20, 0)
