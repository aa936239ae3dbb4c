"""The catalogue is read whole; a malformed row takes nothing else with it and never empties what was there."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airouter.domain.catalogue import Catalogue, ChannelOptions
from airouter.domain.rate_card import TierCondition
from airouter.services.catalogue import read_catalogue
from airouter.services.channels import ChannelDraft, Channels
from airouter.services.groups import GroupDraft, Groups
from airouter.services.models import ModelDraft, Models
from airouter.services.rate_cards import RateCardDraft, RateCards, Rates, TierDraft
from airouter.services.vault import Vault
from airouter.settings import SecretKey
from airouter.storage.database import Database
from tests.builders import run_sql
from tests.settings import SECRET

NOW = datetime(2031, 5, 1, tzinfo=UTC)


@pytest.fixture
def vault() -> Vault:
    return Vault([SECRET])


@pytest.fixture
async def opened(database: str) -> AsyncIterator[Database]:
    found = await Database.open(database)
    yield found
    await found.close()


@pytest.fixture
async def offer(opened: Database, vault: Vault) -> None:
    await Models(opened).save(ModelDraft(model="m", context_window=8000))
    await RateCards(opened).add(
        RateCardDraft(
            model="m",
            rates=Rates(input=100, output=400),
            tiers=[TierDraft(when=TierCondition(input_tokens_above=10), rates=Rates(input=200))],
        ),
    )
    await Groups(opened).save(GroupDraft(name="vip", multiplier_micros=800_000, usable_by=["default"]))
    for name in ("first", "second"):
        await Channels(opened, vault).create(
            ChannelDraft(
                name=name,
                provider="openai",
                base_url="https://api.example.com/v1",
                credentials=["secret one", "secret two"],
                models={"m": "upstream-m"},
                groups=["default", "vip"],
                options=ChannelOptions(rewrite_model=True),
            )
        )


async def read(opened: Database, vault: Vault, previous: Catalogue | None = None) -> Catalogue:
    return await read_catalogue(opened, vault, NOW, previous=previous)


@pytest.mark.usefixtures("offer")
async def test_what_was_put_in_comes_out_as_the_gateway_needs_it(opened: Database, vault: Vault) -> None:
    catalogue = await read(opened, vault)
    card = catalogue.models["m"].card
    assert card is not None
    assert (card.rates_for(10, None, "x")["input"], card.rates_for(11, None, "x")["input"]) == (100, 200)
    assert catalogue.models["m"].context_window == 8000
    assert catalogue.groups["vip"].is_usable_by("default")
    first = catalogue.channels[0]
    assert [one.secret for one in first.credentials] == ["secret one", "secret two"]
    assert first.models == {"m": "upstream-m"}
    assert first.options.rewrite_model
    assert "secret" not in repr(catalogue)
    assert catalogue.next_change_at is None
    assert catalogue.policies.signup.mode == "closed"


async def test_a_fresh_database_has_a_public_default_group_and_nothing_else(opened: Database, vault: Vault) -> None:
    catalogue = await read(opened, vault)
    assert (catalogue.models, catalogue.channels, set(catalogue.groups)) == ({}, (), {"default"})


@pytest.mark.usefixtures("offer")
async def test_the_next_change_is_told_by_the_callers_clock(opened: Database, vault: Vault) -> None:
    coming = datetime.now(UTC) + timedelta(hours=1)
    await RateCards(opened).add(RateCardDraft(model="m", rates=Rates(input=1), effective_at=coming))
    catalogue = await read(opened, vault)
    assert catalogue.next_change_at is not None
    assert timedelta(minutes=59) < catalogue.next_change_at - NOW <= timedelta(hours=1)
    card = catalogue.models["m"].card
    assert card is not None
    assert card.version == 1


SPOILT = {
    "rates that are no integers": (
        "ALTER TABLE rate_cards DISABLE TRIGGER USER; UPDATE rate_cards SET rates = '{\"input\": 1.5}'",
        lambda c: c.models["m"].card.rates,
        {"input": 100, "output": 400},
    ),
    "rates that are no object": (
        "ALTER TABLE rate_cards DISABLE TRIGGER USER; UPDATE rate_cards SET rates = '[]'",
        lambda c: c.models["m"].card.version,
        1,
    ),
    "a tier without a condition": (
        'ALTER TABLE rate_cards DISABLE TRIGGER USER; UPDATE rate_cards SET tiers = \'[{"when": {}, "rates": {}}]\'',
        lambda c: len(c.models["m"].card.tiers),
        1,
    ),
    "a policy with an unknown field": (
        "INSERT INTO policies (topic, value) VALUES ('limits', '{\"nonsense\": 1}')",
        lambda c: c.policies.limits.unstated_output_tokens,
        4096,
    ),
    "overrides that are no multipliers": (
        "UPDATE groups SET overrides = '{\"default\": \"cheap\"}' WHERE name = 'vip'",
        lambda c: c.groups["vip"].multiplier_micros,
        800_000,
    ),
    "channel options that do not exist": (
        "UPDATE channels SET options = '{\"nonsense\": true}' WHERE name = 'first'",
        lambda c: [channel.name for channel in c.channels],
        ["first", "second"],
    ),
    "a credential of another row": (
        "UPDATE channel_credentials SET ciphertext = '\\x0102'",
        lambda c: [one.secret for one in c.channels[0].credentials],
        ["secret one", "secret two"],
    ),
}


@pytest.mark.books_spoiled
@pytest.mark.usefixtures("offer")
async def test_a_malformed_row_keeps_the_form_it_had_and_the_rest_is_read_anew(
    opened: Database, vault: Vault, database: str, caplog: pytest.LogCaptureFixture, subtests: Any
) -> None:
    before = await read(opened, vault)
    for number, (what, (statement, look, expected)) in enumerate(SPOILT.items()):
        for part in statement.split("; "):
            await run_sql(database, part)
        await run_sql(database, "UPDATE models SET vendor = $1", f"vendor {number}")
        with subtests.test(what):
            caplog.clear()
            after = await read(opened, vault, previous=before)
            assert look(after) == expected
            assert after.models["m"].vendor == f"vendor {number}", "what is well is up to date"
            assert "catalogue.row_malformed" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.books_spoiled
@pytest.mark.usefixtures("offer")
async def test_a_malformed_row_that_was_never_understood_is_left_out_alone(opened: Database, database: str) -> None:
    stranger = Vault([SecretKey(id="t2", material=bytes(32))])
    catalogue = await read(opened, stranger)
    assert catalogue.channels == (), "credentials of a key that is gone"
    assert catalogue.models["m"].card is not None
    await run_sql(database, "ALTER TABLE rate_cards DISABLE TRIGGER USER")
    await run_sql(database, "UPDATE rate_cards SET rates = '{\"input\": -1}'")
    catalogue = await read(opened, stranger)
    assert catalogue.models["m"].card is None, "never priced without knowing"
    assert catalogue.offered("m", catalogue.groups["default"]) is None


@pytest.mark.usefixtures("offer")
async def test_what_was_deleted_does_not_come_back(opened: Database, vault: Vault, database: str) -> None:
    before = await read(opened, vault)
    await run_sql(database, "DELETE FROM channels WHERE name = 'first'")
    await run_sql(database, "DELETE FROM groups WHERE name = 'vip'")
    after = await read(opened, vault, previous=before)
    assert [channel.name for channel in after.channels] == ["second"]
    assert set(after.groups) == {"default"}
