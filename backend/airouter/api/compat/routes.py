"""Every compatible address, behind one switch."""

from collections.abc import Callable
from typing import Any

from litestar import Router

from airouter.api.callers import recognise_first
from airouter.api.compat.billing import billing_routes
from airouter.api.compat.envelope import accept_raw_token, answer_in_envelope, only_when_on, said_user
from airouter.api.compat.public import pricing, status, user_self
from airouter.api.compat.tokens import TokenController
from airouter.api.doors.service import Doors


def compat_routes(services: Callable[[], Any], doors: Callable[[], Doors]) -> list[Router]:
    """404 as long as policy `compat` is off. In no document: they are described where they were made up."""
    enveloped = Router(
        path="/",
        route_handlers=[status, pricing, user_self, TokenController],
        guards=[only_when_on(services), recognise_first(lambda: services().bearers), said_user(services)],
        middleware=[accept_raw_token],
        exception_handlers={Exception: answer_in_envelope},
    )
    by_key = Router(
        path="/",
        route_handlers=billing_routes(doors),
        guards=[only_when_on(services)],
        middleware=[accept_raw_token],
    )
    return [enveloped, by_key]
