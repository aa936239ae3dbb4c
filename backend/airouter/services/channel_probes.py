"""Test calls: does a channel work, with each of its credentials? Asked by an operator, or every so often by itself.

A test is a real, minimal call. The provider bills it to the operator; nobody's quota is charged, and it stands in no
usage record. The last result of each credential is kept.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal

import msgspec

from airouter.domain.catalogue import Channel, Credential
from airouter.domain.errors import Conflict, InvalidRequest, NotFound, NotSupportedYet
from airouter.domain.ids import ChannelId, CredentialId
from airouter.services.catalogue import channel_of, open_credential
from airouter.services.jobs import Job
from airouter.services.vault import SecretUnreadable, Vault
from airouter.storage import channel_credentials, channels
from airouter.storage import channel_probes as rows
from airouter.storage.channel_credentials import CredentialRow
from airouter.storage.channel_probes import NewProbe
from airouter.storage.database import Database

logger = logging.getLogger(__name__)

JOB: Final = "channel_probes"
LOOK: Final = timedelta(seconds=20)
"""How often it is asked which channels are due; `probe_minutes` counts in minutes."""
_PATIENCE: Final = timedelta(minutes=10)
_AT_ONCE: Final = 4
_DUE_AT_ONCE: Final = 40

ProbedEndpoint = Literal["chat.completions", "completions", "embeddings"]


class ProbeWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to try.

    `model`: a public name that the channel serves; absent: its option `test_model`, else its first. `endpoint`: absent:
    what the model's name suggests. `credential_id`: this one, even if it is disabled. `all`: every credential, one by
    one, the disabled ones too. With neither: the first that is enabled.
    """

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    endpoint: ProbedEndpoint | None = None
    credential_id: CredentialId | None = None
    all: bool = False


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What one real, minimal call came to. `status` None: there was no answer."""

    status: int | None
    latency_ms: int
    error: str | None


class CredentialTest(msgspec.Struct, frozen=True, kw_only=True):
    """What one credential's call came to. `credential_id` null: the channel has none."""

    credential_id: CredentialId | None
    hint: str
    label: str
    ok: bool
    status: int | None
    latency_ms: int
    error: str | None


