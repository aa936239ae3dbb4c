"""Turning a code into quota."""

from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from airouter.api.callers import AccountHolder, refuse_paused
from airouter.api.documents import refusals
from airouter.services.redemptions import Redeemed, Redeemer, Redemptions


class CodeToRedeem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Spaces, dashes, lower case and full-width characters are accepted."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=200, examples=["7B3K-9QXT-0M4N-RW8V-2C6D-HJ5P-E1YZ"])]


@post(
    "/redemptions",
    operation_id="redeemCode",
    permission="codes.redeem",
    summary="Redeem a code",
    tags=["Money in"],
    responses=refusals(401, 403, 404, 409, 410, 422, 429),
)
async def redeem(
    data: JSONBody[CodeToRedeem], holder: NamedDependency[AccountHolder], redemptions: NamedDependency[Redemptions]
) -> Redeemed:
    """Credits the account at once. The same code again is 409 `code_already_redeemed` with `by_you`."""
    refuse_paused(holder)
    who = Redeemer(
        account_id=holder.account_id,
        wallet_id=holder.wallet_id,
        account_group=holder.group,
        user_id=holder.user_id,
        address=holder.person.address,
    )
    return await redemptions.redeem(who, data.code)
