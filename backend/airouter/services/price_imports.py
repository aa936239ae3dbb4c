"""Price lists of others, read in as proposals. Nothing is charged by one: a line that an operator accepts becomes a
rate card (or what a channel costs), made the same way as any other.

    start -> compare every model of the list with its price now; store the lines
    rename -> a line is to be the price of a model of another name; it is compared with that one
    accept -> some lines; each only if the price it was compared with still stands
    refresh -> compare anew
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import httpx
import msgspec
from msgspec import Meta

from airouter.domain.errors import InvalidRequest, NotFound
from airouter.domain.ids import ChannelId, RateCardId
from airouter.domain.price_errors import FactorRequired, ModelMissing, PriceChanged
from airouter.domain.proposal import Conversion, checked_factor
from airouter.proposals.registry import KNOWN_ADDRESSES, Source
from airouter.proposals.shipped import shipped_facts
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.channel_costs import add_cost, lock_channel
from airouter.services.channels import ModelName
from airouter.services.models import ModelDraft, add_model
from airouter.services.price_comparison import bases_of, bases_of_lines, cards_of, served
from airouter.services.price_lines import ImportView, LineView, import_view, line_views
from airouter.services.price_sources import BYTES_MAX, listing_of
from airouter.services.rate_cards import add_card, check_zone
from airouter.storage import accounts, models
from airouter.storage import channels as channel_rows
from airouter.storage import price_imports as rows
from airouter.storage.database import Connection, Database
from airouter.storage.price_imports import LineFilters, LineRow, NewImport, NewLine, Rebased
from airouter.world import new_id

LINES_AT_ONCE: Final = 500
MARKUP_MAX: Final = 100_000_000
SKIPPED_KEPT: Final = 2000

_UNUSED: Final = RateCardId(UUID(int=0))
"""Of a card that is only compared."""

LineNumber = Annotated[int, Meta(ge=0, le=2**31 - 1)]
LineNumbers = Annotated[list[LineNumber], Meta(min_length=1, max_length=LINES_AT_ONCE)]


class ImportDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list to read. `content`: the document itself, as text; `url`: an address that the server asks once.

    `factor`: units of the ledger currency for one unit of the list's, an exact decimal; may be left out only where both
    are the same. `markup_micros` on top: 200_000 is a fifth more. `group`: of another site, by whose multiplier its
    prices are taken. With `channel_id` the lines are what that channel costs, for the models that it serves.
    """

    source: Source
    content: Annotated[str, Meta(max_length=BYTES_MAX)] | None = None
    url: Annotated[str, Meta(max_length=2000)] | None = None
    file_name: Annotated[str, Meta(max_length=200)] | None = None
    factor: Annotated[str, Meta(max_length=60)] | None = None
    markup_micros: Annotated[int, Meta(gt=-1_000_000, le=MARKUP_MAX)] = 0
    group: Annotated[str, Meta(max_length=64)] | None = None
    channel_id: ChannelId | None = None


class Acceptance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lines by number. `create_models`: make those that do not exist yet. `effective_at` absent or null: at once."""

    lines: LineNumbers
    create_models: bool = False
    effective_at: datetime | None = None


class NewName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a line's model is called here."""

    line: LineNumber
    model: ModelName


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of list. `currency` null: a unit of that site's own. The rest is of the shipped catalogue."""

    source: Source
    url: str | None
    currency: str | None
    title: str | None
    version: str | None
    date: str | None
    licence: str | None
    models: int | None


class SourcesView(msgspec.Struct, frozen=True, kw_only=True):
    """What can be read, and what it has to be converted to."""

    ledger_currency: str
    items: list[SourceView]


