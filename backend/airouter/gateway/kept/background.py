"""Background responses: begun by a request, and paid for when they end, whoever asks and whoever leaves.

Their worst case is reserved in Postgres and not under a lease, because they outlive this process. A job ends where its
end is first heard of: in the answer that begins it, in a client's later question (kept_things.py), or when the
recurring work asks the provider (`ask`). `BackgroundJobs.end` lets one of them through.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import msgspec

from airouter.domain.background import LOST_AFTER, TOO_LONG, Ended, Loss
from airouter.domain.catalogue import Catalogue, Channel
from airouter.domain.errors import DatabaseUnavailable, DomainError, UpstreamFailed
from airouter.domain.ids import RequestId
from airouter.domain.rate_card import Meter
from airouter.domain.stored_errors import ChannelGone
from airouter.domain.stored_id import StoredId
from airouter.domain.usage import UsageSource, UsageStatus
from airouter.gateway.call import Call, Pin
from airouter.gateway.exchange import Exchange, Headers
from airouter.gateway.kept.pins import Pins, names_minted, place
from airouter.gateway.relay import ANSWER_BYTES_MAX, Leg, Relay
from airouter.gateway.routing.failures import domain_error
from airouter.gateway.routing.route import Routes
from airouter.gateway.settle import provider_cost
from airouter.providers import openai_responses
from airouter.providers.contract import Call as ProviderCall
from airouter.providers.contract import Kept
from airouter.services.background_jobs import BackgroundJobs
from airouter.storage.background_jobs import JobRow, NewJob, Place
from airouter.translation.support import NotTranslatable
from airouter.upstream.contract import UpstreamError
from airouter.wire.requests import estimated_input_tokens
from airouter.wire.responses import Request

log = logging.getLogger("airouter.gateway")

Head = Callable[[Call, Leg], Headers]
"""Makes the head of an answer."""
_NOT_FOUND: Final = 404
_NAMELESS: Final = "The provider did not say what it calls the response."


class Background:
    """Begins background responses, and hears how they end."""

    def __init__(
        self,
        *,
        jobs: BackgroundJobs,
        relay: Relay,
        pins: Pins,
        catalogue: Callable[[], Catalogue],
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._relay = relay
        self._pins = pins
        self._catalogue = catalogue
        self._now = now

    async def answer(self, call: Call, body: bytes, exchange: Exchange, routes: Routes, head: Head) -> None:
        """Reserves, begins, and answers with what the provider says at once, be it a stream.

        A client that leaves before the provider has given the job a name is not waited for, but the job is begun.

        Raises:
            DomainError: it was not begun, and costs nothing; or the stream of a job that goes on was cut.
        """
        self._check_kept(call, routes)
        policies = routes.catalogue.policies
        await self._jobs.reserve(_new_job(call), policies.limits.overrun_max)
        try:
            leg = await self._begun(call, body, exchange, routes)
            if leg.is_stream:
                await self._stream(call, leg, exchange, head(call, leg))
            else:
                await self._whole(call, leg, exchange, head(call, leg))
        finally:
            call.channel_slot.leave_counted()

    async def _begun(self, call: Call, body: bytes, exchange: Exchange, routes: Routes) -> Leg:
        try:
            return await self._relay.open(call, body, exchange.dialect_headers, routes)
        except DomainError as error:
            call.channel_slot.leave()
            await self._jobs.end(call.request_id, _failed(error.code))
            raise

    def _check_kept(self, call: Call, routes: Routes) -> None:
        """Raises NotTranslatable: no provider of the model does such a thing."""
        tiers = routes.tiers(call.terms.group.name, call.terms.model.model)
        if not any(self._relay.speaks(channel, call.door.endpoint) for tier in tiers for channel in tier):
            raise NotTranslatable("No provider of this model answers in the background.", field="background")

    async def _whole(self, call: Call, leg: Leg, exchange: Exchange, headers: Headers) -> None:
        answered = leg.answered
        assert answered is not None, "it was read whole"
        if answered.kept is None:
            await self._jobs.end(call.request_id, _failed("upstream_failed"))
            raise UpstreamFailed(_NAMELESS)
        await self._place(call, answered.kept)
        await self.heard(call.request_id, answered.kept, _new_job(call), leg.channel)
        exchange.send(leg.answer.status, headers, answered.body)

    async def _stream(self, call: Call, leg: Leg, exchange: Exchange, headers: Headers) -> None:
        """Nothing leaves before the job has its name, nor the end before it is charged."""
        reader, out, answer = leg.reader, leg.data, leg.answer
        assert reader is not None, "it is a stream"
        is_placed = has_ended = False
        early = b""
        job = _new_job(call)
        try:
            while True:
                out = early + out
                if not is_placed and (kept := reader.kept) is not None:
                    await self._place(call, kept)
                    is_placed = True
                    self._stop_reading_when_gone(exchange)
                if (reader.saw_done or reader.has_error) and is_placed and not has_ended:
                    kept = reader.kept
                    has_ended = kept is not None and await self.heard(call.request_id, kept, job, leg.channel)
                early = b"" if is_placed else out
                if is_placed and exchange.has_begun:
                    exchange.write(out)
                elif is_placed and out:
                    exchange.begin(answer.status, headers, out)
                if exchange.is_slow:
                    await exchange.drain()
                data = b"" if leg.has_ended else await answer.chunk()
                if not data:
                    break
                out = reader.feed(data)
            if not is_placed:
                await self._jobs.end(call.request_id, _failed("upstream_failed"))
                raise UpstreamFailed(_NAMELESS)
            if not leg.has_ended:
                exchange.write(reader.finish())
        except UpstreamError as error:
            if not is_placed:
                await self._jobs.end(call.request_id, _failed(error.code))
            elif exchange.has_begun:
                exchange.write(reader.close_event())
            raise domain_error(error) from error
        except asyncio.CancelledError:  # the job goes on without this client, and is asked about
            if not exchange.is_gone:
                raise
        finally:
            answer.close()
        exchange.end()

    def _stop_reading_when_gone(self, exchange: Exchange) -> None:
        task = asyncio.current_task()
        if task is not None:
            exchange.when_gone(lambda: _leave(task))

    async def _place(self, call: Call, kept: Kept) -> None:
        """From now on every node finds it, and the recurring work knows whom to ask."""
        channel, terms = call.channel, call.terms
        assert channel is not None, "it answered"
        credential_id = None if call.credential is None else call.credential.credential_id
        upstream_model = channel.models.get(terms.model.model)
        names = [
            StoredId(
                account_id=call.caller.account_id,
                name=minted.name,
                kind=minted.kind,
                key_id=call.caller.key_id,
                channel_id=channel.channel_id,
                credential_id=credential_id,
                model=terms.model.model,
                upstream_model=upstream_model,
                request_id=call.request_id,
                expires_at=minted.expires_at,
            )
            for minted in names_minted(call, kept, self._catalogue().policies.limits.stored_days)
        ]
        where = Place(
            response_id=kept.name,
            channel_id=channel.channel_id,
            credential_id=credential_id,
            upstream_model=upstream_model,
        )
        await self._jobs.place(call.request_id, where, names)
        self._pins.remember(names)

    async def heard(self, job_id: RequestId, kept: Kept, job: NewJob | JobRow, channel: Channel) -> bool:
        """What the provider said of a job: ends it if it has ended. Whether it has."""
        ended = self._ended(kept, job, channel)
        if ended is None:
            return False
        try:
            await self._jobs.end(job_id, ended)
        except DatabaseUnavailable:  # the reserve stands, and the recurring work will hear the same
            log.warning("background.end_later job=%s", job_id)
            return False
        return True

    def _ended(self, kept: Kept, job: NewJob | JobRow, channel: Channel) -> Ended | None:
        may_estimate = self._catalogue().policies.limits.estimates == "charge"
        ended = ended_by(kept, job.estimated_input_tokens, may_estimate=may_estimate)
        if ended is None or not ended.quantities:
            return ended
        cost = provider_cost(channel, job.model, ended.quantities, ended.service_tier, job.endpoint)
        return msgspec.structs.replace(ended, provider_cost=cost)

    async def ask(self, job: JobRow) -> Ended | None:
        """Asks the provider about a job that nobody else asked about; None: it goes on, or nothing can be said now.

        One that goes on beyond policy `limits.background_hours_max` is stopped.
        """
        age = self._now() - job.created_at
        if job.response_id is None:
            return _lost(age, LOST_AFTER, "never_begun")
        catalogue = self._catalogue()
        oldest = timedelta(hours=catalogue.policies.limits.background_hours_max)
        patience = oldest + LOST_AFTER
        try:
            pin = place(_stored(job, job.response_id), catalogue)
        except ChannelGone:
            return _lost(age, patience, "channel_gone")
        status, kept = await self._heard_about(pin, job, catalogue, "GET")
        if status == _NOT_FOUND:
            return _lost(age, LOST_AFTER, "unknown_to_provider")
        if kept is None:
            return _lost(age, patience, "provider_silent")
        if kept.status == "running" and age > oldest:
            return await self._stopped(pin, job, catalogue, kept, is_last=age > patience)
        return self._ended(kept, job, pin.channel)

    async def _stopped(self, pin: Pin, job: JobRow, catalogue: Catalogue, kept: Kept, *, is_last: bool) -> Ended | None:
        """Cancels a job, which ends it as if its client had. Where the provider does not do it in time, what it said
        last decides.
        """
        _, answered = await self._heard_about(pin, job, catalogue, "POST", "/cancel")
        stopped = answered or kept
        if stopped.status == "running" and is_last:
            log.warning("background.not_stopped job=%s", job.job_id)
            stopped = msgspec.structs.replace(stopped, status="cancelled")
        ended = self._ended(stopped, job, pin.channel)
        is_ours = ended is not None and ended.status == "cancelled"
        return msgspec.structs.replace(ended, error=TOO_LONG) if ended is not None and is_ours else ended

    async def _heard_about(
        self, pin: Pin, job: JobRow, catalogue: Catalogue, method: str, beyond: str = ""
    ) -> tuple[int, Kept | None]:
        """The status of what the provider says about a job (0: nothing), and what it says if that is proper."""
        path = "/responses/" + quote(job.response_id or "", safe="") + beyond
        call = call_about(pin, job.model)
        try:
            answer = await self._relay.ask(
                pin.channel, call, lambda out: openai_responses.about(out, method, path), catalogue
            )
            try:
                body = await answer.read(ANSWER_BYTES_MAX)
            finally:
                answer.close()
        except UpstreamError:
            return 0, None
        is_proper = 200 <= answer.status < 300
        return answer.status, self._relay.provider_of(pin.channel).answer(call, body).kept if is_proper else None


def call_about(pin: Pin, model: str | None, *, is_streaming: bool = False) -> ProviderCall:
    """The provider's view of a request about what it keeps."""
    name = model or ""
    return ProviderCall(
        endpoint="responses",
        request=Request(model=name, stream=is_streaming),
        body=msgspec.json.encode({"model": name}),
        upstream_model=name,
        options=pin.channel.options,
        base_url=pin.channel.base_url,
        credential="" if pin.credential is None else pin.credential.secret,
        public_model=name,
    )


