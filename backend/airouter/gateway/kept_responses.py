"""Requests about responses that a provider keeps: read, cancel, delete, list what went in.

They are free, and answered only to the account that the response belongs to. Each goes to the channel and credential
where the response lives, and nowhere else.
"""

import asyncio
from typing import Final, Literal
from urllib.parse import parse_qs, quote

import msgspec

from airouter.domain.errors import DomainError, UpstreamRefusedRequest
from airouter.domain.ids import RequestId
from airouter.domain.key import Caller
from airouter.domain.stored_errors import ResponseInProgress
from airouter.gateway.background import Background, call_about
from airouter.gateway.exchange import Exchange, Headers
from airouter.gateway.failures import domain_error, refusal_error
from airouter.gateway.pins import Pins, StoredPlace
from airouter.gateway.relay import ANSWER_BYTES_MAX, REFUSAL_BYTES_MAX, Relay
from airouter.gateway.retry_after import retry_after_seconds
from airouter.gateway.route import Routes
from airouter.providers import openai_responses
from airouter.providers.contract import Kept, StreamReader
from airouter.services.background_jobs import BackgroundJobs
from airouter.services.stored_ids import StoredIds
from airouter.storage.background_jobs import JobRow
from airouter.upstream.contract import UpstreamAnswer, UpstreamError
from airouter.wire.http import NO_BUFFERING, NO_STORE, forwarded, is_event_stream
from airouter.world import now as wall_clock

_RETRY_SECONDS_MAX: Final = 600
_ABOUT_REQUESTS: Final = frozenset({400, 404, 409, 422})


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a stored response. `query` is the client's, as it came."""

    method: Literal["GET", "POST", "DELETE"]
    name: str
    beyond: Literal["", "/cancel", "/input_items"] = ""
    query: str = ""

    @property
    def wants_stream(self) -> bool:
        """The client asks for the events of the response, from the beginning or after the one it names."""
        return self.method == "GET" and parse_qs(self.query).get("stream", [""])[-1].lower() in {"true", "1"}


class Errand:
    """One such request under way. `headers` belong to every answer."""

    __slots__ = ("about", "exchange", "headers")

    def __init__(self, exchange: Exchange, about: About, request_id: RequestId, headers: Headers) -> None:
        self.exchange = exchange
        self.about = about
        self.headers: Headers = ((b"x-request-id", str(request_id).encode()), NO_STORE, *headers)


class KeptResponses:
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
        found = await self._pins.place_of(caller.account_id, about.name, "response", routes.catalogue)
        job = None
        if about.beyond != "/input_items":
            job = await self._jobs.open_job(caller.account_id, about.name)
        if about.method == "DELETE" and job is not None:
            raise ResponseInProgress
        task = asyncio.current_task()
        if task is not None:
            exchange.when_gone(task.cancel)
        try:
            await self._forward(errand, found, job, routes)
        except UpstreamError as error:
            raise domain_error(error) from error
        except asyncio.CancelledError:
            if not exchange.is_gone:
                raise

    async def _forward(self, errand: Errand, found: StoredPlace, job: JobRow | None, routes: Routes) -> None:
        about, channel = errand.about, found.pin.channel
        call = call_about(found.pin, found.stored.model, is_streaming=about.wants_stream)
        beyond = "/" + quote(about.name, safe="") + about.beyond
        answer = await self._relay.ask(
            channel,
            call,
            lambda out: openai_responses.about(out, method=about.method, beyond=beyond, query=about.query),
            routes.catalogue,
        )
        try:
            if not 200 <= answer.status < 300:
                raise await self._refusal(answer, found)
            if about.wants_stream and is_event_stream(answer.headers):
                reader = self._relay.provider_of(channel).stream(call)
                await self._stream(errand, answer, reader, found, job)
                return
            body = await answer.read(ANSWER_BYTES_MAX)
        finally:
            answer.close()
        if about.method == "DELETE":
            self._pins.forget(found.stored.account_id, about.name)
            await self._stored_ids.forget(found.stored.account_id, about.name)
        elif about.beyond != "/input_items":
            answered = self._relay.provider_of(channel).answer(call, body)
            body = answered.body
            await self._heard(job, answered.kept, found)
        errand.exchange.send(answer.status, (*forwarded(answer.headers), *errand.headers), body)

    async def _stream(
        self, errand: Errand, answer: UpstreamAnswer, reader: StreamReader, found: StoredPlace, job: JobRow | None
    ) -> None:
        """The events, as they come; the last of them after the charge."""
        exchange = errand.exchange
        try:
            while data := await answer.chunk():
                out = reader.feed(data)
                if job is not None and (reader.saw_done or reader.has_error):
                    await self._heard(job, reader.kept, found)
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

    async def _heard(self, job: JobRow | None, kept: Kept | None, found: StoredPlace) -> None:
        if job is not None and kept is not None and kept.name == found.stored.name:
            await self._background.heard(job.job_id, kept, job, found.pin.channel)

    async def _refusal(self, answer: UpstreamAnswer, found: StoredPlace) -> DomainError:
        """What the provider finds wrong with the request is the client's to read; what is wrong with us is not."""
        body = await answer.read(REFUSAL_BYTES_MAX)
        verdict = self._relay.provider_of(found.pin.channel).refusal(answer.status, body)
        if verdict == "request" or answer.status in _ABOUT_REQUESTS:
            return UpstreamRefusedRequest(status=answer.status, body=body, is_same_dialect=True)
        wait = retry_after_seconds(answer.headers, wall_clock(), _RETRY_SECONDS_MAX)
        return refusal_error(verdict, answer.status, wait)