class PriceImports:
    """The operator's verbs for price lists."""

    def __init__(self, database: Database, errands: httpx.AsyncClient) -> None:
        self._database = database
        self._errands = errands

    async def sources(self) -> SourcesView:
        """Every kind of list."""
        async with self._database.connection() as connection:
            currency = await accounts.ledger_currency(connection)
        source, shipped_in, count = shipped_facts()
        shipped = SourceView(
            source="shipped", url=None, currency=shipped_in, title=source.name, version=source.version,
            date=source.date, licence=source.licence, models=count,
        )  # fmt: skip
        others: tuple[tuple[Source, str | None], ...] = (
            ("litellm", "USD"), ("models_dev", "USD"), ("pricing_page", None),
        )  # fmt: skip
        return SourcesView(
            ledger_currency=currency,
            items=[
                shipped,
                *(
                    SourceView(
                        source=name, url=KNOWN_ADDRESSES.get(name), currency=unit, title=None, version=None, date=None,
                        licence=None, models=None,
                    )
                    for name, unit in others
                ),
            ],
        )  # fmt: skip

    async def start(self, draft: ImportDraft, actor: Actor = SYSTEM) -> ImportView:
        """Read a list and compare it. No price changes.

        Raises:
            InvalidRequest: it is no such list, or has nothing for that channel.
            FactorRequired: its currency is not the ledger's.
            ListUnreachable: the address did not answer with one.
            NotFound: there is no such channel.
        """
        listing = await listing_of(draft.source, draft.content, draft.url, draft.group, self._errands)
        async with self._database.transaction() as connection:
            conversion = Conversion(
                factor=_factor(draft.factor, listing.currency, await accounts.ledger_currency(connection)),
                markup_micros=draft.markup_micros,
            )
            chosen = [(one.name, one) for one in listing.proposals]
            if draft.channel_id is not None:
                channel = await lock_channel(connection, draft.channel_id)
                chosen = served(channel.models, listing.proposals)
            cards, too_large = cards_of(chosen, conversion)
            if not cards:
                raise InvalidRequest(
                    "content: the list says nothing about the models of this channel."
                    if draft.channel_id is not None
                    else "content: no entry of the list has a price that could be used.",
                    field="content",
                )
            bases = await bases_of(connection, draft.channel_id, [card for _, card in cards])
            new = NewImport(
                import_id=new_id(),
                source=draft.source,
                origin=draft.url or draft.file_name,
                facts=listing.facts,
                currency=listing.currency,
                factor=conversion.factor,
                markup_micros=conversion.markup_micros,
                channel_id=draft.channel_id,
                skipped=(*listing.skipped, *too_large)[:SKIPPED_KEPT],
                created_by=actor.user_id,
            )
            lines = [
                NewLine(
                    line=number, model=card.model, vendor=proposal.vendor, proposal=proposal,
                    unmapped=proposal.unmapped, rates=card.rates, tiers=card.tiers, base_id=base.base_id,
                    base_version=base.base_version, change=base.change,
                )
                for number, ((proposal, card), base) in enumerate(zip(cards, bases, strict=True), start=1)
            ]  # fmt: skip
            await rows.insert_import(connection, new, lines)
            view = await _view(connection, new.import_id)
            told = {name: getattr(new, name) for name in ("source", "origin", "currency", "factor", "markup_micros")}
            after = {**told, "channel_id": new.channel_id, "lines": len(lines)}
            await record(connection, actor, _act("created", new.import_id, after))
            return view

    async def page(self, after: tuple[datetime, UUID] | None, limit: int) -> list[ImportView]:
        """Newest first, each without its facets and what was skipped."""
        async with self._database.connection() as connection:
            return [import_view(row) for row in await rows.page_of_imports(connection, after, limit)]

    async def get(self, import_id: UUID) -> ImportView:
        """Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            return await _view(connection, import_id)

    async def lines(self, import_id: UUID, filters: LineFilters, after: int, limit: int) -> list[LineView]:
        """In the order of the list. Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            found = await rows.find_import(connection, import_id)
            if found is None:
                raise _nothing()
            page = await rows.page_of_lines(connection, import_id, filters, after, limit)
            return await line_views(connection, found.channel_id, page)

    async def rename(self, import_id: UUID, wish: NewName, actor: Actor = SYSTEM) -> LineView:
        """The line is a proposal for the model of this name from now on, compared with its price.

        Raises:
            NotFound: there is no such import, or no such line in it.
            InvalidRequest: it was accepted before, or says what a channel costs for a model that it serves.
        """
        async with self._database.transaction() as connection:
            found = await _locked(connection, import_id)
            number, name = wish.line, wish.model
            (line,) = await _lines(connection, import_id, [number])
            if found.channel_id is not None:
                raise InvalidRequest("model: costs are those of the names that the channel serves.", field="model")
            if line.state == "accepted":
                raise InvalidRequest("model: the line was accepted, and is a price already.", field="model")
            if line.model != name:
                (base,) = await bases_of(connection, None, [msgspec.structs.replace(line, model=name).card(_UNUSED)])
                await rows.rename_line(
                    connection, import_id, name,
                    Rebased(line=number, base_id=base.base_id, base_version=base.base_version, change=base.change),
                )  # fmt: skip
                after = {"line": number, "from": line.model, "to": name}
                await record(connection, actor, _act("line_renamed", import_id, after))
            (view,) = await line_views(connection, None, await rows.lines_of(connection, import_id, [number]))
            return view

    async def accept(self, import_id: UUID, wish: Acceptance, actor: Actor = SYSTEM) -> list[LineView]:
        """All of these lines, or none. A line that was accepted before stays as it is.

        Raises:
            NotFound: there is no such import, or no such line in it.
            PriceChanged: a model has another price than the one that its line was compared with.
            ModelMissing: a model does not exist, and was not to be created.
            InvalidRequest: two of the lines are prices of the same model.
            InvalidRateCard: they are to hold in the past.
        """
        check_zone(wish.effective_at)
        async with self._database.transaction() as connection:
            found = await _locked(connection, import_id)
            chosen = await _lines(connection, import_id, wish.lines)
            todo = sorted((line for line in chosen if line.state != "accepted"), key=lambda line: line.model)
            _each_once(todo)
            if found.channel_id is not None:
                await lock_channel(connection, found.channel_id)
            else:
                await _lock_models(connection, todo, wish, actor)
            await _stand_still(connection, found.channel_id, todo)
            for line in todo:
                result = line.base_id
                if line.change != "same":
                    result = await _apply(connection, found.channel_id, line, wish.effective_at, actor)
                await rows.accept_line(connection, import_id, line.line, result, actor.user_id)
            if todo:
                after = {"lines": [line.line for line in todo], "models": [line.model for line in todo]}
                await record(connection, actor, _act("accepted", import_id, after))
            decided = await rows.lines_of(connection, import_id, wish.lines)
            return await line_views(connection, found.channel_id, decided)

    async def set_aside(
        self, import_id: UUID, numbers: Sequence[int], *, is_open: bool, actor: Actor = SYSTEM
    ) -> list[LineView]:
        """Skip lines, or take them up again. Accepted lines stay accepted.

        Raises:
            NotFound: there is no such import, or no such line in it.
        """
        async with self._database.transaction() as connection:
            found = await _locked(connection, import_id)
            await _lines(connection, import_id, numbers)
            state = "open" if is_open else "skipped"
            await rows.set_aside(connection, import_id, numbers, state, actor.user_id)
            done = "lines_reopened" if is_open else "lines_skipped"
            await record(connection, actor, _act(done, import_id, {"lines": list(numbers)}))
            decided = await rows.lines_of(connection, import_id, numbers)
            return await line_views(connection, found.channel_id, decided)

    async def refresh(self, import_id: UUID) -> ImportView:
        """Compare what is not accepted with the prices that hold now. Raises NotFound."""
        async with self._database.transaction() as connection:
            found = await _locked(connection, import_id)
            undecided = [line for line in await rows.lines_of(connection, import_id, None) if line.state != "accepted"]
            bases = await bases_of_lines(connection, found.channel_id, undecided)
            rebased = [
                Rebased(line=line.line, base_id=base.base_id, base_version=base.base_version, change=base.change)
                for line, base in zip(undecided, bases, strict=True)
            ]
            await rows.rebase_lines(connection, import_id, rebased)
            return await _view(connection, import_id)


