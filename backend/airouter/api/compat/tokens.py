"""API keys as older tools manage them. Their `token` is our key; its number is its `id`."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import AccountHolder
from airouter.api.compat.envelope import fine
from airouter.domain.errors import InvalidRequest
from airouter.domain.ids import KeyId
from airouter.services.audit_log import Actor
from airouter.services.compat import Compat, meant, shown
from airouter.services.keys import KeyChanges, KeyDraft, KeyOwner, Keys
from airouter.storage.compat import KeyFilter
from airouter.storage.keys import KeyRow
from airouter.world import new_id, now

_ENABLED: Final = 1
_DISABLED: Final = 2
_EXPIRED: Final = 3
_EXHAUSTED: Final = 4
_NEVER: Final = -1
_PAGE_MAX: Final = 100
_LATEST: Final = 253_402_300_799  # the last second of the year 9999

Page = Annotated[int, QueryParameter(ge=0, le=1_000_000)]
Size = Annotated[int, QueryParameter(ge=0, le=1_000_000)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A key in their words. `key` is what may be shown of it; in the answer that makes it, all of it."""

    id: int
    user_id: int
    key: str
    status: int
    name: str
    created_time: int
    accessed_time: int
    expired_time: int
    remain_quota: int
    unlimited_quota: bool
    used_quota: int
    model_limits_enabled: bool
    model_limits: str
    allow_ips: str
    group: str


class TokenPage(msgspec.Struct, frozen=True, kw_only=True):
    page: int
    page_size: int
    total: int
    items: list[TokenView]


class TokenDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What they send; fields that mean nothing here are passed over."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    expired_time: int = _NEVER
    remain_quota: int = 0
    unlimited_quota: bool = False
    model_limits_enabled: bool = False
    model_limits: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    allow_ips: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None
    group: Annotated[str, msgspec.Meta(max_length=64)] = ""


class TokenChange(msgspec.Struct, frozen=True, kw_only=True):
    """The whole key once more, or with `status_only` its status."""

    id: Number
    status: int = _ENABLED
    name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    expired_time: int = _NEVER
    remain_quota: int = 0
    unlimited_quota: bool = False
    model_limits_enabled: bool = False
    model_limits: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    allow_ips: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None
    group: Annotated[str, msgspec.Meta(max_length=64)] = ""


class TokenController(Controller):
    """Below /api/token."""

    path = "/api/token"
    include_in_schema = False

    @get("/", permission="keys.read")
    async def tokens(
        self,
        *,
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        compat: NamedDependency[Compat],
        p: Page = 1,
        size: Size = 0,
        page_size: Size = 0,
    ) -> Response[Any]:
        return fine(await _page(holder, keys, compat, text=None, page=p, size=page_size or size))

    @get("/search", permission="keys.read")
    async def search(
        self,
        *,
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        compat: NamedDependency[Compat],
        keyword: Annotated[str, QueryParameter(max_length=200)] = "",
        p: Page = 1,
        size: Size = 0,
        page_size: Size = 0,
    ) -> Response[Any]:
        """By a part of the name. Secrets are not kept, so nobody can look for one."""
        found = await _page(holder, keys, compat, text=keyword.strip("%") or None, page=p, size=page_size or size)
        return fine(found)

    @get("/{number:int}", permission="keys.read")
    async def token(
        self,
        number: FromPath[int],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        compat: NamedDependency[Compat],
    ) -> Response[Any]:
        key_id = await compat.key_of(_mine(holder), checked(number))
        user = await compat.number_of(holder.user_id)
        return fine(_view(await keys.get(_owner(holder), key_id), number, user))

    @post("/", permission="keys.write", status_code=200)
    async def create(
        self,
        data: JSONBody[TokenDraft],
        holder: NamedDependency[AccountHolder],
        actor: NamedDependency[Actor],
        keys: NamedDependency[Keys],
        compat: NamedDependency[Compat],
    ) -> Response[Any]:
        """`data.key` is the whole secret, this once: there is no second way to see it."""
        draft = KeyDraft(
            name=data.name,
            spend_limit=None if data.unlimited_quota else meant(data.remain_quota),
            expires_at=_expiry(data.expired_time),
            models=_models(data),
            allowed_ips=_addresses(data.allow_ips),
            group=data.group or None,
        )
        key, secret = await keys.create(_owner(holder), draft, KeyId(new_id()), actor)
        number = await compat.numbers(_mine(holder), key.key_id)
        view = _view(key, number, await compat.number_of(holder.user_id))
        return fine(msgspec.structs.replace(view, key=secret or view.key))

    @put("/", permission="keys.write")
    async def change(
        self,
        *,
        data: JSONBody[TokenChange],
        holder: NamedDependency[AccountHolder],
        actor: NamedDependency[Actor],
        keys: NamedDependency[Keys],
        compat: NamedDependency[Compat],
        status_only: Annotated[str, QueryParameter(max_length=10)] = "",
    ) -> Response[Any]:
        """`remain_quota` is what is left from now on."""
        owner = _owner(holder)
        key_id = await compat.key_of(_mine(holder), data.id)
        key = await keys.get(owner, key_id)
        status: Literal["active", "disabled"] = "active" if data.status == _ENABLED else "disabled"
        changes = KeyChanges(status=status)
        if not status_only:
            changes = KeyChanges(
                status=status,
                name=data.name or key.name,
                spend_limit=None if data.unlimited_quota else key.spent + meant(data.remain_quota),
                expires_at=_expiry(data.expired_time),
                models=_models(data),
                allowed_ips=_addresses(data.allow_ips),
                group=data.group or None,
            )
        changed = await keys.change(owner, key_id, changes, actor)
        return fine(_view(changed, data.id, await compat.number_of(holder.user_id)))

    @delete("/{number:int}", permission="keys.write", status_code=200)
    async def delete(
        self,
        number: FromPath[int],
        holder: NamedDependency[AccountHolder],
        actor: NamedDependency[Actor],
        keys: NamedDependency[Keys],
        compat: NamedDependency[Compat],
    ) -> Response[Any]:
        await keys.delete(_owner(holder), await compat.key_of(_mine(holder), checked(number)), actor)
        return fine()

    @post("/{number:int}/key", permission="keys.read", status_code=200)
    async def secret(self, number: FromPath[int], holder: NamedDependency[AccountHolder]) -> Response[Any]:
        """Their way to see a secret later. Ours are not kept."""
        del number, holder
        raise InvalidRequest("A key is shown only when it is made; rotate it to get a new secret.")


