"""Credentials of channels, one by one. A secret goes in and never comes out; each is used until somebody disables it.

That is the operator, or the gateway when the provider refuses the credential: once, with the reason, and the operators
are told. Only an operator enables it again.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.errors import AlreadyExists, NotFound
from airouter.domain.ids import ChannelId, CredentialId
from airouter.providers.exchanged import check_credential, public_part
from airouter.providers.vendors import VENDORS
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.catalogue import CREDENTIAL_PURPOSE, CREDENTIAL_TABLE, open_credential
from airouter.services.mailbox import Mailbox
from airouter.services.vault import SecretUnreadable, Vault
from airouter.storage import channel_credentials as rows
from airouter.storage import channel_probes, channels
from airouter.storage.changes import announce
from airouter.storage.channel_credentials import CredentialRow, DisabledBy, NewCredential
from airouter.storage.channel_probes import ProbeRow
from airouter.storage.database import Connection, Database
from airouter.world import new_id

logger = logging.getLogger(__name__)

CREDENTIALS_MAX: Final = 100
"""Per channel."""
_HINT_LENGTH: Final = 4
_SECRET_LENGTH_WITH_HINT: Final = 12
_REASON_LENGTH_MAX: Final = 500

Secret = Annotated[str, Meta(min_length=1, max_length=20_000)]
Label = Annotated[str, Meta(max_length=120)]


class CredentialDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credential to be. `label`: what the operator calls it."""

    secret: Secret
    label: Label = ""

    def __repr__(self) -> str:
        return f"CredentialDraft({self.label!r})"


class CredentialChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays. A secret is never changed: add the new one, delete the old one."""

    label: Label | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class LastTest(msgspec.Struct, frozen=True, kw_only=True):
    """What the last test found. `status` null: there was no answer."""

    tested_at: datetime
    model: str
    ok: bool
    status: int | None
    latency_ms: int
    error: str | None


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What the routing of one process holds against a channel or a credential; see gateway/routing/health.py.

    `watched`: it failed lately and is used all the same. `cooling`: calls go elsewhere until `until`, if they can.
    `probing`: its pause is over, and one call at a time is to tell whether it works. `in_a_row`: failures without a
    success between them.
    """

    state: Literal["watched", "cooling", "probing"]
    until: datetime | None
    reason: str
    in_a_row: int


Troubles = Mapping[UUID, Trouble]
"""By the id of the channel or of the credential."""


