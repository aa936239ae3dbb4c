"""Credentials one by one: each has a state of its own, and operators are told when the gateway ends one."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from airouter.domain.ids import CredentialId
from airouter.mail.post_office import PrintedOffice
from airouter.services.catalogue import read_catalogue
from airouter.services.channel_credentials import ChannelCredentials, Trouble
from airouter.services.mailbox import Mailbox
from airouter.services.vault import Vault
from airouter.storage.database import Database
from airouter.world import now
from tests.builders import run_sql, signed_in
from tests.settings import SECRET

CHANNELS = "/api/v1/admin/channels"
ONE, TWO = "sk-first-provider-key-1111", "sk-second-provider-key-2222"
VAULT = Vault((SECRET,))


async def create(operator: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    draft = {
        "name": "main", "provider": "openai", "base_url": "https://api.openai.com/v1", "credentials": [ONE, TWO],
        "models": ["m"],
    }  # fmt: skip
    answer = await operator.post(CHANNELS, json=draft | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def routed(dsn: str) -> list[tuple[bool, list[str]]]:
    """Whether each channel is routed to, and the secrets that the gateway may use."""
    database = await Database.open(dsn)
    try:
        catalogue = await read_catalogue(database, VAULT, now())
    finally:
        await database.close()
    return [(channel.is_enabled, [one.secret for one in channel.credentials]) for channel in catalogue.channels]


async def disabled(dsn: str, credential_id: str, reason: str, times: int = 1) -> list[bool]:
    """What the gateway does, so many times at once."""
    database = await Database.open(dsn)
    try:
        mailbox = Mailbox(database, VAULT, PrintedOffice(print), "https://console.example")
        verbs = ChannelCredentials(database, VAULT, mailbox)
        doing = (verbs.disable_by_gateway(CredentialId(UUID(credential_id)), reason) for _ in range(times))
        return await asyncio.gather(*doing)
    finally:
        await database.close()


async def test_a_credential_is_added_named_disabled_and_deleted(operator: httpx.AsyncClient, database: str) -> None:
    made = await create(operator, credentials=[ONE])
    at = f"{CHANNELS}/{made['id']}/credentials"
    added = await operator.post(at, json={"secret": TWO, "label": "spare"})
    assert added.status_code == 201, added.text
    spare = added.json()
    assert (spare["hint"], spare["label"], spare["enabled"], spare["last_test"]) == ("2222", "spare", True, None)
    assert TWO not in added.text
    off = (await operator.patch(f"{at}/{spare['id']}", json={"enabled": False, "label": "old"})).json()
    assert (off["enabled"], off["disabled_by"], off["label"]) == (False, "operator", "old")
    assert off["disabled_at"]
    listed = (await operator.get(at)).json()["items"]
    assert [one["id"] for one in listed] == [made["credentials"][0]["id"], spare["id"]]
    assert await routed(database) == [(True, [ONE])]
    assert (await operator.delete(f"{at}/{spare['id']}")).status_code == 204
    assert len((await operator.get(f"{CHANNELS}/{made['id']}")).json()["credentials"]) == 1


async def test_a_channel_whose_credentials_are_all_disabled_is_out_of_service_until_one_is_enabled(
    operator: httpx.AsyncClient, database: str
) -> None:
    made = await create(operator)
    at = f"{CHANNELS}/{made['id']}/credentials"
    for one in made["credentials"]:
        await operator.patch(f"{at}/{one['id']}", json={"enabled": False})
    shown = (await operator.get(f"{CHANNELS}/{made['id']}")).json()
    assert (shown["health"]["state"], shown["usable_credentials"], shown["concerns"]) == (
        "out_of_service", 0, ["out_of_service"],
    )  # fmt: skip
    assert shown["enabled"] is True
    assert await routed(database) == [(False, [])]
    await operator.patch(f"{at}/{made['credentials'][1]['id']}", json={"enabled": True})
    assert await routed(database) == [(True, [TWO])]
    summary = (await operator.get(f"{CHANNELS}/summary")).json()
    assert summary == {"channels": 1, "healthy": 1, "cooling": 0, "out_of_service": 0, "off": 0, "needs_look": 0}


async def test_a_channel_that_needs_no_credential_is_not_out_of_service(
    operator: httpx.AsyncClient, database: str
) -> None:
    made = await create(operator, provider="openai-compatible", credentials=[])
    assert made["health"]["state"] == "healthy"
    assert await routed(database) == [(True, [])]


async def test_secrets_given_anew_keep_what_was_known_of_them(operator: httpx.AsyncClient, database: str) -> None:
    made = await create(operator)
    first, second = made["credentials"]
    at = f"{CHANNELS}/{made['id']}"
    await operator.patch(f"{at}/credentials/{first['id']}", json={"label": "mine", "enabled": False})
    changed = (await operator.patch(at, json={"credentials": ["sk-third-provider-key-3333", ONE, ONE]})).json()
    kept, new = changed["credentials"]
    assert (kept["id"], kept["label"], kept["enabled"]) == (first["id"], "mine", False)
    assert (new["hint"], new["enabled"]) == ("3333", True)
    assert second["id"] not in {kept["id"], new["id"]}


async def test_the_same_secret_twice_is_a_conflict_and_what_is_not_there_is_not_found(
    operator: httpx.AsyncClient,
) -> None:
    made, other = await create(operator), await create(operator, name="other")
    again = await operator.post(f"{CHANNELS}/{made['id']}/credentials", json={"secret": ONE})
    assert (again.status_code, again.json()["field"]) == (409, "secret")
    foreign = f"{CHANNELS}/{made['id']}/credentials/{other['credentials'][0]['id']}"
    assert (await operator.patch(foreign, json={"enabled": False})).status_code == 404
    assert (await operator.delete(foreign)).status_code == 404
    assert (await operator.get(f"{CHANNELS}/{uuid4()}/credentials")).status_code == 404
    assert (await operator.post(f"{CHANNELS}/{uuid4()}/credentials", json={"secret": ONE})).status_code == 404


async def test_the_gateway_disables_a_credential_once_and_operators_get_mail(
    app: Any, operator: httpx.AsyncClient, database: str
) -> None:
    made = await create(operator)
    first, second = made["credentials"]
    async with signed_in(app, database, role="owner"), signed_in(app, database):
        done = await disabled(database, first["id"], f"status 401: Wrong key {ONE}.", times=4)
    assert sorted(done) == [False, False, False, True]
    shown = (await operator.get(f"{CHANNELS}/{made['id']}")).json()
    ended = shown["credentials"][0]
    assert (ended["enabled"], ended["disabled_by"]) == (False, "gateway")
    assert ended["disabled_reason"] == "status 401: Wrong key …."
    assert (shown["concerns"], shown["usable_credentials"]) == (["credential_disabled"], 1)
    assert (await operator.get(f"{CHANNELS}/summary")).json()["needs_look"] == 1
    assert await routed(database) == [(True, [TWO])]
    mails = await run_sql(database, "SELECT letter, count(*) FROM mails GROUP BY letter")
    assert [tuple(row) for row in mails] == [("credential_disabled", 2)]  # the operator and the owner, nobody else
    acts = await run_sql(database, "SELECT user_id, after FROM audit_log WHERE action = 'channel.credential_disabled'")
    assert len(acts) == 1
    assert acts[0]["user_id"] is None
    assert ONE not in acts[0]["after"]
    await disabled(database, second["id"], "status 401")
    assert await run_sql(database, "SELECT 1 FROM mails WHERE letter = 'channel_out_of_service'")
    assert await routed(database) == [(False, [])]


async def test_an_operators_reason_to_disable_is_not_overwritten_by_the_gateway(
    operator: httpx.AsyncClient, database: str
) -> None:
    made = await create(operator)
    first = made["credentials"][0]
    await operator.patch(f"{CHANNELS}/{made['id']}/credentials/{first['id']}", json={"enabled": False})
    assert await disabled(database, first["id"], "status 401") == [False]
    assert await disabled(database, str(uuid4()), "status 401") == [False]
    shown = (await operator.get(f"{CHANNELS}/{made['id']}")).json()["credentials"][0]
    assert shown["disabled_by"] == "operator"


async def test_what_is_done_to_a_credential_is_in_the_audit_log_without_its_secret(
    operator: httpx.AsyncClient, database: str
) -> None:
    made = await create(operator, credentials=[])
    at = f"{CHANNELS}/{made['id']}/credentials"
    one = (await operator.post(at, json={"secret": ONE})).json()
    await operator.patch(f"{at}/{one['id']}", json={"enabled": False})
    await operator.delete(f"{at}/{one['id']}")
    acts = await run_sql(
        database,
        "SELECT action, coalesce(before, '{}')::text || coalesce(after, '{}')::text AS told FROM audit_log "
        "WHERE action LIKE 'channel.credential%' ORDER BY created_at, act_id",
    )
    assert [row["action"] for row in acts] == [
        "channel.credential_added", "channel.credential_changed", "channel.credential_deleted",
    ]  # fmt: skip
    assert all(one["id"] in row["told"] and ONE not in row["told"] for row in acts)


async def test_what_routing_holds_against_a_channel_or_all_its_credentials_is_shown(
    app: Any, operator: httpx.AsyncClient
) -> None:
    made = await create(operator)
    known: dict[UUID, Trouble] = {}
    app._house.services().channels.watch_with(lambda: known)

    async def health() -> tuple[str, str | None, list[str]]:
        shown = (await operator.get(f"{CHANNELS}/{made['id']}")).json()
        return shown["health"]["state"], shown["health"]["reason"], shown["concerns"]

    one, two = (UUID(credential["id"]) for credential in made["credentials"])
    soon, later = now() + timedelta(hours=5), now() + timedelta(hours=9)
    known[one] = Trouble(state="cooling", until=later, reason="limited", in_a_row=0)
    assert await health() == ("healthy", None, [])
    known[two] = Trouble(state="cooling", until=soon, reason="funds", in_a_row=1)
    assert await health() == ("cooling", "funds", ["cooling"])
    known[UUID(made["id"])] = Trouble(state="probing", until=None, reason="status 503", in_a_row=4)
    assert await health() == ("probing", "status 503", ["cooling"])
    summary = (await operator.get(f"{CHANNELS}/summary")).json()
    assert (summary["cooling"], summary["needs_look"]) == (1, 1)
