"""Requests about what a provider keeps: responses (read, cancel, delete, list what went in) and conversations.

They are free, and answered only to the account that the thing belongs to. Each goes to the channel and credential where
the thing lives, and nowhere else. A conversation is begun at the first channel of the caller's group whose provider
keeps conversations: by priority, then by name, so that all of a group's begin at the same place.
"""

import asyncio
from datetime import timedelta
from typing import Any, Final, Literal
from urllib.parse import parse_qs, quote

import msgspec

from airouter.domain.errors import DomainError, NotOffered, UpstreamFailed, UpstreamRefusedRequest
from airouter.domain.ids import RequestId
from airouter.domain.key import Caller
from airouter.domain.stored_errors import ResponseInProgress
from airouter.domain.stored_id import StoredId, StoredKind
from airouter.gateway.admit import usable_group
from airouter.gateway.call import Pin
from airouter.gateway.exchange import Exchange, Headers
from airouter.gateway.kept.background import Background, call_about
from airouter.gateway.kept.pins import Pins, place
from airouter.gateway.relay import ANSWER_BYTES_MAX, REFUSAL_BYTES_MAX, Relay
from airouter.gateway.routing.failures import domain_error, refusal_error
from airouter.gateway.routing.retry_after import retry_after_seconds
from airouter.gateway.routing.route import Routes
from airouter.providers import openai_responses
from airouter.providers.contract import Kept, Provider, StreamReader
from airouter.services.background_jobs import BackgroundJobs
from airouter.services.stored_ids import StoredIds
from airouter.storage.background_jobs import JobRow
from airouter.upstream.contract import UpstreamAnswer, UpstreamError
from airouter.wire.conversations import conversation_name
from airouter.wire.http import NO_BUFFERING, NO_STORE, forwarded, is_event_stream
from airouter.world import now as wall_clock

_RETRY_SECONDS_MAX: Final = 600
_ABOUT_REQUESTS: Final = frozenset({400, 404, 409, 422})


Root = Literal["/responses", "/conversations"]
_KINDS: Final[dict[Root, StoredKind]] = {"/responses": "response", "/conversations": "conversation"}
_KEEPERS: Final = frozenset({"openai", "azure-openai"})
"""Providers that keep conversations."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a thing of this name; None: one is to be made. `beyond` follows its name in the address, and
    `query` is the client's, as it came.
    """

    method: Literal["GET", "POST", "DELETE"]
    root: Root
    name: str | None
    beyond: str = ""
    query: str = ""

    @property
    def path(self) -> str:
        """Below the root."""
        return "" if self.name is None else "/" + quote(self.name, safe="") + self.beyond

    @property
    def may_tell_an_end(self) -> bool:
        """The answer is a response, or its events."""
        return self.root == "/responses" and self.beyond in {"", "/cancel"}

    @property
    def wants_stream(self) -> bool:
        """The client asks for the events of the response, from the beginning or after the one it names."""
        return self.method == "GET" and parse_qs(self.query).get("stream", [""])[-1].lower() in {"true", "1"}


class Errand:
    """One such request under way. `headers` belong to every answer."""

    __slots__ = ("about", "exchange", "headers", "request_id")

    def __init__(self, exchange: Exchange, about: About, request_id: RequestId, headers: Headers) -> None:
        self.exchange = exchange
        self.about = about
        self.request_id = request_id
        self.headers: Headers = ((b"x-request-id", str(request_id).encode()), NO_STORE, *headers)