class CredentialView(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen of a credential: its last characters, and how it is doing."""

    id: CredentialId
    hint: str
    label: str
    enabled: bool
    disabled_at: datetime | None
    disabled_by: DisabledBy | None
    disabled_reason: str | None
    created_at: datetime
    last_test: LastTest | None
    trouble: Trouble | None
    """As the process that answers sees it."""


class ChannelCredentials:
    """The verbs for single credentials. Every change holds in all processes within a second."""

    def __init__(self, database: Database, vault: Vault, mailbox: Mailbox) -> None:
        self._database = database
        self._vault = vault
        self._mailbox = mailbox
        self._troubles: Callable[[], Troubles] = dict

    def watch_with(self, troubles: Callable[[], Troubles]) -> None:
        """Gives the view of the gateway of this process, once that is open."""
        self._troubles = troubles

    async def of_channel(self, channel_id: ChannelId) -> list[CredentialView]:
        """In the order in which they were given. Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            await _channel_name(connection, channel_id)
            return (await credential_views(connection, [channel_id], self._troubles()))[channel_id]

    async def add(self, channel_id: ChannelId, draft: CredentialDraft, actor: Actor = SYSTEM) -> CredentialView:
        """One more, in use at once.

        Raises:
            NotFound: no such channel.
            AlreadyExists: the channel has it, or has CREDENTIALS_MAX.
        """
        async with self._database.transaction() as connection:
            channel = await channels.lock_channel(connection, channel_id)
            if channel is None:
                raise NotFound("There is no such channel.")
            check_credentials(channel.provider, [draft.secret])
            there = (await rows.credentials_of(connection, [channel_id]))[channel_id]
            if len(there) >= CREDENTIALS_MAX:
                raise AlreadyExists(f"A channel has at most {CREDENTIALS_MAX} credentials.", field="secret")
            if draft.secret in _secrets(self._vault, there):
                raise AlreadyExists("The channel has this credential already.", field="secret")
            sealed = _sealed(self._vault, channel_id, draft.secret, draft.label)
            view = view_of(await rows.insert_credential(connection, sealed), None)
            await announce(connection, "catalogue")
            await record(connection, actor, _act("added", channel_id, view.id, after=_told(view)))
            return view

    async def change(
        self, channel_id: ChannelId, credential_id: CredentialId, changes: CredentialChanges, actor: Actor = SYSTEM
    ) -> CredentialView:
        """The credential with these changes. Enabling forgets who disabled it and why. Raises NotFound."""
        async with self._database.transaction() as connection:
            before = await self._locked(connection, channel_id, credential_id)
            if changes.label is not UNSET:
                await rows.label_credential(connection, credential_id, changes.label)
            if changes.enabled is True:
                await rows.enable_credential(connection, credential_id)
            elif changes.enabled is False:
                await rows.disable_credential(connection, credential_id, "operator", None)
            after = await self._locked(connection, channel_id, credential_id)
            await announce(connection, "catalogue")
            act = _act("changed", channel_id, credential_id, before=_told(before), after=_told(after))
            await record(connection, actor, act)
            return after

    async def delete(self, channel_id: ChannelId, credential_id: CredentialId, actor: Actor = SYSTEM) -> None:
        """Gone, its secret erased. Raises NotFound."""
        async with self._database.transaction() as connection:
            before = await self._locked(connection, channel_id, credential_id)
            await rows.delete_credentials(connection, channel_id, [credential_id])
            await announce(connection, "catalogue")
            await record(connection, actor, _act("deleted", channel_id, credential_id, before=_told(before)))

    async def disable_by_gateway(self, credential_id: CredentialId, reason: str) -> bool:
        """The provider refuses it: out of use everywhere until an operator enables it; the operators get mail.

        Any number of processes may notice at once: one does it. Whether that was this one.

        Raises:
            DatabaseUnavailable
        """
        async with self._database.transaction() as connection:
            found = await rows.disable_credential(connection, credential_id, "gateway", None)
            if found is None:
                return False
            words = self._without_secret(reason, found)[:_REASON_LENGTH_MAX]
            await rows.explain_credential(connection, credential_id, words)
            found = msgspec.structs.replace(found, disabled_reason=words)
            name = await _channel_name(connection, found.channel_id)
            every = (await rows.credentials_of(connection, [found.channel_id]))[found.channel_id]
            left = sum(one.disabled_at is None for one in every)
            await announce(connection, "catalogue")
            act = _act("disabled", found.channel_id, credential_id, after=_told(view_of(found, None)))
            await record(connection, SYSTEM, act)
            await self._tell(connection, name, found, left)
        logger.error(
            "credential.disabled",
            extra={"channel": name, "credential_id": str(credential_id), "reason": words, "usable_left": left},
        )
        return True

    async def _tell(self, connection: Connection, channel: str, row: CredentialRow, left: int) -> None:
        if not self._mailbox.is_configured:
            return
        link = f"{self._mailbox.console_url}/console/admin/channels/{row.channel_id}"
        facts = {
            "channel": channel,
            "credential": row.label or (f"…{row.hint}" if row.hint else str(row.credential_id)),
            "reason": row.disabled_reason or "",
            "left": left,
            "link": link,
        }
        letter = "credential_disabled" if left else "channel_out_of_service"
        assert row.disabled_at is not None, "it has just been disabled"
        for operator in await rows.operators(connection):
            once = f"{letter}/{row.credential_id}/{row.disabled_at.isoformat()}/{operator.email}"
            await self._mailbox.post(
                connection, to=operator.email, locale=operator.locale, letter=letter, facts=facts, once=once
            )

    def _without_secret(self, words: str, row: CredentialRow) -> str:
        """Providers like to repeat what they refuse."""
        try:
            secret = open_credential(self._vault, row).secret
        except SecretUnreadable:
            return words
        return words.replace(secret, "…")

    async def _locked(
        self, connection: Connection, channel_id: ChannelId, credential_id: CredentialId
    ) -> CredentialView:
        row = await rows.lock_credential(connection, channel_id, credential_id)
        if row is None:
            raise NotFound("There is no such credential.")
        probes = (await channel_probes.probes_of(connection, [channel_id]))[channel_id]
        probe = next((one for one in probes if one.credential_id == credential_id), None)
        return view_of(row, probe, self._troubles().get(credential_id))


async def credential_views(
    connection: Connection, channel_ids: Sequence[ChannelId], troubles: Troubles
) -> dict[ChannelId, list[CredentialView]]:
    """By channel, in the order in which they were given."""
    credentials = await rows.credentials_of(connection, channel_ids)
    probes = await channel_probes.probes_of(connection, channel_ids)
    by_credential = {one.credential_id: one for found in probes.values() for one in found}
    return {
        channel_id: [
            view_of(row, by_credential.get(row.credential_id), troubles.get(row.credential_id)) for row in found
        ]
        for channel_id, found in credentials.items()
    }


async def replace_credentials(
    connection: Connection, vault: Vault, channel_id: ChannelId, secrets: Sequence[str]
) -> None:
    """These secrets instead of what was there. One that was there stays what it was: its id, label and state."""
    there = (await rows.credentials_of(connection, [channel_id]))[channel_id]
    known = _secrets(vault, there)
    gone = [row.credential_id for row in there if row.credential_id not in {known.get(secret) for secret in secrets}]
    await rows.delete_credentials(connection, channel_id, gone)
    for secret in dict.fromkeys(secrets):
        if secret not in known:
            await rows.insert_credential(connection, _sealed(vault, channel_id, secret, ""))


async def readable_secrets(connection: Connection, vault: Vault, channel_id: ChannelId) -> list[str]:
    """Of a channel's credentials those that can still be decrypted."""
    return list(_secrets(vault, (await rows.credentials_of(connection, [channel_id]))[channel_id]))


def check_credentials(provider: str, secrets: Sequence[str]) -> None:
    """Refuse what this provider could never accept. Raises InvalidRequest."""
    vendor = VENDORS.get(provider)
    if vendor is not None:
        for secret in secrets:
            check_credential(vendor.credential, secret)


def view_of(row: CredentialRow, probe: ProbeRow | None, trouble: Trouble | None = None) -> CredentialView:
    """What may be seen of a row."""
    return CredentialView(
        id=row.credential_id,
        hint=row.hint,
        label=row.label,
        enabled=row.disabled_at is None,
        disabled_at=row.disabled_at,
        disabled_by=row.disabled_by,
        disabled_reason=row.disabled_reason,
        created_at=row.created_at,
        last_test=None if probe is None else last_test_of(probe),
        trouble=trouble if row.disabled_at is None else None,
    )


def last_test_of(probe: ProbeRow) -> LastTest:
    """A kept test as an operator sees it."""
    return LastTest(
        tested_at=probe.tested_at,
        model=probe.model,
        ok=probe.is_ok,
        status=probe.status,
        latency_ms=probe.latency_ms,
        error=probe.error,
    )


def _secrets(vault: Vault, credentials: Sequence[CredentialRow]) -> dict[str, CredentialId]:
    """Those that can still be read: one encrypted with a key that is gone equals nothing."""
    found: dict[str, CredentialId] = {}
    for row in credentials:
        try:
            found[open_credential(vault, row).secret] = row.credential_id
        except SecretUnreadable:
            continue
    return found


def _sealed(vault: Vault, channel_id: ChannelId, secret: str, label: str) -> NewCredential:
    credential_id = CredentialId(new_id())
    return NewCredential(
        credential_id=credential_id,
        channel_id=channel_id,
        ciphertext=vault.encrypt(CREDENTIAL_PURPOSE, CREDENTIAL_TABLE, credential_id, secret),
        hint=public_part(secret) or (secret[-_HINT_LENGTH:] if len(secret) >= _SECRET_LENGTH_WITH_HINT else ""),
        label=label,
    )


async def _channel_name(connection: Connection, channel_id: ChannelId) -> str:
    row = await channels.find_channel(connection, channel_id)
    if row is None:
        raise NotFound("There is no such channel.")
    return row.name


def _act(
    done: str,
    channel_id: ChannelId,
    credential_id: UUID,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> Act:
    which: dict[str, object] = {"credential": str(credential_id)}  # on one side only: what is alike is not kept
    if after is not None:
        after = which | after
    elif before is not None:
        before = which | before
    return Act(
        action=f"channel.credential_{done}",
        subject="channel",
        subject_id=str(channel_id),
        before=before,
        after=after,
    )


def _told(view: CredentialView) -> dict[str, object]:
    return {
        "hint": view.hint,
        "label": view.label,
        "enabled": view.enabled,
        "disabled_by": view.disabled_by,
        "reason": view.disabled_reason,
    }
