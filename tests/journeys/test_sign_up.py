"""Joining, forgetting a password, and what an operator makes of both: in a browser, with mail from a real server."""

import re
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.builders import PASSWORD
from tests.journeys.instance import Account, Instance, started
from tests.journeys.visitor import Entrance, Visitor
from tests.mail.server import Server
from tests.patience import until
from tests.payments.http_server import Answer, Asked, served

pytestmark = pytest.mark.asyncio(loop_scope="package")

NEW_PASSWORD = "seven purple trams at noon"


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def mail() -> AsyncIterator[Server]:
    server = Server()
    yield server
    await server.stop()


WIDGET = """
window.turnstile = {
  render(element, { sitekey, callback }) {
    const button = document.createElement("button")
    const textContent = `I am a person (${sitekey})`
    Object.assign(button, { type: "button", textContent, onclick: () => callback("a person") })
    element.append(button)
    return "1"
  },
  reset() {},
}
"""


def widget_said(asked: Asked) -> Answer:
    """The script, and the verifier that believes it."""
    return (200, WIDGET) if asked.method == "GET" else (200, {"success": asked.form["response"] == "a person"})


@pytest.fixture(scope="module")
def widget() -> Iterator[str]:
    """The origin of a Turnstile-compatible challenge."""
    with served(widget_said) as origin:
        yield origin


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def instance(database_of_a_file: str, mail: Server, widget: str) -> AsyncIterator[Instance]:
    """One that has a mail server and may load a challenge."""
    port = await mail.start()
    async with started(
        AIROUTER_DATABASE_URL=database_of_a_file,
        AIROUTER_MAIL_URL=f"smtp://127.0.0.1:{port}",
        AIROUTER_MAIL_FROM="Acme <no-reply@acme.example>",
        AIROUTER_CHALLENGE_ORIGIN=widget,
    ) as running:
        yield running


async def mailed(mail: Server, to: str, subject: str, *, known: str = "") -> str:
    """The link in the mail to somebody about this, as soon as it is there; not the one that is known."""

    def links() -> list[str]:
        return [link_in(one) for one in mail.taken if one["To"] == to and subject in one["Subject"]]

    async def is_there() -> bool:
        return any(link != known for link in links())

    await until(is_there)
    return next(link for link in links() if link != known)


def link_in(message: EmailMessage) -> str:
    text = message.get_body(("plain",))
    assert text is not None
    found = re.search(r"https?://\S+", text.get_content())
    assert found
    return found[0]


async def fill(visitor: Visitor, email: str, password: str = PASSWORD) -> None:
    await visitor.go("/register")
    await visitor.page.get_by_label("E-mail").fill(email)
    await visitor.page.get_by_label("Password").fill(password)
    await visitor.button("Create account").click()


async def follow(visitor: Visitor, instance: Instance, link: str) -> None:
    assert link.startswith(instance.console_url)
    await visitor.go(link.removeprefix(instance.console_url))


