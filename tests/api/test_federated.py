"""Signing in with an identity elsewhere: honest providers, bent ones, and people who mean somebody else's account."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from werkzeug.serving import make_server

from airouter.services.identities import VISIT_SECONDS
from tests.api.conftest import client_of
from tests.api.test_factors import enrol
from tests.builders import Signed, run_sql, signed_in
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, Provider, serving_identities

ADMIN = "/api/v1/admin/identity-providers"
CONSOLE = "http://127.0.0.1:8080"
EMAIL = "ada@elsewhere.example"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving_identities() as found:
        yield found


@pytest.fixture
async def owner(app: Any, database: str) -> AsyncIterator[Signed]:
    """The owner of a place whose providers may be on this machine."""
    async with signed_in(app, database, role="owner") as found:
        put = await found.client.put("/api/v1/admin/policies/network", json={"allow_private": True})
        assert put.status_code == 200, put.text
        yield found


async def offer(owner: Signed, provider: Provider, **more: Any) -> dict[str, Any]:
    body = {
        "id": "company",
        "kind": "oidc",
        "label": "Company",
        "issuer": provider.url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "allow_sign_up": True,
        **more,
    }
    made = await owner.client.post(ADMIN, json=body)
    assert made.status_code == 201, made.text
    return made.json()


async def opened(owner: Signed) -> None:
    put = await owner.client.put("/api/v1/admin/policies/signup", json={"mode": "open"})
    assert put.status_code == 200, put.text


async def go(browser: httpx.AsyncClient, provider: Provider, name: str = "company") -> httpx.Response:
    """There and back again."""
    start = await browser.get(f"/api/v1/auth/oidc/{name}/start", params={"next": "/console/keys"})
    assert start.status_code == 302, start.text
    return await back(browser, name, **provider.consent(start.headers["location"]))


async def back(browser: httpx.AsyncClient, name: str = "company", **params: str) -> httpx.Response:
    answer = await browser.get(f"/api/v1/auth/oidc/{name}/callback", params=params)
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(f"{CONSOLE}/")
    return answer


def problem(answer: httpx.Response) -> str | None:
    found = parse_qs(urlsplit(answer.headers["location"]).query)
    return found.get("problem", [None])[0]


async def who(browser: httpx.AsyncClient) -> dict[str, Any]:
    """Whoever the browser is signed in as."""
    refreshed = await browser.post("/api/v1/auth/refresh")
    assert refreshed.status_code == 200, refreshed.text
    me = await browser.get("/api/v1/me", headers={"authorization": f"Bearer {refreshed.json()['access_token']}"})
    return me.json()["user"]


async def test_only_an_owner_sets_up_providers_and_nobody_reads_a_secret(
    app: Any, database: str, owner: Signed, provider: Provider
) -> None:
    async with client_of(app) as stranger, signed_in(app, database, role="operator") as ops:
        assert (await stranger.post(ADMIN, json={})).status_code == 401
        assert (await ops.client.get(ADMIN)).status_code == 403
        made = await offer(owner, provider)
        assert made["redirect_uri"] == f"{CONSOLE}/api/v1/auth/oidc/company/callback"
        shown = [made, (await owner.client.get(ADMIN)).json()]
        changed = await owner.client.patch(
            f"{ADMIN}/company", json={"label": "The company", "client_secret": "new one"}
        )
        assert (changed.status_code, changed.json()["label"]) == (200, "The company")
        acts = await run_sql(database, "SELECT coalesce(after::text, '') AS said FROM audit_log")
        for said in [*map(str, shown), changed.text, *(act["said"] for act in acts)]:
            assert CLIENT_SECRET not in said
            assert "new one" not in said
        stored = await run_sql(database, "SELECT client_secret FROM identity_providers")
        assert CLIENT_SECRET.encode() not in stored[0]["client_secret"]
        tested = await owner.client.post(f"{ADMIN}/company/test")
        assert tested.json()["token_endpoint"] == f"{provider.url}/token"
        assert (await stranger.get("/api/v1/status")).json()["identity_providers"] == [
            {"id": "company", "kind": "oidc", "label": "The company"}
        ]
        assert (await owner.client.delete(f"{ADMIN}/company")).status_code == 204


async def test_somebody_new_joins_and_comes_back_as_the_same_person(
    app: Any, database: str, owner: Signed, provider: Provider
) -> None:
    await offer(owner, provider)
    async with client_of(app) as browser:
        closed = await go(browser, provider)
        assert problem(closed) == "sign_up_closed"
    await opened(owner)
    async with client_of(app) as browser, client_of(app) as later:
        answer = await go(browser, provider)
        assert answer.headers["location"] == f"{CONSOLE}/sign-in?step=done&next=%2Fconsole%2Fkeys"
        joined = await who(browser)
        assert joined["email"] == EMAIL
        provider.claims["email"] = "renamed@elsewhere.example"  # addresses change, the subject does not
        await go(later, provider)
        assert (await who(later))["id"] == joined["id"]
    users = await run_sql(database, "SELECT email_verified_at, password_hash FROM users WHERE email = $1", EMAIL)
    assert users[0]["email_verified_at"] is not None
    assert users[0]["password_hash"] is None


async def test_who_brought_somebody_is_remembered_on_the_way_through_a_provider(
    app: Any, database: str, owner: Signed, provider: Provider
) -> None:
    await offer(owner, provider)
    await opened(owner)
    terms = {"is_enabled": True, "reward": 5, "condition": "registration"}
    assert (await owner.client.put("/api/v1/admin/policies/referral", json=terms)).status_code == 200
    code = (await owner.client.get("/api/v1/referral")).json()["code"]
    async with client_of(app) as browser:
        start = await browser.get("/api/v1/auth/oidc/company/start", params={"ref": code})
        assert "step=done" in (await back(browser, **provider.consent(start.headers["location"]))).headers["location"]
    [brought] = await run_sql(database, "SELECT referrer_account, invitee_account FROM referrals")
    assert brought["referrer_account"] != brought["invitee_account"]
    assert (await owner.client.get("/api/v1/referral")).json()["referred_count"] == 1


@pytest.mark.parametrize(
    ("bend", "algorithm"),
    [
        ({"nonce": "another"}, "RS256"),
        ({"aud": "somebody else"}, "RS256"),
        ({"aud": [CLIENT_ID, "other"], "azp": "other"}, "RS256"),
        ({"azp": "other"}, "RS256"),
        ({"iss": "https://evil.example"}, "RS256"),
        ({"exp": 1_700_000_000, "iat": 1_699_999_000}, "RS256"),
        ({"iat": 4_000_000_000, "exp": 4_000_001_000}, "RS256"),
        ({"sub": ""}, "RS256"),
        ({}, "none"),
        ({}, "HS256"),
    ],
)
async def test_a_token_that_does_not_hold_lets_nobody_in(
    app: Any, owner: Signed, provider: Provider, bend: dict[str, Any], algorithm: str
) -> None:
    await offer(owner, provider)
    await opened(owner)
    provider.bend, provider.algorithm = bend, algorithm
    async with client_of(app) as browser:
        answer = await go(browser, provider)
        assert problem(answer) == "identity_refused"
        assert (await browser.post("/api/v1/auth/refresh")).status_code == 401


async def test_an_answer_belongs_to_the_browser_that_asked_and_is_taken_once(
    app: Any, owner: Signed, provider: Provider
) -> None:
    await offer(owner, provider)
    await opened(owner)
    async with client_of(app) as browser, client_of(app) as other:
        start = await browser.get("/api/v1/auth/oidc/company/start")
        consent = provider.consent(start.headers["location"])
        assert problem(await back(other, **consent)) == "sign_in_expired"  # no cookie: somebody else's answer
        assert problem(await back(browser, **{**consent, "state": "forged"})) == "identity_refused"
        start = await browser.get("/api/v1/auth/oidc/company/start")
        consent = provider.consent(start.headers["location"])
        cookie = {"cookie": f"airouter_visit={browser.cookies['airouter_visit']}"}
        answers = await asyncio.gather(
            *(other.get("/api/v1/auth/oidc/company/callback", params=consent, headers=cookie) for _ in range(5))
        )
        assert Counter(problem(answer) for answer in answers) == {None: 1, "sign_in_expired": 4}


async def test_a_denial_an_unknown_provider_and_one_that_is_down_lead_to_a_page_that_says_so(
    app: Any, owner: Signed, provider: Provider
) -> None:
    await offer(owner, provider)
    async with client_of(app) as browser:
        start = await browser.get("/api/v1/auth/oidc/company/start")
        state = provider.consent(start.headers["location"])["state"]
        assert problem(await back(browser, state=state, error="access_denied")) == "identity_refused"
        unknown = await browser.get("/api/v1/auth/oidc/nobody/start")
        assert (unknown.status_code, problem(unknown)) == (302, "not_found")
        start = await browser.get("/api/v1/auth/oidc/company/start")
        consent = provider.consent(start.headers["location"])
        provider.is_down = True
        assert problem(await back(browser, **consent)) == "identity_provider_failed"
    assert (await owner.client.post(f"{ADMIN}/company/test")).status_code == 502
    switched_off = await owner.client.patch(f"{ADMIN}/company", json={"is_enabled": False})
    assert switched_off.status_code == 200
    async with client_of(app) as browser:
        assert problem(await browser.get("/api/v1/auth/oidc/company/start")) == "not_found"


async def test_a_provider_that_names_another_issuer_or_an_address_inside_is_not_asked(
    app: Any, database: str, provider: Provider
) -> None:
    async with signed_in(app, database, role="owner") as owner, client_of(app) as browser:
        await owner.client.put("/api/v1/admin/policies/network", json={"allow_private": False})
        await offer(owner, provider)
        inside = await browser.get("/api/v1/auth/oidc/company/start")
        assert problem(inside) == "identity_provider_failed"
        assert provider.asked == []
        await owner.client.put("/api/v1/admin/policies/network", json={"allow_private": True})
        provider.issuer = "https://evil.example"
        assert problem(await browser.get("/api/v1/auth/oidc/company/start")) == "identity_provider_failed"


async def test_new_keys_of_a_provider_are_found_and_its_old_ones_hold_no_more(
    app: Any, owner: Signed, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airouter.services.openid._AGAIN_SECONDS", 0)
    await offer(owner, provider)
    await opened(owner)
    async with client_of(app) as browser:
        assert problem(await go(browser, provider)) is None
        provider.rotate()
        assert problem(await go(browser, provider)) is None
        assert provider.asked.count("/keys") == 2


async def test_an_address_that_somebody_has_here_makes_nobody_its_owner(
    app: Any, database: str, owner: Signed, provider: Provider
) -> None:
    await offer(owner, provider)
    await opened(owner)
    async with signed_in(app, database, email=EMAIL) as ada, client_of(app) as browser:
        assert problem(await go(browser, provider)) == "identity_not_known"
        await owner.client.patch(f"{ADMIN}/company", json={"trust_email": True})
        # The address was never proved here: whoever typed it first need not be the person.
        assert problem(await go(browser, provider)) == "identity_not_known"
        await run_sql(database, "UPDATE users SET email_verified_at = now() WHERE user_id = $1", ada.user_id)
        provider.claims["email_verified"] = False
        assert problem(await go(browser, provider)) == "identity_not_known"
        provider.claims["email_verified"] = True
        assert problem(await go(browser, provider)) is None
        assert (await who(browser))["id"] == str(ada.user_id)


async def test_an_address_that_only_looks_like_somebodys_makes_nobody_its_owner(
    app: Any, database: str, owner: Signed, provider: Provider
) -> None:
    """U+212A is the sign for kelvin: in small letters it is a k, and mail to the two goes to different people."""
    await offer(owner, provider, trust_email=True)
    await opened(owner)
    async with signed_in(app, database, email="kim@elsewhere.example") as kim, client_of(app) as browser:
        await run_sql(database, "UPDATE users SET email_verified_at = now() WHERE user_id = $1", kim.user_id)
        provider.claims["email"] = "\u212aim@elsewhere.example"
        assert problem(await go(browser, provider)) == "identity_not_known"


@pytest.mark.parametrize("claims", [{"email": ["a"]}, {"email_verified": []}, {"email": "no address"}, {"name": 5}])
async def test_claims_of_the_wrong_kind_prove_no_address(
    app: Any, owner: Signed, provider: Provider, claims: dict[str, Any]
) -> None:
    await offer(owner, provider)
    await opened(owner)
    provider.claims |= claims
    async with client_of(app) as browser:
        is_all_right = "name" in claims
        assert problem(await go(browser, provider)) == (None if is_all_right else "identity_not_known")


async def test_a_provider_lets_in_only_the_domains_that_it_is_for(app: Any, owner: Signed, provider: Provider) -> None:
    await offer(owner, provider, allowed_domains=["company.example"])
    await opened(owner)
    async with client_of(app) as browser:
        assert problem(await go(browser, provider)) == "identity_domain_refused"
        provider.claims["email"] = "ada@company.example"
        provider.claims["email_verified"] = False
        assert problem(await go(browser, provider)) == "identity_domain_refused"
        provider.claims["email_verified"] = True
        assert problem(await go(browser, provider)) is None


async def test_an_identity_is_linked_by_whoever_is_signed_in_and_signs_them_in_from_then_on(
    app: Any, database: str, owner: Signed, provider: Provider
) -> None:
    await offer(owner, provider, allow_sign_up=False)
    async with (
        signed_in(app, database) as ada,
        signed_in(app, database) as bob,
        client_of(app) as browser,
    ):
        visit = {"provider": "company", "errand": "link"}

        async def link(one: Signed) -> httpx.Response:
            sent = await one.client.post("/api/v1/me/identities/visits", json=visit)
            assert sent.status_code == 201, sent.text
            return await back(one.client, **provider.consent(sent.json()["url"]))

        linked = await link(ada)
        assert linked.headers["location"].endswith("section=security&linked=1")
        assert problem(await link(bob)) == "identity_taken"
        assert problem(await go(browser, provider)) is None
        assert (await who(browser))["id"] == str(ada.user_id)
        identities = (await ada.client.get("/api/v1/me/security")).json()["identities"]
        assert [(i["provider"], i["name"]) for i in identities] == [("company", EMAIL)]
        assert (await owner.client.delete(f"{ADMIN}/company")).status_code == 409
        mine = f"/api/v1/me/identities/{identities[0]['id']}"
        assert (await bob.client.delete(mine)).status_code == 404
        await run_sql(database, "UPDATE users SET password_hash = NULL WHERE user_id = $1", ada.user_id)
        refused = await ada.client.delete(mine)
        assert (refused.status_code, refused.json()["code"]) == (409, "last_way_in")
        await run_sql(database, "UPDATE users SET password_hash = 'x' WHERE user_id = $1", ada.user_id)
        assert (await ada.client.delete(mine)).status_code == 204
        assert problem(await go(browser, provider)) == "identity_not_known"


async def test_a_session_that_ended_meanwhile_links_nothing(
    app: Any, database: str, owner: Signed, provider: Provider
) -> None:
    await offer(owner, provider)
    async with signed_in(app, database) as ada:
        sent = await ada.client.post("/api/v1/me/identities/visits", json={"provider": "company"})
        await run_sql(database, "UPDATE sessions SET revoked_at = now() WHERE user_id = $1", ada.user_id)
        answer = await back(ada.client, **provider.consent(sent.json()["url"]))
        assert problem(answer) == "session_expired"
    assert await run_sql(database, "SELECT 1 FROM identities") == []


async def test_a_second_factor_is_asked_for_after_an_identity_too(
    app: Any, database: str, owner: Signed, provider: Provider
) -> None:
    await offer(owner, provider)
    async with signed_in(app, database) as ada, client_of(app) as browser:
        sent = await ada.client.post("/api/v1/me/identities/visits", json={"provider": "company"})
        await back(ada.client, **provider.consent(sent.json()["url"]))
        _, codes = await enrol(ada)
        answer = await go(browser, provider)
        question = parse_qs(urlsplit(answer.headers["location"]).query)
        assert question["step"] == ["second"]
        assert question["methods"] == ["totp,recovery_code"]
        assert browser.cookies["airouter_mfa"] not in answer.headers["location"]
        assert (await browser.post("/api/v1/auth/refresh")).status_code == 401
        finished = await browser.post("/api/v1/auth/mfa", json={"method": "recovery_code", "code": codes[0]})
        assert finished.status_code == 200, finished.text
        assert (await who(browser))["id"] == str(ada.user_id)
        forged = await browser.post(
            "/api/v1/auth/mfa",
            json={"method": "recovery_code", "code": codes[1]},
            headers={"origin": "https://evil.example"},
        )
        assert forged.status_code == 403


async def test_a_linked_identity_proves_who_one_is(app: Any, database: str, owner: Signed, provider: Provider) -> None:
    await offer(owner, provider)
    await opened(owner)
    async with client_of(app) as browser:
        await go(browser, provider)
        token = (await browser.post("/api/v1/auth/refresh")).json()["access_token"]
        browser.headers["authorization"] = f"Bearer {token}"
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
        refused = await browser.post("/api/v1/me/factors/totp")
        assert refused.json()["methods"] == ["identity"]
        visit = {"provider": "company", "errand": "prove", "next": "/console/settings"}
        sent = (await browser.post("/api/v1/me/identities/visits", json=visit)).json()["url"]
        assert parse_qs(urlsplit(sent).query)["max_age"] == ["0"]
        provider.subject = "somebody else"
        refused = await back(browser, **provider.consent(sent))
        assert refused.headers["location"] == f"{CONSOLE}/console/settings?problem=identity_refused"
        assert (await browser.post("/api/v1/me/factors/totp")).status_code == 403
        provider.subject = "subject-1"
        provider.bend["auth_time"] = int(time.time()) - 3600  # asked to ask anew, it did not
        sent = (await browser.post("/api/v1/me/identities/visits", json=visit)).json()["url"]
        assert problem(await back(browser, **provider.consent(sent))) == "identity_refused"
        assert (await browser.post("/api/v1/me/factors/totp")).status_code == 403
        provider.bend["auth_time"] = int(time.time())
        sent = (await browser.post("/api/v1/me/identities/visits", json=visit)).json()["url"]
        answer = await back(browser, **provider.consent(sent))
        assert answer.headers["location"] == f"{CONSOLE}/console/settings"
        assert (await browser.post("/api/v1/me/factors/totp")).status_code == 201


async def test_github_is_asked_who_it_is(app: Any, owner: Signed, provider: Provider) -> None:
    made = await offer(owner, provider, id="github", kind="github", label="GitHub")
    assert made["scopes"] == ["read:user", "user:email"]
    await opened(owner)
    async with client_of(app) as browser:
        assert problem(await go(browser, provider, "github")) is None
        assert (await who(browser))["email"] == EMAIL
        start = await browser.get("/api/v1/auth/oidc/github/start")
        state = provider.consent(start.headers["location"])["state"]
        assert problem(await back(browser, "github", state=state, code="guessed")) == "identity_provider_failed"


async def test_an_unverified_address_at_github_lets_nobody_join(app: Any, owner: Signed, provider: Provider) -> None:
    await offer(owner, provider, id="github", kind="github", label="GitHub")
    await opened(owner)
    provider.claims["email_verified"] = False
    async with client_of(app) as browser:
        assert problem(await go(browser, provider, "github")) == "identity_not_known"


@pytest.mark.parametrize(
    "page", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/a\tb", "/\u4e2d"]
)
async def test_nobody_is_sent_to_another_site(app: Any, owner: Signed, provider: Provider, page: str) -> None:
    await offer(owner, provider)
    await opened(owner)
    async with client_of(app) as browser:
        start = await browser.get("/api/v1/auth/oidc/company/start", params={"next": page})
        answer = await back(browser, **provider.consent(start.headers["location"]))
        assert answer.headers["location"] == f"{CONSOLE}/sign-in?step=done&next=%2Fconsole"


async def test_a_visit_ends_after_ten_minutes(
    app: Any, owner: Signed, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await offer(owner, provider)
    async with client_of(app) as browser:
        start = await browser.get("/api/v1/auth/oidc/company/start")
        identities = app._house.services().identities
        ahead = identities._clock() + VISIT_SECONDS + 1
        monkeypatch.setattr(identities, "_clock", lambda: ahead)
        assert problem(await back(browser, **provider.consent(start.headers["location"]))) == "sign_in_expired"


@contextmanager
def of_others_making(person: oidc_provider_mock.User) -> Iterator[str]:
    """Where it is. Its own server would give its thread a second to end in."""
    server = make_server("localhost", 0, oidc_provider_mock.app(user_claims=[person]), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.filterwarnings("ignore:get_jwt_config")  # the provider's own, of a library below it
async def test_a_provider_of_others_making_is_understood(app: Any, owner: Signed) -> None:
    person = oidc_provider_mock.User(sub="ada", claims={"email": EMAIL, "email_verified": True, "name": "Ada"})
    with of_others_making(person) as url:
        body = {
            "id": "mock",
            "kind": "oidc",
            "label": "Mock",
            "issuer": url,
            "client_id": "us",
            "client_secret": "s",
            "allow_sign_up": True,
        }
        assert (await owner.client.post(ADMIN, json=body)).status_code == 201
        await opened(owner)
        async with client_of(app) as browser, httpx.AsyncClient() as web:
            start = await browser.get("/api/v1/auth/oidc/mock/start")
            consented = await web.post(start.headers["location"], data={"sub": "ada"})
            assert consented.status_code == 302, consented.text
            answered = {name: v[0] for name, v in parse_qs(urlsplit(consented.headers["location"]).query).items()}
            assert problem(await back(browser, "mock", **answered)) is None
            assert (await who(browser))["email"] == EMAIL