class ChannelTest(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a test; `error` says in words what went wrong.

    `ok`: every call succeeded; `status`, `latency_ms` and `error` are those of the first that did not, else of the
    first. `results` has each of them.
    """

    ok: bool
    model: str
    upstream_model: str
    endpoint: str
    status: int | None
    latency_ms: int
    error: str | None
    results: list[CredentialTest]


Probe = Callable[[Channel, Credential | None, str, ProbedEndpoint], Awaitable[Probed]]
"""Makes one minimal call for a public model name through a channel, and never raises for what the upstream does."""


class ChannelProbes:
    """Makes tests and keeps what they found."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._probe: Probe | None = None

    def probe_with(self, probe: Probe) -> None:
        """Gives the means for test calls, once the gateway is open."""
        self._probe = probe

    @property
    def job(self) -> Job:
        """Tests the channels whose operator wants it regularly; one process at a time."""
        return Job(name=JOB, run=self.run_due, pause=LOOK, patience=_PATIENCE)

    async def test(self, channel_id: ChannelId, wish: ProbeWish) -> ChannelTest:
        """Real calls through this channel alone, whether it is enabled or not.

        Raises:
            NotFound: no such channel.
            InvalidRequest: the channel does not serve that model, or none at all; or it has no such credential.
            Conflict: a credential was encrypted with a key that is gone.
        """
        probe = self._probe
        if probe is None:
            raise NotSupportedYet("This process makes no test calls.")
        channel, credentials = await self._opened(channel_id)
        model = wish.model or channel.options.test_model or next(iter(channel.models), "")
        if model not in channel.models:
            raise InvalidRequest(f"model: the channel does not serve {model!r}.", field="model")
        endpoint = wish.endpoint or suggested_endpoint(model, channel.models[model])
        chosen = _chosen(credentials, wish)
        results = await self._try_each(probe, channel, chosen, model, endpoint)
        first = next((one for one in results if not one.ok), results[0])
        return ChannelTest(
            ok=first.ok,
            model=model,
            upstream_model=channel.models[model],
            endpoint=endpoint,
            status=first.status,
            latency_ms=first.latency_ms,
            error=first.error,
            results=results,
        )

    async def run_due(self) -> None:
        """Every enabled credential of the channels that are due."""
        if self._probe is None:  # this process has no gateway (yet): another one may
            return
        async with self._database.connection() as connection:
            due = await rows.due_channels(connection, _DUE_AT_ONCE)
        for channel_id in due:
            try:
                await self._test_regularly(channel_id)
            except (NotFound, InvalidRequest, Conflict) as error:  # gone, or nothing that could be tested
                logger.warning("channel.not_tested", extra={"channel_id": str(channel_id), "why": str(error)})

    async def _test_regularly(self, channel_id: ChannelId) -> None:
        assert self._probe is not None
        channel, credentials = await self._opened(channel_id)
        model = channel.options.test_model or next(iter(channel.models), "")
        if model not in channel.models:
            raise InvalidRequest("model: the channel serves none.", field="model")
        enabled = [(row, one) for row, one in credentials if row.disabled_at is None]
        if credentials and not enabled:
            return
        endpoint = suggested_endpoint(model, channel.models[model])
        for result in await self._try_each(self._probe, channel, enabled or [None], model, endpoint):
            if not result.ok:
                logger.warning(
                    "channel.test_failed",
                    extra={"channel": channel.name, "status": result.status, "error": result.error},
                )

    async def _opened(self, channel_id: ChannelId) -> tuple[Channel, list["_Opened"]]:
        async with self._database.transaction(is_read_only=True) as connection:
            row = await channels.find_channel(connection, channel_id)
            if row is None:
                raise NotFound("There is no such channel.")
            sealed = (await channel_credentials.credentials_of(connection, [channel_id]))[channel_id]
        try:
            opened = [(one, open_credential(self._vault, one)) for one in sealed]
            return channel_of(self._vault, row, tuple(credential for _, credential in opened)), opened
        except SecretUnreadable:
            raise Conflict("The channel's credentials cannot be decrypted any more. Set them anew.") from None

    async def _try_each(
        self,
        probe: Probe,
        channel: Channel,
        chosen: Sequence["_Opened | None"],
        model: str,
        endpoint: ProbedEndpoint,
    ) -> list[CredentialTest]:
        """A few at a time: a provider that limits calls is not to be flooded by tests."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(opened: "_Opened | None") -> CredentialTest:
            async with gate:
                probed = await probe(channel, None if opened is None else opened[1], model, endpoint)
            await self._keep(channel.channel_id, opened, model, probed)
            row = None if opened is None else opened[0]
            return CredentialTest(
                credential_id=None if row is None else row.credential_id,
                hint="" if row is None else row.hint,
                label="" if row is None else row.label,
                ok=probed.error is None,
                status=probed.status,
                latency_ms=probed.latency_ms,
                error=probed.error,
            )

        return list(await asyncio.gather(*(one(opened) for opened in chosen)))

    async def _keep(self, channel_id: ChannelId, opened: "_Opened | None", model: str, probed: Probed) -> None:
        new = NewProbe(
            channel_id=channel_id,
            credential_id=None if opened is None else opened[0].credential_id,
            model=model,
            is_ok=probed.error is None,
            status=probed.status,
            latency_ms=probed.latency_ms,
            error=probed.error,
        )
        async with self._database.transaction() as connection:
            await rows.keep_probe(connection, new)


_Opened = tuple[CredentialRow, Credential]


def suggested_endpoint(model: str, upstream_model: str) -> ProbedEndpoint:
    """What a model's names say it is for; most are for chat."""
    return "embeddings" if "embed" in model.lower() or "embed" in upstream_model.lower() else "chat.completions"


def _chosen(credentials: Sequence[_Opened], wish: ProbeWish) -> Sequence[_Opened | None]:
    if wish.credential_id is not None:
        found = [one for one in credentials if one[0].credential_id == wish.credential_id]
        if not found:
            raise InvalidRequest("credential_id: the channel has no such credential.", field="credential_id")
        return found
    if not credentials:
        return [None]
    if wish.all:
        return credentials
    return [next((one for one in credentials if one[0].disabled_at is None), credentials[0])]
