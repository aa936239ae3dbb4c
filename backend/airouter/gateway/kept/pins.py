"""Names that providers minted lead a request to where they live: one channel and one credential, or a refusal.

A name is known in Postgres when the last byte of the answer that brought it leaves (settle.py), so that a request which
carries it a moment later finds it on every node. What was found is remembered here: a name never moves.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from airouter.domain.catalogue import Catalogue, Channel, Credential, Group
from airouter.domain.errors import DomainError, InvalidRequest
from airouter.domain.ids import AccountId
from airouter.domain.key import Caller
from airouter.domain.stored_errors import ChannelGone, ConversationNotFound, ItemNotFound, ResponseNotFound
from airouter.domain.stored_id import NAME_MAX, Minted, StoredId, StoredKind
from airouter.gateway.admit import Terms, usable_group
from airouter.gateway.call import Call, Pin
from airouter.gateway.relay import Relay
from airouter.gateway.routing.route import Routes
from airouter.providers.contract import Kept
from airouter.translation.support import NotTranslatable
from airouter.wire.endpoint import Endpoint
from airouter.wire.requests import RequestHead
from airouter.wire.responses import Remembered, Request

Find = Callable[[AccountId, Collection[str], timedelta], Awaitable[list[StoredId]]]
"""Asks Postgres for names of one account; conversations among them last for so long again."""

_REMEMBERED: Final = 100_000
_UNKNOWN: Final[dict[Remembered, type[DomainError]]] = {
    "response": ResponseNotFound,
    "conversation": ConversationNotFound,
    "item": ItemNotFound,
}


class Pins:
    """What this process knows of names, and where requests that carry them have to go."""

    def __init__(
        self, find: Find, relay: Relay, now: Callable[[], datetime], conversations_last: Callable[[], timedelta]
    ) -> None:
        self._find = find
        self._conversations_last = conversations_last
        self._relay = relay
        self._now = now
        self._known: OrderedDict[tuple[AccountId, str], StoredId] = OrderedDict()

    async def of(
        self, caller: Caller, endpoint: Endpoint, request: RequestHead, terms: Terms, routes: Routes
    ) -> Pin | None:
        """Where a call has to go because of what it refers to; None: anywhere. It may be in another of the groups that
        the key's stands for than the call was admitted in (`group_of`).

        Raises:
            NotTranslatable: nobody who serves its model keeps anything.
            ResponseNotFound, ConversationNotFound, ItemNotFound: its account has nothing of that name.
            ChannelGone: where it is kept can no longer be asked, or does not serve this model.
            InvalidRequest: it refers to things that are kept in different places.
        """
        assert isinstance(request, Request), "only this dialect's requests carry names"
        names = request.names
        if not names:
            return None
        certain = [name for name in names if name.is_certain]
        model = terms.model.model
        groups = [one.name for one in routes.catalogue.serving(usable_group(routes.catalogue, caller), model)]
        if certain and not self._is_kept_by_any(endpoint, groups, model, routes):
            raise NotTranslatable(
                "No provider of this model keeps what was said before: send the whole conversation.",
                field=certain[0].field,
            )
        found = await self.known(caller.account_id, {name.name for name in names})
        pin: Pin | None = None
        for name in certain:
            stored = found.get(name.name)
            if stored is None:
                raise _UNKNOWN[name.kind](field=name.field)
            here = _serving(stored, groups, model, routes.catalogue)
            if pin is not None and pin.identity != here.identity:
                raise InvalidRequest("The request refers to things that different providers keep.", field=name.field)
            pin = here
        return pin or _hint(found.values(), groups, model, routes.catalogue)

    async def one(self, account_id: AccountId, name: str, kind: StoredKind) -> StoredId:
        """What the account calls by this name.

        Raises:
            ResponseNotFound, ConversationNotFound
        """
        found = (await self.known(account_id, {name})).get(name)
        if found is None or found.kind != kind:
            raise (ConversationNotFound if kind == "conversation" else ResponseNotFound)
        return found

    async def known(self, account_id: AccountId, names: Collection[str]) -> dict[str, StoredId]:
        """Those of the account that still last. What is not known here may have been minted elsewhere just now, so
        that Postgres is asked each time.
        """
        found: dict[str, StoredId] = {}
        missing: list[str] = []
        for name in names:
            stored = self._known.get((account_id, name))
            if stored is not None and self._is_fresh(stored):
                found[name] = stored
            elif len(name) <= NAME_MAX and name.isprintable():
                missing.append(name)
        if missing:
            for stored in await self._find(account_id, missing, self._conversations_last()):
                found[stored.name] = stored
                self.remember((stored,))
        return found

    def _is_fresh(self, stored: StoredId) -> bool:
        """It lasts. A conversation has half of its time left: before that, Postgres is told that it is in use."""
        if stored.expires_at is None:
            return stored.kind != "conversation"
        spare = self._conversations_last() / 2 if stored.kind == "conversation" else timedelta()
        return stored.expires_at - spare > self._now()

    def remember(self, names: Iterable[StoredId]) -> None:
        """Names that were just minted, or found."""
        for stored in names:
            self._known[stored.account_id, stored.name] = stored
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def forget(self, account_id: AccountId, name: str) -> None:
        """It was deleted."""
        self._known.pop((account_id, name), None)

    def _is_kept_by_any(self, endpoint: Endpoint, groups: Sequence[str], model: str, routes: Routes) -> bool:
        tiers = (tier for group in groups for tier in routes.tiers(group, model))
        return any(self._relay.speaks(channel, endpoint) for tier in tiers for channel in tier)


def place(stored: StoredId, catalogue: Catalogue) -> Pin:
    """The channel and credential of a name, if both may be used.

    Raises:
        ChannelGone
    """
    for channel in catalogue.channels:
        if channel.channel_id == stored.channel_id and channel.is_enabled:
            credential = _credential(stored, channel)
            if credential is not None or stored.credential_id is None:
                return Pin(channel, credential)
    raise ChannelGone


def _credential(stored: StoredId, channel: Channel) -> Credential | None:
    return next((one for one in channel.credentials if one.credential_id == stored.credential_id), None)


def group_of(pin: Pin, caller: Caller, terms: Terms, catalogue: Catalogue) -> Group:
    """In which a call is to be admitted that goes where it is pinned: where it was, else the first of the key's groups
    that has the channel.
    """
    if terms.group.name in pin.channel.groups:
        return terms.group
    serving = catalogue.serving(usable_group(catalogue, caller), terms.model.model)
    return next(one for one in serving if one.name in pin.channel.groups)


def _serving(stored: StoredId, groups: Collection[str], model: str, catalogue: Catalogue) -> Pin:
    found = place(stored, catalogue)
    if model not in found.channel.models or found.channel.groups.isdisjoint(groups):
        raise ChannelGone(
            f"What the request refers to is kept by a channel that does not serve {model!r} to this key."
            " Send the whole conversation."
        )
    return found


def _hint(found: Iterable[StoredId], groups: Collection[str], model: str, catalogue: Catalogue) -> Pin | None:
    """Where thoughts live that came along without what they were; it does no harm to ask elsewhere."""
    for stored in found:
        with suppress(ChannelGone):
            return _serving(stored, groups, model, catalogue)
    return None


def names_minted(call: Call, kept: Kept, days: int) -> tuple[Minted, ...]:
    """The names that an answer brought, and how long they last: as the provider says, else as policy does."""
    if not kept.is_stored or getattr(call.request, "store", None) is False:
        return ()
    if kept.expires_at_seconds is None:
        expires_at = datetime.now(UTC) + timedelta(days=days)
    else:
        expires_at = datetime.fromtimestamp(kept.expires_at_seconds, UTC)
    credential_id = None if call.credential is None else call.credential.credential_id
    every: list[tuple[str, StoredKind]] = [(kept.name, "response"), *((item, "item") for item in kept.items)]
    return tuple(
        Minted(name=name, kind=kind, credential_id=credential_id, expires_at=expires_at)
        for name, kind in every
        if 0 < len(name) <= NAME_MAX and name.isprintable()
    )
