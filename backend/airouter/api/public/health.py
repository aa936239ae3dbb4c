"""Operations: is the process alive, and may it take traffic."""

from typing import Any

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from airouter.api.callers import Visitor
from airouter.services.readiness import Readiness


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`reasons` says what stands against traffic, by part of the process."""

    status: str
    reasons: dict[str, str]


@get("/healthz", operation_id="getHealth", summary="Whether the process is alive", sync_to_thread=False)
def healthz(visitor: NamedDependency[Visitor]) -> Health:
    """Alive, whatever else is away: a restart would not help."""
    del visitor
    return Health(status="ok", reasons={})


@get(
    "/readyz",
    operation_id="getReadiness",
    summary="Whether the process may take traffic, and if not, why",
    responses={503: ResponseSpec(data_container=Health, description="Not ready", generate_examples=False)},
)
async def readyz(visitor: NamedDependency[Visitor], readiness: NamedDependency[Readiness]) -> Response[Health]:
    """503 with the reasons keeps a load balancer away."""
    del visitor
    reasons = await readiness.reasons()
    status = "not ready" if reasons else "ready"
    return Response(Health(status=status, reasons=reasons), status_code=503 if reasons else 200)


ROUTER: Any = Router(path="/", route_handlers=[healthz, readyz], tags=["Operations"])
