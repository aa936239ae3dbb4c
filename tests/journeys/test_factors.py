"""More than a password: an authenticator app, recovery codes, passkeys, an identity elsewhere, being asked again."""

from collections.abc import AsyncIterator, Iterator

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.builders import run_sql
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, Provider, serving_identities
from tests.journeys.instance import Account, Instance, served_apart
from tests.journeys.visitor import Entrance, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")

SECURITY = "/console/settings?section=security"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with serving_identities() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="package")
async def at_localhost(instance: Instance) -> AsyncIterator[str]:
    """The console of a second server; it has a name: browsers offer passkeys there.

    To be asked for before the entrance: it outlives the visitors, whose pages go on asking.
    """
    async with served_apart(instance, "localhost") as (_, console):
        yield console


async def sign_in_so_far(visitor: Visitor, who: Account) -> None:
    """The first step, which does not let them in."""
    await visitor.go("/sign-in")
    await visitor.page.get_by_label("E-mail").fill(who.email)
    await visitor.page.get_by_label("Password").fill(who.password)
    with visitor.refused("POST /api/v1/auth/login", 401):
        await visitor.button("Sign in").click()
        await expect(visitor.page.get_by_role("heading", name="Second step")).to_be_visible()


async def read_recovery_codes(visitor: Visitor) -> list[str]:
    """Those that are shown once; then the dialog is closed."""
    shown = visitor.page.get_by_role("dialog", name="Recovery codes")
    await expect(shown.get_by_role("listitem")).to_have_count(10)
    codes = await shown.get_by_role("listitem").all_inner_texts()
    await visitor.page.keyboard.press("Escape")
    await expect(shown).to_be_visible()
    await shown.get_by_role("button", name="I have kept them").click()
    await expect(shown).to_have_count(0)
    return codes


async def forget_proof(instance: Instance, email: str) -> None:
    """As if they had signed in an hour ago."""
    await run_sql(
        instance.dsn,
        "UPDATE sessions SET authenticated_at = now() - interval '1 hour' "
        "FROM users WHERE users.user_id = sessions.user_id AND users.email = $1",
        email,
    )


async def test_an_authenticator_app_is_set_up_and_asked_for(instance: Instance, entrance: Entrance):
    who = await instance.person()
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(who, at=SECURITY, then=f"**{SECURITY}")
    await page.get_by_role("button", name="Set up an authenticator app").click()
    form = page.get_by_role("dialog", name="Set up an authenticator app")
    await expect(form.get_by_role("img", name="QR code")).to_be_visible()
    secret = (await form.locator(".mono").inner_text()).strip()
    await visitor.looks_right("setting up an authenticator app")
    await form.get_by_label("Code that the app shows").fill("000000")
    with visitor.refused("POST /api/v1/me/factors/totp/confirm", 422):
        await form.get_by_role("button", name="Switch on").click()
        await expect(form.get_by_role("alert")).to_be_visible()
    await form.get_by_label("Code that the app shows").fill(pyotp.TOTP(secret).now())
    await form.get_by_role("button", name="Switch on").click()
    codes = await read_recovery_codes(visitor)
    await expect(page.get_by_text("10 left")).to_be_visible()
    await visitor.looks_right("security with a second factor")

    await run_sql(instance.dsn, "UPDATE totp_factors SET last_step = 0")  # the code of a while ago
    other = await entrance.visitor()
    await sign_in_so_far(other, who)
    await other.looks_right("the second step")
    await other.page.get_by_label("Code of your authenticator app").fill(pyotp.TOTP(secret).now())
    async with other.leaving():
        await other.button("Sign in").click()
        await other.page.wait_for_url("**/console")

    third = await entrance.visitor(viewport={"width": 375, "height": 812})
    await sign_in_so_far(third, who)
    await third.stays_within("the second step on a phone")
    await third.button("Use a recovery code").click()
    await third.page.get_by_label("Recovery code").fill(codes[0].lower())
    async with third.leaving():
        await third.button("Sign in").click()
        await third.page.wait_for_url("**/console")
    await third.go(SECURITY)
    await expect(third.page.get_by_text("9 left")).to_be_visible()
    await third.stays_within("security on a phone")