def _factor(given: str | None, currency: str | None, ledger_currency: str) -> str:
    if given is not None:
        return checked_factor(given)
    if currency != ledger_currency:
        raise FactorRequired(currency=currency, ledger_currency=ledger_currency, field="factor")
    return "1"


async def _stand_still(connection: Connection, channel_id: ChannelId | None, lines: Sequence[LineRow]) -> None:
    """Raises PriceChanged where the price is not the one that the line was compared with."""
    bases = await bases_of_lines(connection, channel_id, lines)
    moved = [
        line
        for line, base in zip(lines, bases, strict=True)
        if (line.base_id, line.base_version) != (base.base_id, base.base_version)
    ]
    if moved:
        raise PriceChanged(lines=[line.line for line in moved], models=[line.model for line in moved])


async def _lock_models(connection: Connection, lines: Sequence[LineRow], wish: Acceptance, actor: Actor) -> None:
    """In the order of their names, so that two acceptances cannot wait for each other."""
    missing: list[str] = []
    for line in lines:
        if await models.lock_model(connection, line.model) is not None:
            continue
        if not wish.create_models:
            missing.append(line.model)
            continue
        draft = ModelDraft(
            model=line.model,
            vendor=line.vendor,
            context_window=line.proposal.context_window,
            max_output_tokens=line.proposal.max_output_tokens,
        )
        if await add_model(connection, draft, actor) is None:  # somebody made it a moment ago
            await models.lock_model(connection, line.model)
    if missing:
        raise ModelMissing(models=missing)


