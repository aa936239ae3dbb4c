"""Where payment processors tell what became of an order. Public: the signature says who speaks."""

from typing import Any, Final, Literal

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from airouter.api.arrivals import arrival_of
from airouter.api.callers import AnyRequest, Visitor
from airouter.api.documents import refusals
from airouter.payments.contract import Delivery
from airouter.services.audit_log import Actor
from airouter.services.webhooks import Webhooks
from airouter.world import now

NOTICE_BYTES_MAX: Final = 256 * 1024
"""No processor sends as much."""
_TAGS: Final = ["Webhooks"]
_SUMMARY: Final = "A payment processor's notice"


@get(
    "/webhooks/{method_id:str}",
    operation_id="takeNoticeByGet",
    summary=_SUMMARY,
    tags=_TAGS,
    responses=refusals(403, 404, 422),
)
async def by_get(
    method_id: FromPath[str],
    request: AnyRequest,
    visitor: NamedDependency[Visitor],
    webhooks: NamedDependency[Webhooks],
) -> Response[bytes]:
    """Some processors notify with the query of a GET."""
    return await _take("GET", method_id, request, visitor, webhooks=webhooks)


@post(
    "/webhooks/{method_id:str}",
    operation_id="takeNotice",
    summary=_SUMMARY,
    tags=_TAGS,
    status_code=200,
    responses=refusals(403, 404, 422),
    request_max_body_size=NOTICE_BYTES_MAX,
)
async def by_post(
    method_id: FromPath[str],
    request: AnyRequest,
    visitor: NamedDependency[Visitor],
    webhooks: NamedDependency[Webhooks],
) -> Response[bytes]:
    """Answered 2xx only when what it says is done; anything else has to be sent again."""
    return await _take("POST", method_id, request, visitor, webhooks=webhooks)


async def _take(
    method: Literal["GET", "POST"], method_id: str, request: AnyRequest, visitor: Visitor, *, webhooks: Webhooks
) -> Response[bytes]:
    delivery = Delivery(
        method=method,
        query=request.scope["query_string"].decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body() if method == "POST" else b"",
        received_at=now(),
    )
    actor = Actor(address=visitor.address, request_id=arrival_of(request.scope).request_id)
    taken = await webhooks.receive(method_id, delivery, actor)
    return Response(content=taken.body, media_type=taken.media_type, status_code=200)


PAYMENT_WEBHOOKS: Final[tuple[Any, ...]] = (by_get, by_post)
