"""Somebody at a browser. Whatever goes wrong on a page while they look at it is remembered and fails the test."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

from tests.journeys.instance import ROOT, Account
from tests.patience import PATIENCE_SECONDS

PHONE = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
SIGN_IN = {"en": ("E-mail", "Password", "Sign in"), "zh": ("邮箱", "密码", "登录")}
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
BROKEN_RULES = r"""async (options) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...options })
  // What our primitives do on purpose: guards that hand the focus on, and menus that lie over all landmarks.
  const isMeant = (rule, { html }) =>
    (rule.id === "aria-hidden-focus" && html.includes("data-base-ui-focus-guard")) ||
    (rule.id === "region" && html.includes('role="menu"'))
  const where = (node) => `    ${node.target.join(" ")}  ${node.html.slice(0, 160)}\n    ${node.failureSummary}`
  return violations
    .map((rule) => ({ ...rule, nodes: rule.nodes.filter((node) => !isMeant(rule, node)) }))
    .filter((rule) => rule.nodes.length > 0)
    .map((rule) => `${rule.id}: ${rule.help}\n${rule.nodes.map(where).join("\n")}`)
}"""

STICKS_OUT = r"""() => {
  const found = []
  const { scrollWidth, clientWidth } = document.scrollingElement
  if (scrollWidth > clientWidth) found.push(`${scrollWidth} px wide on a screen of ${clientWidth}`)
  const isWide = found.length > 0
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const range = document.createRange()
  while (texts.nextNode()) {
    const text = texts.currentNode
    const element = text.parentElement
    if (!text.data.trim() || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue
    range.selectNodeContents(text)
    const { left, right } = range.getBoundingClientRect()
    if (isWide && right > clientWidth) found.push(`beyond the edge: ${text.data.trim().slice(0, 60)}`)
    let box = element
    while (["inline", "contents"].includes(getComputedStyle(box).display)) box = box.parentElement
    const room = box.getBoundingClientRect()
    if (room.width <= 1 || (left >= room.left - 1 && right <= room.right + 1)) continue
    const { overflowX } = getComputedStyle(box)
    if (["auto", "scroll"].includes(overflowX)) continue
    const isCut = overflowX !== "visible"
    if (isCut && element.closest("[title]")) continue
    const what = `${box.tagName.toLowerCase()}.${box.className}`
    found.push(`${isCut ? "cut off in" : "sticks out of"} ${what}: ${text.data.trim().slice(0, 60)}`)
  }
  return found
}"""


KEEPS_WHAT_IS_SAID = """
window.heard = []
new MutationObserver((changes) => {
  for (const { type, target, addedNodes } of changes)
    for (const node of type === "characterData" ? [target] : addedNodes)
      if ((node.closest ? node : node.parentElement)?.closest("[aria-live]")) heard.push(node.textContent)
}).observe(document, { subtree: true, childList: true, characterData: true })
"""

HEARS = """(words) => {
  const at = heard.findIndex((said) => said.includes(words))
  return at >= 0 && heard.splice(at, 1).length > 0
}"""

IS_AT_REST = """() => new Promise((done) =>
  requestAnimationFrame(() => requestIdleCallback(() => done(true), { timeout: 1000 })))"""


class Visitor:
    """One tab. `home` is the console's address."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.trouble: list[str] = []
        self._expected: list[tuple[str, int]] = []
        self._expected_of: dict[Request, list[tuple[str, int]]] = {}
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.trouble.append(f"error on the page: {error}"))
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_failed_request)
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        # What the server refused is judged by `_on_response`, which knows whether it was expected.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.trouble.append(f"console error: {message.text}")

    def _on_request(self, request: Request) -> None:
        self._expected_of[request] = [*self._expected]

    def _on_failed_request(self, request: Request) -> None:
        # Aborted: the page went on before the answer was there.
        if request.failure != "net::ERR_ABORTED":
            self.trouble.append(f"{request.method} {request.url} failed: {request.failure}")

    def _on_response(self, response: Response) -> None:
        asked = f"{response.request.method} {urlsplit(response.url).path}"
        if response.status >= 400 and not any(
            re.fullmatch(pattern, asked) and status == response.status
            for pattern, status in (*self._expected, *self._expected_of.get(response.request, ()))
        ):
            self.trouble.append(f"{asked} answered {response.status}")

    @contextmanager
    def refused(self, asked: str, status: int) -> Iterator[None]:
        """In this block, and later to what was asked in it, the server may answer so; `asked` is a pattern of both."""
        self._expected.append((asked, status))
        yield
        self._expected.remove((asked, status))

    async def copied(self, button: Locator) -> str:
        """What this button puts into the clipboard."""
        await button.click()
        await self.hears("Copied")
        return await self.page.evaluate("navigator.clipboard.readText()")

    async def go(self, path: str) -> None:
        """Type an address."""
        await self.page.goto(f"{self.home}{path}")
        await self.settled()

    async def move(self, path: str) -> None:
        """To an address without loading the console anew, as its links do; another page of the same console."""
        async with self.leaving():
            await self.page.evaluate("path => history.pushState({}, '', path)", path)

    async def settled(self) -> None:
        """Until nothing is being loaded or drawn any more."""
        await expect(self.page.locator("main h1:visible")).to_have_count(1)
        await expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        await self._at_rest()

    async def _at_rest(self) -> None:
        """Until the page has drawn itself and has nothing else to do: it listens to keys, and knows how wide it is."""
        await self.page.wait_for_function(IS_AT_REST)

    async def hears(self, words: str) -> None:
        """The page says so, or has said so: a notice goes away by itself, on a busy machine before anybody looks."""
        await self.page.wait_for_function(HEARS, arg=words)

    async def sign_in(self, who: Account, *, at: str = "/sign-in", then: str = "**/console") -> None:
        """Through the form; `then` is where it leads."""
        await self.go(at)
        email, password, button = SIGN_IN[await self.page.evaluate("document.documentElement.lang.slice(0, 2)")]
        await self.page.get_by_label(email).fill(who.email)
        await self.page.get_by_label(password).fill(who.password)
        async with self.leaving():
            await self.button(button).click()
            await self.page.wait_for_url(then)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def place(self, name: str) -> Locator:
        """An entry of the sidebar."""
        side = self.page.get_by_role("complementary", name="Balance and places").get_by_role("navigation")
        return side.get_by_role("link", name=name, exact=True)

    async def visit(self, name: str) -> None:
        """Through the sidebar."""
        async with self.leaving():
            await self.place(name).click()

    @asynccontextmanager
    async def leaving(self) -> AsyncIterator[None]:
        """The block leads to another page; after it that page is there, and not the one before it still."""
        before = await self.page.query_selector("main h1")
        yield
        if before is not None:
            await before.wait_for_element_state("hidden")
        await self.settled()

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    async def has_balance(self, quota: int) -> None:
        """The sidebar shows this balance, or will as soon as it asks again; the exact figure is in its title."""
        shown = self.page.get_by_role("complementary", name="Balance and places").locator("[title$=' quota']").first
        await expect(shown).to_have_attribute("title", re.compile(rf"· {quota:,} quota$"))

    async def looks_right(self, name: str) -> None:
        """No rule of axe is broken in the light or the dark, and nothing sticks out sideways."""
        await self.settled()
        if not await self.page.evaluate("typeof axe === 'object'"):
            await self.page.evaluate(AXE.read_text())
        broken = await self._axe({})
        # Only colours differ in the dark.
        await self.page.emulate_media(color_scheme="dark")
        broken += [f"in the dark: {one}" for one in await self._axe({"runOnly": ["color-contrast"]})]
        await self.page.emulate_media(color_scheme="light")
        assert not broken, f"{name}:\n" + "\n".join(broken)
        await self.stays_within(name)

    async def stays_within(self, name: str) -> None:
        """Nothing makes the page scroll sideways."""
        await self._at_rest()
        widths = await self.page.evaluate(
            "[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]"
        )
        assert widths[0] <= widths[1], f"{name}: {widths[0]} px wide on a screen of {widths[1]}"

    async def keeps_its_text(self, name: str) -> None:
        """Nor does any text leave its box, or is cut off where nobody can read it."""
        await self.settled()
        found = await self.page.evaluate(STICKS_OUT)
        assert not found, f"{name}:\n" + "\n".join(found)

    async def _axe(self, options: dict[str, Any]) -> list[str]:
        found = await self.page.evaluate(BROKEN_RULES, options)
        return list(found)