async def test_an_act_that_matters_asks_once_more_and_goes_on(instance: Instance, entrance: Entrance):
    who = await instance.person()
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(who, at=SECURITY, then=f"**{SECURITY}")
    await forget_proof(instance, who.email)
    asked = page.get_by_role("dialog", name="Is it you?")
    with visitor.refused("POST /api/v1/me/factors/totp", 403):
        await page.get_by_role("button", name="Set up an authenticator app").click()
        await expect(asked).to_be_visible()
        await visitor.stays_within("being asked again")
        await page.keyboard.press("Escape")
        await expect(asked).to_have_count(0)
        await expect(page.get_by_role("alert")).to_contain_text("Prove once more")
        await page.get_by_role("button", name="Set up an authenticator app").click()
        await asked.get_by_label("Your password").fill("not this one at all")
        with visitor.refused("POST /api/v1/auth/reauthenticate", 422):
            await asked.get_by_role("button", name="Continue").click()
            await expect(asked.get_by_role("alert")).to_contain_text("not right")
        await asked.get_by_label("Your password").fill(who.password)
        await asked.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("dialog", name="Set up an authenticator app")).to_be_visible()


async def test_a_passkey_signs_in_without_a_password(instance: Instance, at_localhost: str, entrance: Entrance):
    who = await instance.person()
    visitor = await entrance.visitor()
    visitor.home = at_localhost
    page = visitor.page
    device = await page.context.new_cdp_session(page)
    await device.send("WebAuthn.enable")
    await device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    await visitor.sign_in(who, at=SECURITY, then=f"**{SECURITY}")
    await page.get_by_role("button", name="Add a passkey").click()
    form = page.get_by_role("dialog", name="Add a passkey")
    await form.get_by_label("Name").fill("Test device")
    await form.get_by_role("button", name="Continue").click()
    await read_recovery_codes(visitor)
    await expect(page.get_by_role("table", name="Passkeys").get_by_text("Test device")).to_be_visible()
    await visitor.looks_right("security with a passkey")

    await page.get_by_role("button", name="Account menu").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await page.wait_for_url("**/sign-in**")
    await visitor.settled()
    async with visitor.leaving():
        await visitor.button("Sign in with a passkey").click()
        await page.wait_for_url("**/console")
    me = await run_sql(
        instance.dsn,
        "SELECT method FROM sessions JOIN users USING (user_id) WHERE email = $1 ORDER BY sessions.created_at DESC",
        who.email,
    )
    assert me[0]["method"] == "passkey"


async def test_an_identity_elsewhere_lets_somebody_join_and_come_back(
    instance: Instance, entrance: Entrance, provider: Provider
):
    owner = await instance.person(role="owner")
    await instance.set_policy("network", {"allow_private": True})
    await instance.set_policy("signup", {"mode": "open"})
    operator = await entrance.visitor()
    page = operator.page
    await operator.sign_in(owner, at="/console/admin/identity-providers", then="**/identity-providers")
    await operator.looks_right("no identity providers")
    await operator.button("New provider").first.click()
    form = page.get_by_role("dialog", name="New provider")
    await form.get_by_label("Short name").fill("company")
    await form.get_by_label("Name", exact=True).fill("Company")
    await form.get_by_label("Issuer").fill(provider.url)
    await form.get_by_label("Client ID").fill(CLIENT_ID)
    await form.get_by_label("Client secret").fill(CLIENT_SECRET)
    await form.get_by_label("People without an account may join").check()
    await operator.looks_right("a new identity provider")
    await form.get_by_role("button", name="Add").click()
    await expect(form).to_have_count(0)
    await page.get_by_role("button", name="Actions for Company").click()
    await page.get_by_role("menuitem", name="Test").click()
    await operator.hears("Company answers")
    await operator.looks_right("identity providers")

    for _ in range(2):
        visitor = await entrance.visitor()
        await visitor.go("/sign-in?next=/console/keys")
        await visitor.page.get_by_role("link", name="Continue with Company").click()
        await visitor.page.wait_for_url("**/console/keys")
        await visitor.settled()
    people = await run_sql(instance.dsn, "SELECT count(*) FROM users WHERE email = 'ada@elsewhere.example'")
    assert people[0]["count"] == 1

    await visitor.go(SECURITY)
    await forget_proof(instance, "ada@elsewhere.example")
    asked = visitor.page.get_by_role("dialog", name="Is it you?")
    with visitor.refused("POST /api/v1/me/factors/totp", 403):
        await visitor.page.get_by_role("button", name="Set up an authenticator app").click()
        await expect(asked.get_by_role("button", name="Continue with Company")).to_be_visible()
        await visitor.stays_within("being asked by an identity provider")
        async with visitor.page.expect_popup():
            await asked.get_by_role("button", name="Continue with Company").click()
    await expect(visitor.page.get_by_role("dialog", name="Set up an authenticator app")).to_be_visible()

    provider.is_down = True
    try:
        unlucky = await entrance.visitor()
        await unlucky.go("/sign-in")
        await unlucky.page.get_by_role("link", name="Continue with Company").click()
        await expect(unlucky.page.get_by_text("did not answer properly")).to_be_visible()
        await unlucky.looks_right("a provider that is down")
    finally:
        provider.is_down = False
        await instance.set_policy("signup", {"mode": "closed"})
