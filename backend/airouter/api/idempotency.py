"""`Idempotency-Key` on every POST of somebody who is signed in.

A layer around the handler, which therefore knows nothing of it but the id that what it makes should get:

    async def create(self, new_id: NamedDependency[NewId], …)

Secrets in an answer are named by the route (`opt={"secret_fields": ("key",)}`) and blanked before it is kept.
"""

import logging
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request
from litestar.di import Provide
from litestar.middleware import ASGIMiddleware

from airouter.api.callers import account_asked_for, authorise, bearer_of, holder_of, permission_of, person_of
from airouter.api.requests import JsonRequest
from airouter.domain.errors import DatabaseUnavailable
from airouter.services.idempotency import Replay, Run
from airouter.world import new_id

logger = logging.getLogger(__name__)

_SCOPE_KEY: Final = "airouter.claim"
_PATHS: Final = "/api/v1/"


class NewId(msgspec.Struct, frozen=True, kw_only=True):
    """The id for what this request makes. `is_claimed`: there is an idempotency key, so a repetition has it too."""

    value: UUID
    is_claimed: bool


def _new_id(request: Request[Any, Any, Any]) -> NewId:
    run: Run | None = request.scope.get(_SCOPE_KEY)  # type: ignore[assignment]
    return NewId(value=run.claim.claim_id if run else new_id(), is_claimed=run is not None)


PROVIDERS: Final[dict[str, Any]] = {"new_id": Provide(_new_id, sync_to_thread=False)}


class IdempotencyLayer(ASGIMiddleware):
    """Runs the handler once for each key, and replays its answer."""

    async def handle(self, scope: Any, receive: Any, send: Any, next_app: Any) -> None:
        """Strangers' requests pass as they are: there is no account to keep their keys apart by."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(_PATHS):
            await next_app(scope, receive, send)
            return
        request = JsonRequest(scope=scope, receive=receive, send=send)
        key = request.headers.get("idempotency-key")
        if key is None or bearer_of(request) is None:
            await next_app(scope, receive, send)
            return
        services = scope["litestar_app"].state.services()
        body = await request.body()
        run = await services.idempotency.begin(await _scope_of(request, services), key, body, new_id())
        if isinstance(run, Replay):
            await _replay(run, send)
            return
        scope[_SCOPE_KEY] = run
        await _run(services.idempotency, run, scope, body=body, send=send, next_app=next_app)


async def _scope_of(request: Any, services: Any) -> str:
    """Who asks for what. Refused here as the handler would have refused it."""
    permission = permission_of(request.route_handler)
    if permission is None:
        person = await person_of(request, services.bearers)
    else:
        person = await authorise(request, services.bearers, permission)
    is_for_house = permission is not None and permission.kind == "instance"
    holder = holder_of(person, None if is_for_house else account_asked_for(request))
    # What is only one's own (a token, a member's key) is not replayed to somebody else of the same account.
    is_shared = permission is not None and permission.kind == "account" and holder.only_user_id is None
    whose = f"{holder.account_id}" if is_shared else f"{holder.account_id}/{holder.user_id}"
    return f"{whose} {request.scope['method']} {request.scope['path']}"


async def _run(idempotency: Any, run: Run, scope: Any, *, body: bytes, send: Any, next_app: Any) -> None:
    started: dict[str, Any] = {}
    parts: list[bytes] = []
    is_kept = False

    async def receive_again() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send_and_keep(message: Any) -> None:
        nonlocal is_kept
        if message["type"] == "http.response.start":
            started.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            is_kept = await _keep(idempotency, run, started, b"".join(parts), scope["route_handler"].opt)
            await send(started)
            await send({"type": "http.response.body", "body": b"".join(parts), "more_body": False})

    try:
        await next_app(scope, receive_again, send_and_keep)
    finally:
        if not is_kept:
            try:
                await idempotency.let_go(run)
            except DatabaseUnavailable:  # it is taken over when it has grown stale
                logger.warning("idempotency.not_let_go")


async def _keep(idempotency: Any, run: Run, started: dict[str, Any], body: bytes, opt: dict[str, Any]) -> bool:
    """Kept before it is sent: an answer that the client has is one that it gets again. False: nothing to keep."""
    headers = {name.lower(): value for name, value in started.get("headers", ())}
    # Nothing was done, or not now; after a fresh proof of who one is, the same request is sent again.
    if started["status"] >= 500 or started["status"] in {401, 403} or b"retry-after" in headers:
        return False
    try:
        await idempotency.keep(
            run,
            started["status"],
            _without_secrets(body, opt.get("secret_fields", ())),
            headers.get(b"content-type", b"").decode("latin-1"),
        )
    except DatabaseUnavailable:  # done, but not remembered: the claim grows stale, and its id protects what was made
        logger.warning("idempotency.not_kept")
    return True


def _without_secrets(body: bytes, fields: tuple[str, ...]) -> bytes:
    if not fields or not body:
        return body
    answer = msgspec.json.decode(body)
    return msgspec.json.encode({**answer, **{field: None for field in fields if field in answer}})


async def _replay(replay: Replay, send: Any) -> None:
    headers = [(b"idempotency-replayed", b"true"), (b"content-length", b"%d" % len(replay.body))]
    if replay.media_type:
        headers.append((b"content-type", replay.media_type.encode("latin-1")))
    await send({"type": "http.response.start", "status": replay.status, "headers": headers})
    await send({"type": "http.response.body", "body": replay.body})
