"""Teams: made, joined by invitation, left. Their wallet, their keys, and who sees what."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from airouter.app import create_app
from tests.api.conftest import client_of, running
from tests.api.teams import ACCOUNTS, invite, letter_of, put_in, team_of, token_of, within
from tests.builders import PASSWORD, Signed, grant, priced_model, run_sql, signed_in, spend
from tests.patience import until
from tests.settings import settings_for

KEYS = "/api/v1/keys"
JOIN = "/api/v1/auth/invitations/accept"
ACCEPT = "/api/v1/invitations/accept"


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def roles_in(owner: Signed, team: str) -> dict[str, str]:
    listed = await owner.client.get(f"{ACCOUNTS}/{team}/members")
    assert listed.status_code == 200, listed.text
    return {member["email"]: member["team_role"] for member in listed.json()["items"]}


# -- making and ending -------------------------------------------------------------------------------------------------


async def test_a_team_has_wallets_and_its_maker_as_owner(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        team = await team_of(ada, "Research")
        wallet = await ada.client.get("/api/v1/wallet", headers=within(team))
        assert (wallet.json()["balance"], wallet.json()["reward_balance"]) == (0, 0)
        me = (await ada.client.get("/api/v1/me", headers=within(team))).json()
        assert (me["account"]["id"], me["account"]["kind"], me["account"]["team_role"]) == (team, "team", "owner")
        assert [(a["kind"], a["team_role"]) for a in me["accounts"]] == [("personal", "owner"), ("team", "owner")]
        assert (await ada.client.get("/api/v1/me")).json()["account"]["kind"] == "personal"
        assert await roles_in(ada, team) == {ada.email: "owner"}


async def test_a_repeated_request_makes_one_team(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        key = {"idempotency-key": "one team"}
        first, second = [await ada.client.post(ACCOUNTS, json={"name": "A"}, headers=key) for _ in range(2)]
        assert first.json()["id"] == second.json()["id"]
        assert len((await ada.client.get(ACCOUNTS)).json()["items"]) == 2


async def test_the_policy_says_who_makes_teams(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as operator, signed_in(app, database) as ada:
        policy = "/api/v1/admin/policies/teams"
        for created_by, allowed in (("operators", {"operator"}), ("nobody", set()), ("users", {"operator", "user"})):
            assert (await operator.client.put(policy, json={"created_by": created_by})).status_code == 200
            for name, who in (("operator", operator), ("user", ada)):
                assert (await who.client.get(ACCOUNTS)).json()["may_create"] is (name in allowed)
                made = await who.client.post(ACCOUNTS, json={"name": "B"})
                if name in allowed:
                    assert made.status_code == 201
                else:
                    assert refusal(made) == (403, "teams_not_allowed")
        await operator.client.put(policy, json={"owned_max": 1})
        assert refusal(await ada.client.post(ACCOUNTS, json={"name": "C"})) == (409, "conflict")
        answer = await operator.client.put(policy, json={"group": "nowhere"})
        assert (answer.status_code, answer.json()["field"]) == (422, "group")


async def test_a_team_with_quota_is_not_deleted_and_an_empty_one_is_gone(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team, other = await team_of(ada), await team_of(ada, "Other")
        await put_in(database, other, bob, "member")
        await grant(database, UUID(team), 5)  # type: ignore[arg-type]
        answer = await ada.client.delete(f"{ACCOUNTS}/{team}")
        assert (*refusal(answer), answer.json()["balance"]) == (409, "account_not_empty", 5)
        made = await bob.client.post(KEYS, json={"name": "his"}, headers=within(other))
        assert (await ada.client.delete(f"{ACCOUNTS}/{other}")).status_code == 204
        for who in (ada, bob):
            assert (await who.client.get("/api/v1/wallet", headers=within(other))).status_code == 404
        rows = await run_sql(database, "SELECT status FROM keys WHERE key_id = $1", UUID(made.json()["id"]))
        assert rows[0]["status"] == "deleted"
        assert refusal(await ada.client.delete(f"{ACCOUNTS}/{ada.account_id}")) == (409, "not_a_team")


async def test_a_team_is_renamed_by_its_owner(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        team = await team_of(ada, "Old")
        answer = await ada.client.patch(f"{ACCOUNTS}/{team}", json={"name": "New"})
        assert (answer.status_code, answer.json()["name"]) == (200, "New")
        assert (await ada.client.get("/api/v1/me", headers=within(team))).json()["account"]["name"] == "New"


# -- roles -------------------------------------------------------------------------------------------------------------


async def test_a_team_has_a_name_that_can_be_read(app: Any, database: str) -> None:
    """It stands in letters to strangers: a letter that turns the direction of writing would rewrite what is beside."""
    async with signed_in(app, database) as ada:
        for name in ("   ", "\u202eResearch"):
            refused = await ada.client.post("/api/v1/accounts", json={"name": name})
            assert (refused.status_code, refused.json()["field"]) == (422, "name")
        assert (await ada.client.post("/api/v1/accounts", json={"name": " Research "})).json()["name"] == "Research"


async def test_an_admin_touches_no_owner_and_makes_none(app: Any, database: str) -> None:
    async with AsyncExitStack() as stack:
        ada, bob, eve = [await stack.enter_async_context(signed_in(app, database)) for _ in range(3)]
        team = await team_of(ada)
        await put_in(database, team, bob, "admin")
        await put_in(database, team, eve, "member")
        members = f"{ACCOUNTS}/{team}/members"
        assert refusal(await bob.client.delete(f"{members}/{ada.user_id}")) == (403, "role_required")
        demoted = await bob.client.patch(f"{members}/{ada.user_id}", json={"team_role": "member"})
        assert refusal(demoted) == (403, "role_required")
        for who in (bob, eve):
            raised = await bob.client.patch(f"{members}/{who.user_id}", json={"team_role": "owner"})
            assert refusal(raised) == (403, "role_required")
        assert refusal(await invite(bob, team, "new@example.com", "owner")) == (403, "role_required")
        changed = await bob.client.patch(f"{members}/{eve.user_id}", json={"team_role": "billing"})
        assert (changed.status_code, changed.json()["team_role"]) == (200, "billing")
        assert (await eve.client.get("/api/v1/topup", headers=within(team))).status_code == 200
        assert (await bob.client.delete(f"{members}/{eve.user_id}")).status_code == 200
        assert await roles_in(ada, team) == {ada.email: "owner", bob.email: "admin"}


async def test_the_last_owner_stays_one(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team = await team_of(ada)
        await put_in(database, team, bob, "admin")
        members = f"{ACCOUNTS}/{team}/members"
        assert refusal(await ada.client.delete(f"{members}/me")) == (409, "last_owner")
        demoted = await ada.client.patch(f"{members}/{ada.user_id}", json={"team_role": "member"})
        assert refusal(demoted) == (409, "last_owner")
        assert (await ada.client.patch(f"{members}/{bob.user_id}", json={"team_role": "owner"})).status_code == 200
        assert (await ada.client.delete(f"{members}/me")).status_code == 200
        assert refusal(await bob.client.delete(f"{members}/me")) == (409, "last_owner")
        assert refusal(await ada.client.delete(f"{ACCOUNTS}/{ada.account_id}/members/me")) == (409, "last_owner")


@pytest.mark.parametrize("act", ["leave", "demote each other", "remove each other"])
async def test_of_two_owners_who_go_at_once_one_remains(app: Any, database: str, act: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        for _ in range(4):
            team = await team_of(ada)
            await put_in(database, team, bob, "owner")
            members = f"{ACCOUNTS}/{team}/members"

            def goes(who: Signed, other: Signed, at: str = members) -> Any:
                if act == "leave":
                    return who.client.delete(f"{at}/me")
                if act == "remove each other":
                    return who.client.delete(f"{at}/{other.user_id}")
                return who.client.patch(f"{at}/{other.user_id}", json={"team_role": "member"})

            answers = await asyncio.gather(goes(ada, bob), goes(bob, ada))
            assert min(answer.status_code for answer in answers) == 200, [a.text for a in answers]
            rows = await run_sql(
                database, "SELECT 1 FROM members WHERE account_id = $1 AND team_role = 'owner'", UUID(team)
            )
            assert len(rows) == 1
            await run_sql(database, "UPDATE accounts SET name = 'done' WHERE account_id = $1", UUID(team))


# -- invitations -------------------------------------------------------------------------------------------------------


async def test_somebody_new_joins_with_an_invitation_while_sign_up_is_closed(
    app: Any, database: str, client: httpx.AsyncClient
) -> None:
    async with signed_in(app, database) as ada:
        team = await team_of(ada)
        token = await token_of(database, await invite(ada, team, "Grace@Example.com"))
        offer = (await client.get("/api/v1/invitations", params={"token": token})).json()
        assert (offer["team"], offer["team_role"], offer["has_user"]) == ("Research", "member", False)
        assert offer["email"] == "Grace@Example.com"
        joined = await client.post(JOIN, json={"token": token, "password": PASSWORD})
        assert joined.status_code == 201, joined.text
        assert "airouter_refresh=" in joined.headers["set-cookie"]
        client.headers["authorization"] = f"Bearer {joined.json()['access_token']}"
        me = (await client.get("/api/v1/me")).json()
        assert me["user"]["email"] == "Grace@Example.com"
        assert [account["kind"] for account in me["accounts"]] == ["personal", "team"]
        assert (await roles_in(ada, team))["Grace@Example.com"] == "member"
        assert (await ada.client.get(f"{ACCOUNTS}/{team}/invitations")).json()["items"] == []


async def test_somebody_who_has_an_account_signs_in_and_accepts(
    app: Any, database: str, client: httpx.AsyncClient
) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team = await team_of(ada)
        token = await token_of(database, await invite(ada, team, bob.email.upper(), "billing"))
        assert (await client.get("/api/v1/invitations", params={"token": token})).json()["has_user"] is True
        assert refusal(await client.post(JOIN, json={"token": token, "password": PASSWORD})) == (409, "email_taken")
        assert (await bob.client.get("/api/v1/me")).status_code == 200  # remembered, without the team
        accepted = await bob.client.post(ACCEPT, json={"token": token})
        assert (accepted.status_code, accepted.json()) == (200, {"account_id": team, "name": "Research"})
        me = (await bob.client.get("/api/v1/me", headers=within(team))).json()
        assert me["account"]["team_role"] == "billing"


async def test_an_invitation_is_for_one_address_and_one_use(app: Any, database: str) -> None:
    async with AsyncExitStack() as stack:
        ada, bob, eve = [await stack.enter_async_context(signed_in(app, database)) for _ in range(3)]
        team = await team_of(ada)
        token = await token_of(database, await invite(ada, team, bob.email))
        assert refusal(await eve.client.post(ACCEPT, json={"token": token})) == (403, "invitation_for_another")
        assert (await bob.client.post(ACCEPT, json={"token": token})).status_code == 200
        assert refusal(await bob.client.post(ACCEPT, json={"token": token})) == (401, "invalid_token")
        assert refusal(await invite(ada, team, bob.email)) == (409, "already_member")


async def test_an_invitation_that_was_replaced_taken_back_or_is_too_old_opens_nothing(
    app: Any, database: str, client: httpx.AsyncClient
) -> None:
    async with signed_in(app, database) as ada:
        team = await team_of(ada)
        first = await token_of(database, await invite(ada, team, "grace@example.com"))
        invited = await invite(ada, team, "grace@example.com", "admin")
        second = await token_of(database, invited)
        [shown] = (await ada.client.get(f"{ACCOUNTS}/{team}/invitations")).json()["items"]
        assert (shown["id"], shown["team_role"], shown["invited_by"]) == (invited.json()["id"], "admin", ada.email)
        assert (await ada.client.delete(f"{ACCOUNTS}/{team}/invitations/{shown['id']}")).status_code == 204
        late = await token_of(database, await invite(ada, team, "late@example.com"))
        await run_sql(database, "UPDATE invitations SET expires_at = now() WHERE email = 'late@example.com'")
        for token in (first, second, late, "nonsense"):
            for answer in (
                await client.get("/api/v1/invitations", params={"token": token}),
                await client.post(JOIN, json={"token": token, "password": PASSWORD}),
                await ada.client.post(ACCEPT, json={"token": token}),
            ):
                assert refusal(answer) == (401, "invalid_token")


async def test_two_who_accept_one_invitation_at_once_are_one_member(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(client_of(app)) for _ in range(4)]
        for number in range(3):
            team = await team_of(ada)
            email = f"grace{number}@example.com"
            token = await token_of(database, await invite(ada, team, email))
            body = {"token": token, "password": PASSWORD}
            answers = await asyncio.gather(*(stranger.post(JOIN, json=body) for stranger in strangers))
            assert min(answer.status_code for answer in answers) == 201
            assert [answer.status_code for answer in answers].count(201) == 1
            assert (await roles_in(ada, team))[email] == "member"


async def test_an_invitations_token_is_kept_as_a_hash_and_not_repeated(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        team = await team_of(ada)
        body = {"email": "grace@example.com", "team_role": "member"}
        answers = [
            await ada.client.post(f"{ACCOUNTS}/{team}/invitations", json=body, headers={"idempotency-key": "grace"})
            for _ in range(2)
        ]
        token = await token_of(database, answers[0])
        assert answers[1].json()["link"] is None
        assert answers[0].json()["id"] == answers[1].json()["id"]
        rows = await run_sql(database, "SELECT invitations::text AS row FROM invitations")
        assert len(rows) == 1
        assert token not in rows[0]["row"]


async def test_the_letter_goes_out_in_a_language_of_the_invited_and_proves_the_address(
    app: Any, database: str, client: httpx.AsyncClient
) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        await bob.client.patch("/api/v1/me", json={"locale": "zh-CN"})
        team = await team_of(ada)
        invited = [await invite(ada, team, email) for email in (bob.email, "grace@example.com")]
        assert [answer.json()["is_mailed"] for answer in invited] == [True, True]
        mails = await run_sql(database, "SELECT recipient, locale, letter FROM mails ORDER BY recipient")
        assert [tuple(mail) for mail in mails] == [
            ("grace@example.com", None, "invitation"),
            (bob.email, "zh-CN", "invitation"),
        ]
        letter = await letter_of(database, f"invitation/{invited[1].json()['id']}")
        assert (letter["team"], letter["inviter"], letter["days"]) == ("Research", ada.email, 7)
        assert letter["link"].startswith("http://127.0.0.1:8080/invitation#")
        body = {"token": await token_of(database, invited[1]), "password": PASSWORD}
        assert (await client.post(JOIN, json=body)).status_code == 201
        [user] = await run_sql(database, "SELECT email_verified_at FROM users WHERE email = 'grace@example.com'")
        assert user["email_verified_at"] is not None


async def test_without_mail_the_inviter_gets_the_link_and_it_proves_no_address(database: str, tmp_path: Path) -> None:
    silent = create_app(settings_for(database, tmp_path, mode="production"))
    async with running(silent), signed_in(silent, database) as ada, client_of(silent) as client:
        team = await team_of(ada)
        invited = await invite(ada, team, "grace@example.com")
        assert invited.json()["is_mailed"] is False
        assert invited.json()["link"].startswith("http://127.0.0.1:8080/invitation#")
        body = {"token": await token_of(database, invited), "password": PASSWORD}
        assert (await client.post(JOIN, json=body)).status_code == 201
        [user] = await run_sql(database, "SELECT email_verified_at FROM users WHERE email = 'grace@example.com'")
        assert user["email_verified_at"] is None


async def test_a_team_has_no_more_seats_than_the_policy_says(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as operator:
        await operator.client.put("/api/v1/admin/policies/teams", json={"members_max": 2})
        team = await team_of(operator)
        assert (await invite(operator, team, "one@example.com")).status_code == 201
        answer = await invite(operator, team, "two@example.com")
        assert (*refusal(answer), answer.json()["members_max"]) == (409, "team_full", 2)
        assert (await invite(operator, team, "one@example.com", "admin")).status_code == 201


async def test_nobody_is_invited_into_somebodys_own_account(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        assert refusal(await invite(ada, str(ada.account_id), "grace@example.com")) == (409, "not_a_team")


# -- what a member sees, and what leaving means ------------------------------------------------------------------------


async def test_a_member_sees_and_changes_only_their_own_keys_and_usage(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team = await team_of(ada)
        await put_in(database, team, bob, "member")
        await grant(database, UUID(team), 10**10)  # type: ignore[arg-type]
        card = await priced_model(database)
        keys, calls = {}, {}
        for who in (ada, bob):
            made = await who.client.post(KEYS, json={"name": "mine"}, headers=within(team))
            assert made.status_code == 201, made.text
            keys[who.email] = made.json()["id"]
            calls[who.email] = str(await spend(database, UUID(made.json()["id"]), card))
        await run_sql(database, "UPDATE usage_records r SET user_id = k.user_id FROM keys k WHERE k.key_id = r.key_id")
        seen = (await bob.client.get(KEYS, headers=within(team))).json()["items"]
        assert [key["id"] for key in seen] == [keys[bob.email]]
        theirs = f"{KEYS}/{keys[ada.email]}"
        assert (await bob.client.get(theirs, headers=within(team))).status_code == 404
        assert (await bob.client.patch(theirs, json={"name": "x"}, headers=within(team))).status_code == 404
        assert (await bob.client.post(f"{theirs}/rotate", headers=within(team))).status_code == 404
        assert (await bob.client.delete(theirs, headers=within(team))).status_code == 404
        usage = (await bob.client.get("/api/v1/usage", headers=within(team))).json()["items"]
        assert [call["request_id"] for call in usage] == [calls[bob.email]]
        receipt = f"/api/v1/usage/{calls[ada.email]}"
        assert (await bob.client.get(receipt, headers=within(team))).status_code == 404
        summary = (await bob.client.get("/api/v1/usage/summary", headers=within(team))).json()
        assert summary["total"]["requests"] == 1
        link = (await bob.client.post("/api/v1/usage/exports", json={}, headers=within(team))).json()["url"]
        assert len((await bob.client.get(link)).text.strip().splitlines()) == 2
        assert len((await ada.client.get(KEYS, headers=within(team))).json()["items"]) == 2
        assert len((await ada.client.get("/api/v1/usage", headers=within(team))).json()["items"]) == 2


async def test_who_leaves_leaves_keys_behind_that_are_handed_over(app: Any, database: str) -> None:
    async with AsyncExitStack() as stack:
        ada, bob, eve = [await stack.enter_async_context(signed_in(app, database)) for _ in range(3)]
        team = await team_of(ada)
        await put_in(database, team, bob, "member")
        await put_in(database, team, eve, "member")
        key = (await bob.client.post(KEYS, json={"name": "deploy"}, headers=within(team))).json()["id"]
        token = await bob.client.post(
            "/api/v1/tokens", json={"name": "t", "scopes": ["usage.read"]}, headers=within(team)
        )
        own = (await bob.client.post(KEYS, json={"name": "at home"})).json()["id"]
        left = await bob.client.delete(f"{ACCOUNTS}/{team}/members/me")
        assert (left.status_code, left.json()) == (200, {"keys_disabled": [key]})
        assert (await bob.client.get("/api/v1/wallet", headers=within(team))).status_code == 404
        script = await stack.enter_async_context(client_of(app))
        script.headers["authorization"] = f"Bearer {token.json()['token']}"
        assert (await script.get("/api/v1/usage")).status_code == 401
        assert (await bob.client.get(f"{KEYS}/{own}")).json()["status"] == "active"
        [orphan] = (await ada.client.get(f"{KEYS}?orphaned=true", headers=within(team))).json()["items"]
        assert (orphan["id"], orphan["status"], orphan["is_orphaned"]) == (key, "disabled", True)
        assert orphan["user_email"] == bob.email
        woken = await ada.client.patch(f"{KEYS}/{key}", json={"status": "active"}, headers=within(team))
        assert woken.status_code == 422
        over = f"{KEYS}/{key}/hand-over"
        to_bob = await ada.client.post(over, json={"user_id": str(bob.user_id)}, headers=within(team))
        assert (to_bob.status_code, to_bob.json()["field"]) == (422, "user_id")
        handed = await ada.client.post(over, json={"user_id": str(eve.user_id)}, headers=within(team))
        assert (handed.status_code, handed.json()["status"], handed.json()["user_email"]) == (200, "active", eve.email)
        assert (await ada.client.get(f"{KEYS}?orphaned=true", headers=within(team))).json()["items"] == []
        assert [k["id"] for k in (await eve.client.get(KEYS, headers=within(team))).json()["items"]] == [key]


async def test_a_key_that_is_disabled_stays_so_when_it_is_handed_over_by_choice(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team = await team_of(ada)
        await put_in(database, team, bob, "member")
        key = (await ada.client.post(KEYS, json={"name": "k"}, headers=within(team))).json()["id"]
        await ada.client.patch(f"{KEYS}/{key}", json={"status": "disabled"}, headers=within(team))
        over = await ada.client.post(
            f"{KEYS}/{key}/hand-over", json={"user_id": str(bob.user_id)}, headers=within(team)
        )
        assert over.json()["status"] == "disabled"


async def test_a_key_made_while_its_maker_is_removed_is_disabled_or_not_made(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team = await team_of(ada)
        for _ in range(8):
            await run_sql(
                database,
                "INSERT INTO members (account_id, user_id, team_role) VALUES ($1, $2, 'member')",
                UUID(team),
                bob.user_id,
            )
            await run_sql(database, "UPDATE versions SET version = version + 1 WHERE name = 'accounts'")
            await run_sql(database, "SELECT pg_notify('airouter_changed', 'accounts ' || $1)", team)
            await app._house.catch_up()
            await asyncio.gather(
                bob.client.post(KEYS, json={"name": "late"}, headers=within(team)),
                ada.client.delete(f"{ACCOUNTS}/{team}/members/{bob.user_id}"),
            )
            rows = await run_sql(database, "SELECT 1 FROM keys WHERE account_id = $1 AND status = 'active'", UUID(team))
            assert rows == []


async def test_a_removal_holds_in_another_process(app: Any, database: str, tmp_path: Path) -> None:
    other = create_app(settings_for(database, tmp_path / "other"))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(other))
        ada, bob = [await stack.enter_async_context(signed_in(app, database)) for _ in range(2)]
        elsewhere = await stack.enter_async_context(client_of(other))
        elsewhere.headers["authorization"] = f"Bearer {bob.access_token}"
        team = await team_of(ada)
        await put_in(database, team, bob, "member")
        key = (await bob.client.post(KEYS, json={"name": "k"}, headers=within(team))).json()["key"]
        door = {"authorization": f"Bearer {key}"}
        assert (await elsewhere.get("/api/v1/wallet", headers=within(team))).status_code == 200
        assert (await elsewhere.get("/v1/models", headers=door)).status_code == 200
        assert (await ada.client.delete(f"{ACCOUNTS}/{team}/members/{bob.user_id}")).status_code == 200

        async def is_out() -> bool:
            return (await elsewhere.get("/api/v1/wallet", headers=within(team))).status_code == 404

        async def is_shut() -> bool:
            return (await elsewhere.get("/v1/models", headers=door)).status_code == 401

        await until(is_out)
        await until(is_shut)


async def test_what_is_done_in_a_team_stands_in_the_audit_log(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team = await team_of(ada)
        token = await token_of(database, await invite(ada, team, bob.email))
        await bob.client.post(ACCEPT, json={"token": token})
        await ada.client.patch(f"{ACCOUNTS}/{team}/members/{bob.user_id}", json={"team_role": "admin"})
        await bob.client.delete(f"{ACCOUNTS}/{team}/members/me")
        rows = await run_sql(
            database,
            "SELECT action, user_id FROM audit_log WHERE account_id = $1 ORDER BY created_at, act_id",
            UUID(team),
        )
        assert [(row["action"], row["user_id"]) for row in rows] == [
            ("account.created", ada.user_id),
            ("member.invited", ada.user_id),
            ("member.joined", bob.user_id),
            ("member.changed", ada.user_id),
            ("member.left", bob.user_id),
        ]