async def _apply(
    connection: Connection,
    channel_id: ChannelId | None,
    line: LineRow,
    effective_at: datetime | None,
    actor: Actor,
) -> RateCardId:
    card = line.card(RateCardId(new_id()))
    if channel_id is None:
        return (await add_card(connection, card, effective_at, actor)).id
    return (await add_cost(connection, channel_id, card, effective_at, actor)).id


async def _lines(connection: Connection, import_id: UUID, numbers: Sequence[int]) -> list[LineRow]:
    found = await rows.lines_of(connection, import_id, numbers)
    unknown = set(numbers) - {line.line for line in found}
    if unknown:
        raise NotFound(f"The import has no line {min(unknown)}.", field="lines")
    return found


def _each_once(lines: Sequence[LineRow]) -> None:
    seen: set[str] = set()
    for line in lines:
        if line.model in seen:
            raise InvalidRequest(f"lines: more than one of them is a price of {line.model!r}.", field="lines")
        seen.add(line.model)


async def _locked(connection: Connection, import_id: UUID) -> rows.LockedImport:
    found = await rows.lock_import(connection, import_id)
    if found is None:
        raise _nothing()
    if found.channel_id is not None and await channel_rows.find_channel(connection, found.channel_id) is None:
        raise NotFound("The channel of this import is gone.")
    return found


async def _view(connection: Connection, import_id: UUID) -> ImportView:
    row = await rows.find_import(connection, import_id)
    if row is None:
        raise _nothing()
    changes = await rows.count_changes(connection, import_id)
    return import_view(row, changes, await rows.count_vendors(connection, import_id))


def _act(done: str, import_id: UUID, after: object) -> Act:
    return Act(action=f"price_import.{done}", subject="price_import", subject_id=str(import_id), after=after)


def _nothing() -> NotFound:
    return NotFound("There is no such import.")
