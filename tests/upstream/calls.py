"""What most tests here send."""

from airouter.upstream.contract import Origin, Timeouts, UpstreamClient, UpstreamRequest
from tests.upstream.server import Upstream

PATIENT = Timeouts(connect_seconds=60, first_byte_seconds=60, idle_seconds=60)
"""Long enough that only a bug runs into it."""


def request_to(upstream: Upstream | int, **fields: object) -> UpstreamRequest:
    port = upstream if isinstance(upstream, int) else upstream.port
    scheme = fields.pop("scheme", "http")
    host = fields.pop("host", "provider.test")
    given = {"method": "POST", "path": "/v1/chat/completions", "body": b"{}", **fields}
    return UpstreamRequest(origin=Origin(str(scheme), str(host), port), **given)  # type: ignore[arg-type]


async def fetch(client: UpstreamClient, request: UpstreamRequest, timeouts: Timeouts = PATIENT) -> bytes:
    """The whole body; the answer is closed."""
    answer = await client.send(request, timeouts)
    try:
        return await answer.read(10_000_000)
    finally:
        answer.close()