async def _page(
    holder: AccountHolder, keys: Keys, compat: Compat, *, text: str | None, page: int, size: int
) -> TokenPage:
    size, page = min(size or 10, _PAGE_MAX), max(1, page)
    which = KeyFilter(account_id=holder.account_id, only_user_id=holder.only_user_id, text=text)
    found, total = await compat.page(which, size, (page - 1) * size)
    user, owner = await compat.number_of(holder.user_id), _owner(holder)
    items = [_view(await keys.get(owner, one.key_id), one.number, user) for one in found]
    return TokenPage(page=page, page_size=size, total=total, items=items)


def _mine(holder: AccountHolder) -> KeyFilter:
    return KeyFilter(account_id=holder.account_id, only_user_id=holder.only_user_id)


def _owner(holder: AccountHolder) -> KeyOwner:
    return KeyOwner(
        account_id=holder.account_id,
        wallet_id=holder.wallet_id,
        user_id=holder.user_id,
        account_group=holder.group,
        only_user_id=holder.only_user_id,
    )


def _view(key: KeyRow, number: int, user: int) -> TokenView:
    left = 0 if key.spend_limit is None else key.spend_limit - key.spent
    return TokenView(
        id=number,
        user_id=user,
        key=key.prefix + "**********",
        status=_status(key),
        name=key.name,
        created_time=int(key.created_at.timestamp()),
        accessed_time=int((key.last_used_at or key.created_at).timestamp()),
        expired_time=_NEVER if key.expires_at is None else int(key.expires_at.timestamp()),
        remain_quota=shown(left),
        unlimited_quota=key.spend_limit is None,
        used_quota=shown(key.spent),
        model_limits_enabled=key.models is not None,
        model_limits=",".join(key.models or ()),
        allow_ips="\n".join(key.allowed_ips or ()),
        group=key.group_name or "",
    )


def _status(key: KeyRow) -> int:
    if key.status != "active":
        return _DISABLED
    if key.expires_at is not None and key.expires_at <= now():
        return _EXPIRED
    return _EXHAUSTED if key.spend_limit is not None and key.spent >= key.spend_limit else _ENABLED


def _expiry(expired_time: int) -> datetime | None:
    if expired_time in {_NEVER, 0}:
        return None
    if not 0 < expired_time <= _LATEST:
        raise InvalidRequest("expired_time: seconds since 1970, or -1 for never.", field="expired_time")
    return datetime.fromtimestamp(expired_time, UTC)


def _models(data: TokenDraft | TokenChange) -> list[str] | None:
    names = [name.strip() for name in data.model_limits.split(",") if name.strip()]
    return names if data.model_limits_enabled and names else None


def _addresses(text: str | None) -> list[str] | None:
    lines = [line.strip(" ,\r") for line in (text or "").split("\n")]
    return [line for line in lines if line] or None


def checked(number: int) -> int:
    """A number that a column can hold; nobody has another. Raises InvalidRequest."""
    if not 0 <= number <= 2**53:
        raise InvalidRequest("There is no such key.")
    return number
