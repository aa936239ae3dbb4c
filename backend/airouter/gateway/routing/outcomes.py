"""What an attempt's outcome means: for the health of its channel and credential, for what its call may still try, for
the operator's log and the record, and for the caller if it was the last.
"""

import logging
from collections.abc import Callable
from typing import Final

from airouter.domain.errors import DomainError, UpstreamRefusedRequest
from airouter.domain.ids import CredentialId
from airouter.domain.policy import Routing
from airouter.domain.usage import Attempt
from airouter.gateway.call import Call
from airouter.gateway.routing.choose import Chosen, Spent
from airouter.gateway.routing.failures import Refused, domain_error, refusal_error
from airouter.gateway.routing.health import Health
from airouter.gateway.routing.retry_after import retry_after_seconds, retry_after_within
from airouter.providers.contract import Refusal
from airouter.providers.serving import Providers
from airouter.upstream.contract import AnswerTooLarge, PoolExhausted, UpstreamError
from airouter.wire.counting import COUNTERS
from airouter.world import now as wall_clock

log = logging.getLogger("airouter.gateway")

_OF_EVERYTHING: Final = frozenset({"request", "overloaded"})
"""What a refused count says of calls as well. Who may count, which models, where, and how often are rules of their own
at every vendor; who imitates one may have no such address.
"""
_NOT_FOUND: Final = 404