async def test_an_operator_opens_sign_up_and_a_newcomer_joins_by_mail(
    instance: Instance, entrance: Entrance, mail: Server
):
    operator = await entrance.visitor()
    await operator.sign_in(instance.operator)
    await operator.visit("Policies")
    await operator.looks_right("policies")
    form = operator.page.get_by_role("form", name="Sign-up")
    await form.get_by_label("Sign-up", exact=True).select_option("open")
    await form.get_by_role("switch", name="Verify addresses").check()
    await form.get_by_label("Welcome grant").fill("2.50")
    await form.get_by_label("Blocked domains").fill("spam.example")
    await form.get_by_label("Challenge").select_option("proof_of_work")
    await form.get_by_label("Work, in bits").fill("99")
    await operator.button("Save").click()
    await expect(form.get_by_text("This is no value that fits here.")).to_be_visible()
    await form.get_by_label("Work, in bits").fill("10")
    await operator.button("Save").click()
    await operator.hears("Sign-up saved")
    await expect(operator.page.get_by_text("holds now")).to_be_visible()

    visitor = await entrance.visitor()
    with visitor.refused("POST /api/v1/auth/register", 403):
        await fill(visitor, "a@spam.example")
        await expect(visitor.page.get_by_text("Addresses at this domain cannot join here.")).to_be_visible()
    await fill(visitor, "newcomer@example.com")
    await expect(visitor.page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    await visitor.looks_right("mail is sent")
    first = await mailed(mail, "newcomer@example.com", "Confirm your e-mail address")
    await visitor.button("Send the mail again").click()
    await expect(visitor.page.get_by_text("Another mail is on its way.")).to_be_visible()
    second = await mailed(mail, "newcomer@example.com", "Confirm your e-mail address", known=first)
    with visitor.refused("POST /api/v1/auth/verify", 401):
        await follow(visitor, instance, first)
        await visitor.button("Confirm").click()
        await expect(visitor.page.get_by_text("This link was used already")).to_be_visible()
    await visitor.page.goto("about:blank")
    await follow(visitor, instance, second)
    await expect(visitor.page).not_to_have_url(re.compile("#"))
    await visitor.looks_right("confirm an address")
    async with visitor.leaving():
        await visitor.button("Confirm").click()
        await visitor.page.wait_for_url("**/console")
    await expect(visitor.page.get_by_role("complementary").get_by_text("2.50").first).to_be_visible()


async def test_a_forgotten_password_is_replaced_by_mail(instance: Instance, entrance: Entrance, mail: Server):
    ada = await instance.person()
    visitor = await entrance.visitor()
    await visitor.go("/sign-in")
    await visitor.page.get_by_role("link", name="Forgot your password?").click()
    await visitor.settled()
    await visitor.looks_right("forgot the password")
    await visitor.page.get_by_label("E-mail").fill(ada.email)
    await visitor.button("Send the link").click()
    await expect(visitor.page.get_by_text("a link is on its way")).to_be_visible()
    await follow(visitor, instance, await mailed(mail, ada.email, "Choose a new password"))
    await visitor.looks_right("choose a new password")
    with visitor.refused("POST /api/v1/auth/password-reset/confirm", 422):
        await visitor.page.get_by_label("New password").fill("password123")
        await visitor.button("Save and sign in").click()
        await expect(visitor.page.get_by_text("too easy to guess")).to_be_visible()
    await visitor.page.get_by_label("New password").fill(NEW_PASSWORD)
    async with visitor.leaving():
        await visitor.button("Save and sign in").click()
        await visitor.page.wait_for_url("**/console")
    assert await mailed(mail, ada.email, "was changed")
    other = await entrance.visitor()
    await other.sign_in(Account(email=ada.email, password=NEW_PASSWORD))


async def test_what_was_not_saved_is_not_lost_unasked_and_what_was_can_be_restored(
    instance: Instance, entrance: Entrance
):
    operator = await entrance.visitor()
    await operator.sign_in(instance.operator)
    await operator.go("/console/admin/policies?topic=display")
    form = operator.page.get_by_role("form", name="Display")
    await form.get_by_label("Name of the place").fill("Acme AI")
    await operator.button("Save").click()
    await operator.hears("Display saved")
    await form.get_by_label("Name of the place").fill("Another name")
    await expect(operator.page.get_by_text("1 change not saved")).to_be_visible()
    await operator.page.get_by_role("link", name="Limits").click()
    dialog = operator.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Leave without saving?")
    await dialog.get_by_role("button", name="Go back").click()
    await expect(form.get_by_label("Name of the place")).to_have_value("Another name")
    await operator.button("Discard").click()
    await form.get_by_label("Name of the place").fill("Third name")
    await operator.button("Save").click()
    await expect(operator.page.get_by_text("holds now")).to_be_visible()
    await operator.page.get_by_role("button", name="Restore", exact=True).first.click()
    await operator.page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    await expect(form.get_by_label("Name of the place")).to_have_value("Acme AI")


async def test_an_operator_sees_what_mail_went_out(instance: Instance, entrance: Entrance, mail: Server):
    operator = await entrance.visitor()
    await operator.sign_in(instance.operator)
    await operator.visit("Mail")
    await operator.button("Send a test mail").click()
    assert await mailed(mail, instance.operator.email, "A test mail")
    await operator.go("/console/admin/mails")
    row: Any = operator.page.get_by_role("row", name=instance.operator.email).first
    await expect(row).to_contain_text("Sent")
    await operator.looks_right("mail")


async def test_a_challenge_of_somebody_else_is_set_up_and_passed(instance: Instance, entrance: Entrance, widget: str):
    operator = await entrance.visitor()
    await operator.sign_in(instance.operator)
    await operator.go("/console/admin/policies?topic=signup")
    form = operator.page.get_by_role("form", name="Sign-up")
    await form.get_by_label("Challenge", exact=True).select_option("turnstile")
    await form.get_by_label("Site key").fill("site-1")
    await form.get_by_label("Script of the widget").fill("https://elsewhere.example/api.js")
    await form.get_by_label("Address of the verifier").fill(f"{widget}/siteverify")
    await form.get_by_label("Secret of the challenge").fill("the-widget-secret-of-this-journey")
    await form.get_by_role("button", name="Set", exact=True).click()
    await operator.hears("Secret saved")
    with operator.refused("PUT /api/v1/admin/policies/signup", 422):
        await operator.button("Save").click()
        await expect(form.get_by_text("Set AIROUTER_CHALLENGE_ORIGIN to https://elsewhere.example")).to_be_visible()
    await operator.looks_right("a challenge is set up")
    await form.get_by_label("Script of the widget").fill(f"{widget}/api.js")
    await operator.button("Save").click()
    await operator.hears("Sign-up saved")
    await instance.set_policy(
        "signup", {**await instance.policy("signup"), "mode": "open", "verify_email": False, "welcome_grant": 0}
    )

    visitor = await entrance.visitor()
    await visitor.go("/register")
    await visitor.page.get_by_label("E-mail").fill("challenged@example.com")
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="I am a person (site-1)").click()
    async with visitor.leaving():
        await visitor.button("Create account").click()
        await visitor.page.wait_for_url("**/console")


async def test_closed_and_by_invitation_say_so(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    for mode, words in (("invitation", "Joining takes an invitation here."), ("closed", "opens accounts")):
        await instance.set_policy("signup", {"mode": mode})
        await visitor.go("/register")
        await visitor.page.reload()
        await visitor.settled()
        await expect(visitor.page.get_by_text(words)).to_be_visible()