class Entrance:
    """Lets visitors in, each with a browser profile of their own, and keeps what they saw when something went wrong."""

    def __init__(self, browser: Any, home: str, evidence: Path) -> None:
        self._browser = browser
        self.home = home
        self._evidence = evidence
        self.contexts: list[BrowserContext] = []
        self.visitors: list[Visitor] = []

    async def visitor(self, **profile: Any) -> Visitor:
        """A fresh profile: wide, light and English unless told otherwise."""
        told = {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "reduced_motion": "reduce", **profile}
        context = await self._browser.new_context(**told)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        await context.add_init_script(KEEPS_WHAT_IS_SAID)
        await context.tracing.start()  # what was done; a picture of each step would cost a fifth of the journey
        self.contexts.append(context)
        return await self.tab(context)

    async def tab(self, context: BrowserContext, home: str | None = None) -> Visitor:
        """One more tab of the same profile."""
        visitor = Visitor(await context.new_page(), home or self.home)
        self.visitors.append(visitor)
        return visitor

    async def close(self, *, has_failed: bool) -> list[Path]:
        """End of the visit; where the pictures and the trace of a failed one are."""
        kept: list[Path] = []
        if has_failed:
            self._evidence.mkdir(parents=True, exist_ok=True)
            for number, visitor in enumerate(self.visitors):
                if not visitor.page.is_closed():
                    picture, page = self._evidence / f"tab-{number}.png", self._evidence / f"tab-{number}.html"
                    await visitor.page.screenshot(path=picture)
                    page.write_text(await visitor.page.content())
                    kept += [picture, page]
        for number, context in enumerate(self.contexts):
            trace = self._evidence / f"trace-{number}.zip"
            await context.tracing.stop(path=trace if has_failed else None)
            kept += [trace] if has_failed else []
            await context.close()
        return kept