class Outcomes:
    """Told of every attempt, once. `disable` is called with a credential that was refused too often, and why."""

    def __init__(
        self,
        health: Health,
        providers: Providers,
        clock: Callable[[], float],
        disable: Callable[[CredentialId, str], None],
    ) -> None:
        self._health = health
        self._providers = providers
        self._clock = clock
        self._disable = disable

    def worked(self, call: Call, chosen: Chosen, status: int) -> None:
        """It answered."""
        call.attempts.append(self._attempt(call, chosen, status=status))
        if not self._health.is_calm:
            credential = chosen.credential
            self._health.worked(chosen.channel.channel_id, credential and credential.credential_id, chosen.began)

    def broke(self, call: Call, error: UpstreamError | Refused, rules: Routing) -> None:
        """The answer had begun, and the client has seen some of it."""
        channel, now = call.channel, self._clock()
        assert channel is not None, "it answered"
        chosen = Chosen(now, channel, call.credential)
        if isinstance(error, Refused):
            code = self._providers[channel.provider].refusal(error.status, error.body)
            self._count(chosen, error, code, None, rules)
        else:
            code = error.code
            self._health.failed(channel.channel_id, now, now, rules, code)
        log.warning("upstream.broke request=%s channel=%s error=%s", call.request_id, channel.name, code)

    def untold(self, call: Call, chosen: Chosen, reason: str) -> None:
        """The channel was not asked, or nothing is known of what it did: that says nothing about it."""
        self._health.abandoned(chosen.channel.channel_id, chosen.began)
        call.attempts.append(self._attempt(call, chosen, reason=reason))

    def failed(
        self, call: Call, chosen: Chosen, error: UpstreamError | Refused, rules: Routing, spent: Spent
    ) -> DomainError:
        """It did not answer, or with a refusal; how that is told to the caller."""
        if isinstance(error, Refused):
            return self._refused(call, chosen, error, rules, spent)
        channel, began = chosen.channel, chosen.began
        call.attempts.append(self._attempt(call, chosen, reason=error.code))
        spent.channels.add(channel.channel_id)
        if isinstance(error, PoolExhausted | AnswerTooLarge):  # our own bounds are no fault of the channel
            self._health.abandoned(channel.channel_id, began)
        else:
            self._health.failed(channel.channel_id, began, self._clock(), rules, error.code)
        log.warning("upstream.failed request=%s channel=%s error=%s", call.request_id, channel.name, error.code)
        return domain_error(error)

    def _refused(self, call: Call, chosen: Chosen, error: Refused, rules: Routing, spent: Spent) -> DomainError:
        channel = chosen.channel
        native = self._providers[channel.provider]
        asked = self._providers.serving(channel.provider, call.door.endpoint) or native
        verdict = asked.refusal(error.status, error.body)
        if call.door.endpoint in COUNTERS and _is_about_counting(call, error, verdict):
            verdict = "counting"
        if verdict == "request":
            self.worked(call, chosen, error.status)
            is_same_dialect = call.door.endpoint in native.endpoints
            return UpstreamRefusedRequest(status=error.status, body=error.body, is_same_dialect=is_same_dialect)
        if verdict == "model":  # its channel is asked for it where nobody else is left
            model = (channel.channel_id, call.terms.model.model)
            self._health.rest(model, self._clock(), rules.cool_down_seconds, verdict)
        if verdict in {"model", "counting"}:
            return self._passed_over(call, chosen, error, verdict, spent)
        call.attempts.append(self._attempt(call, chosen, status=error.status, reason=verdict))
        wait = retry_after_seconds(error.headers, wall_clock(), rules.retry_after_seconds_max)
        if wait is None and verdict == "limited":
            wait = retry_after_within(error.body, wall_clock(), rules.retry_after_seconds_max)
        if self._count(chosen, error, verdict, wait, rules):
            spent.channels.add(channel.channel_id)
        else:
            spent.add(channel, chosen.credential)
        log.warning(
            "upstream.refused request=%s channel=%s status=%s blamed=%s",
            call.request_id, channel.name, error.status, verdict,
        )  # fmt: skip
        return refusal_error(verdict, error.status, wait)

    def _count(self, chosen: Chosen, error: Refused, verdict: Refusal, wait: int | None, rules: Routing) -> bool:
        """A refusal counts against whom it is about. True: that is the channel, with every credential it has."""
        now, began, health = self._clock(), chosen.began, self._health
        channel, credential = chosen.channel, chosen.credential
        if verdict == "request":
            health.abandoned(channel.channel_id, began)
        elif verdict == "limited":
            health.abandoned(channel.channel_id, began)
            target = channel.channel_id if credential is None else credential.credential_id
            health.rest(target, now, rules.cool_down_seconds if wait is None else wait, verdict)
        elif verdict in {"credential", "funds"} and credential is not None:
            health.abandoned(channel.channel_id, began)
            is_invalid = verdict == "credential"
            if health.refused(credential.credential_id, began, now, rules, is_invalid=is_invalid):
                self._disable(credential.credential_id, f"status {error.status}")
        else:
            health.failed(channel.channel_id, began, now, rules, f"status {error.status}")
            if wait:
                health.rest(channel.channel_id, now, wait, "retry_after")
            return True
        return False

    def _passed_over(self, call: Call, chosen: Chosen, error: Refused, verdict: Refusal, spent: Spent) -> DomainError:
        """Only for this the channel is as good as none."""
        channel_id = chosen.channel.channel_id
        call.attempts.append(self._attempt(call, chosen, status=error.status, reason=verdict))
        spent.channels.add(channel_id)
        self._health.abandoned(channel_id, chosen.began)
        log.warning(
            "upstream.refused request=%s channel=%s status=%s blamed=%s model=%s",
            call.request_id, chosen.channel.name, error.status, verdict, call.terms.model.model,
        )  # fmt: skip
        return refusal_error(verdict, error.status, None)

    def _attempt(self, call: Call, chosen: Chosen, *, status: int | None = None, reason: str | None = None) -> Attempt:
        began, credential = chosen.began, chosen.credential
        return Attempt(
            channel_id=chosen.channel.channel_id,
            channel=chosen.channel.name,
            credential_id=credential and credential.credential_id,
            status=status,
            reason=reason,
            began_ms=int((began - call.started_at) * 1000),
            latency_ms=int((self._clock() - began) * 1000),
            model=call.terms.model.model,
            group=call.terms.group.name,
        )


def _is_about_counting(call: Call, error: Refused, verdict: Refusal) -> bool:
    """Whether calls could do all the same. What is not there may be what a pinned request names."""
    return verdict not in _OF_EVERYTHING or (error.status == _NOT_FOUND and call.pin is None)