def ended_by(kept: Kept, estimated_input_tokens: int, *, may_estimate: bool) -> Ended | None:
    """What a response that has ended used; None: it has not ended.

    As meter.py has it: figures are charged whatever the end was; without figures, what was written to its end or
    cancelled is estimated, and what failed is free.
    """
    if kept.status == "running":
        return None
    reported = kept.reported
    if reported is not None and reported.quantities is not None:
        status: UsageStatus = "partial" if kept.status == "failed" else kept.status
        source: UsageSource = "provider" if kept.status == "ok" else "provider_partial"
        return Ended(
            status=status,
            source=source,
            quantities=reported.quantities,
            service_tier=reported.service_tier,
            error=reported.problem,
        )
    problem = None if reported is None else reported.problem
    if kept.status == "failed" or (kept.status == "ok" and not may_estimate):
        counted: dict[Meter, int] = {} if kept.status == "failed" else {"request": 1}
        return Ended(status=kept.status, source="none", quantities=counted, error=problem)
    guess: dict[Meter, int] = {"input": estimated_input_tokens, "output": kept.written_tokens, "request": 1}
    return Ended(status=kept.status, source="estimated", quantities=guess, error=problem)


def _new_job(call: Call) -> NewJob:
    terms, caller = call.terms, call.caller
    return NewJob(
        job_id=call.request_id,
        account_id=caller.account_id,
        wallet_id=caller.wallet_id,
        key_id=caller.key_id,
        key_is_limited=caller.is_limited,
        reserved=terms.worst_case,
        model=terms.model.model,
        endpoint=call.door.billed,
        rate_card_id=terms.card.rate_card_id,
        multiplier_micros=terms.multiplier_micros,
        group_name=terms.group.name,
        estimated_input_tokens=estimated_input_tokens(call.door.endpoint, call.request),
        is_streaming=call.request.is_streaming,
        client_request_id=call.client_request_id,
    )


def _stored(job: JobRow, response_id: str) -> StoredId:
    assert job.channel_id is not None, "a job with a name has a place"
    return StoredId(
        account_id=job.account_id,
        name=response_id,
        kind="response",
        key_id=job.key_id,
        channel_id=job.channel_id,
        credential_id=job.credential_id,
        model=job.model,
        upstream_model=job.upstream_model,
        request_id=job.job_id,
        expires_at=datetime.max.replace(tzinfo=UTC),
    )


def _failed(code: str) -> Ended:
    return Ended(status="failed", source="none", quantities={}, error=code)


def _lost(age: timedelta, patience: timedelta, loss: Loss) -> Ended | None:
    return Ended(status="failed", source="none", quantities={}, loss=loss) if age > patience else None


def _leave(task: asyncio.Task[Any]) -> None:
    task.cancel()