class KeptThings:
    """Answers such requests."""

    def __init__(
        self, *, relay: Relay, pins: Pins, background: Background, jobs: BackgroundJobs, stored_ids: StoredIds
    ) -> None:
        self._relay = relay
        self._pins = pins
        self._background = background
        self._jobs = jobs
        self._stored_ids = stored_ids

    async def answer(self, errand: Errand, caller: Caller, routes: Routes) -> None:
        """One request, to its end. Where the answer tells that a background response has ended, it is charged first.

        Raises:
            DomainError: it was refused or failed.
        """
        about, exchange = errand.about, errand.exchange
        if about.name is None:
            found = None
            pin = _beginning(caller, routes)
        else:
            found = await self._pins.one(caller.account_id, about.name, _KINDS[about.root])
            pin = place(found, routes.catalogue)
        job = None
        if found is not None and about.may_tell_an_end:
            job = await self._jobs.open_job(caller.account_id, found.name)
        if about.method == "DELETE" and job is not None:
            raise ResponseInProgress
        task = asyncio.current_task()
        if task is not None and about.method == "GET":  # the others are seen through
            exchange.when_gone(lambda: _leave(task))
        try:
            await self._forward(errand, caller, pin, found, job, routes)
        except UpstreamError as error:
            raise domain_error(error) from error
        except asyncio.CancelledError:
            if not exchange.is_gone:
                raise

    async def _forward(  # noqa: PLR0917
        self, errand: Errand, caller: Caller, pin: Pin, found: StoredId | None, job: JobRow | None, routes: Routes
    ) -> None:
        about = errand.about
        call = call_about(pin, found and found.model, is_streaming=about.wants_stream)
        body = errand.exchange.body if about.method == "POST" else b""
        answer = await self._relay.ask(
            pin.channel,
            call,
            lambda out: openai_responses.about(
                out, about.method, about.root + about.path, query=about.query, body=body
            ),
            routes.catalogue,
        )
        provider = self._relay.provider_of(pin.channel)
        try:
            if not 200 <= answer.status < 300:
                raise await _refusal(answer, provider)
            if about.wants_stream and is_event_stream(answer.headers):
                await self._stream(errand, answer, provider.stream(call), job, pin)
                return
            body = await answer.read(ANSWER_BYTES_MAX)
        finally:
            answer.close()
        if found is None:
            await self._keep(caller, pin, errand, body, routes)
        elif about.method == "DELETE" and not about.beyond:
            self._pins.forget(found.account_id, found.name)
            await self._stored_ids.forget(found.account_id, found.name)
        elif about.may_tell_an_end:
            answered = provider.answer(call, body)
            body = answered.body
            await self._heard(job, answered.kept, pin)
        errand.exchange.send(answer.status, (*forwarded(answer.headers), *errand.headers), body)

    async def _keep(self, caller: Caller, pin: Pin, errand: Errand, body: bytes, routes: Routes) -> None:
        """What was begun is found by its account from now on."""
        name = conversation_name(body)
        if name is None:
            raise UpstreamFailed("The provider did not say what it calls the conversation.")
        stored = StoredId(
            account_id=caller.account_id,
            name=name,
            kind="conversation",
            key_id=caller.key_id,
            channel_id=pin.channel.channel_id,
            credential_id=pin.credential and pin.credential.credential_id,
            model=None,
            upstream_model=None,
            request_id=errand.request_id,
            expires_at=wall_clock() + timedelta(days=routes.catalogue.policies.limits.conversation_days),
        )
        await self._stored_ids.keep([stored])
        self._pins.remember((stored,))

    async def _stream(
        self, errand: Errand, answer: UpstreamAnswer, reader: StreamReader, job: JobRow | None, pin: Pin
    ) -> None:
        """The events, as they come; the last of them after the charge."""
        exchange = errand.exchange
        try:
            while data := await answer.chunk():
                out = reader.feed(data)
                if job is not None and (reader.saw_done or reader.has_error):
                    await self._heard(job, reader.kept, pin)
                    job = None
                if exchange.has_begun:
                    exchange.write(out)
                else:
                    exchange.begin(answer.status, (*forwarded(answer.headers), *errand.headers, NO_BUFFERING), out)
                if exchange.is_slow:
                    await exchange.drain()
            exchange.write(reader.finish())
        except UpstreamError:
            exchange.write(reader.close_event())
            raise
        exchange.end()

    async def _heard(self, job: JobRow | None, kept: Kept | None, pin: Pin) -> None:
        if job is not None and kept is not None and kept.name == job.response_id:
            await self._background.heard(job.job_id, kept, job, pin.channel)


def _beginning(caller: Caller, routes: Routes) -> Pin:
    """Where the conversations of the caller's group begin.

    Raises:
        GroupNotAllowed
        NotOffered: no channel of the group keeps conversations.
    """
    catalogue = routes.catalogue
    group = usable_group(catalogue, caller)
    groups = {group.name, *group.members}
    able = [
        channel
        for channel in catalogue.channels
        if channel.is_enabled and channel.provider in _KEEPERS and groups.intersection(channel.groups)
    ]
    if not able:
        raise NotOffered("No provider here keeps conversations: send the whole conversation with each request.")
    channel = min(able, key=lambda one: (-one.priority, one.name))
    return Pin(channel, channel.credentials[0] if channel.credentials else None)


async def _refusal(answer: UpstreamAnswer, provider: Provider) -> DomainError:
    """What the provider finds wrong with the request is the client's to read; what is wrong with us is not."""
    body = await answer.read(REFUSAL_BYTES_MAX)
    verdict = provider.refusal(answer.status, body)
    if verdict == "request" or answer.status in _ABOUT_REQUESTS:
        return UpstreamRefusedRequest(status=answer.status, body=body, is_same_dialect=True)
    return refusal_error(verdict, answer.status, retry_after_seconds(answer.headers, wall_clock(), _RETRY_SECONDS_MAX))


def _leave(task: asyncio.Task[Any]) -> None:
    task.cancel()
