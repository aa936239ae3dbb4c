"""Every page and what opens on it by one click, filled with the longest that may be written: it stays in its place."""

from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.journeys.hostile import Hostile
from tests.journeys.instance import Instance
from tests.journeys.visitor import PHONE, Entrance, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")

PLACES = {
    "/": [],
    "/pricing": ["main tbody button"],
    "/sign-in": [],
    "/console": [],
    "/console?view=table": [],
    "/console/keys": [".head .btn-primary", "main tbody .act button"],
    "/console/usage": ["main tbody tr"],
    "/console/usage?receipt={call}": [],
    "/console/topup": [],
    "/console/topup/orders/{order}": [],
    "/console/team": [".acts .btn"],
    "/console/audit-log": [],
    "/console/audit-log?act={act}": [],
    "/console/settings": [],
    "/console/settings?section=security": [],
    "/console/settings?section=tokens": [".btn-primary"],
    "/console/settings?section=alerts": [".btn-primary"],
    "/console/settings?section=data": [],
    "/console/admin/channels": ["main tbody .act button"],
    "/console/admin/channels/new": [],
    "/console/admin/channels/{channel}": [],
    "/console/admin/channels/{channel}/costs": [],
    "/console/admin/rate-cards": [".head .btn-primary", "main tbody .act button"],
    "/console/admin/price-imports": [".head .btn-primary"],
    "/console/admin/price-imports/{import}": [],
    "/console/admin/margins": [],
    "/console/admin/margins?by=model": [],
    "/console/admin/margins?by=channel": [],
    "/console/admin/margins?by=account": [],
    "/console/admin/groups": [".head .btn-primary", "main tbody .act button"],
    "/console/admin/accounts": ["main tbody .act button"],
    "/console/admin/users": ["main tbody .act button"],
    "/console/admin/orders": ["main tbody tr"],
    "/console/admin/orders?order={review}": [],
    "/console/admin/payment-methods": [".head .btn-primary", "main tbody .act button"],
    "/console/admin/codes": [".head .btn-primary", "main tbody .act button"],
    "/console/admin/codes?view=redemptions": [],
    "/console/admin/referrals": [],
    "/console/admin/policies": [],
    "/console/admin/policies?topic=display": [],
    "/console/admin/identity-providers": [".head .btn-primary", "main tbody .act button"],
    "/console/admin/mails": ["main tbody tr"],
    "/console/admin/audit-log": [],
    "/console/admin/audit-log?act={act}": [],
}
"""Addresses, and what is pressed there, one after the other."""

DESK = {"width": 1440, "height": 900}
PROFILES = {"in English": PHONE, "in Chinese": {**PHONE, "locale": "zh-CN"}}


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def hostile(instance: Instance) -> Hostile:
    async with instance.api(instance.operator) as api:
        filled = Hostile(instance, api)
        await filled.fill()
        return filled


@pytest.mark.parametrize("language", PROFILES)
async def test_the_longest_content_stays_in_its_place(
    instance: Instance, hostile: Hostile, entrance: Entrance, language: str
):
    visitor = await entrance.visitor(**PROFILES[language])
    await visitor.sign_in(instance.operator)
    for place, pressed in PLACES.items():
        path = place.format(**hostile.ids)
        # Another page takes with it what was opened on the one before; the same one is loaded anew.
        is_another = urlsplit(path).path != urlsplit(visitor.page.url).path
        await (visitor.move(path) if is_another else visitor.go(path))
        await keeps_its_text_in_both_sizes(visitor, f"{place} {language}")
        for number, selector in enumerate(pressed):
            if number:
                await visitor.go(path)
            await visitor.page.locator(f"{selector}:visible").first.click()
            await keeps_its_text_in_both_sizes(visitor, f"{place}, {selector} pressed, {language}")


async def keeps_its_text_in_both_sizes(visitor: Visitor, name: str) -> None:
    """What is open stays open when a window is drawn wide, so that one walk shows both."""
    await visitor.keeps_its_text(f"{name} on a phone")
    await visitor.page.set_viewport_size(DESK)
    await visitor.keeps_its_text(f"{name} on a desk")
    await visitor.page.set_viewport_size(PHONE["viewport"])
