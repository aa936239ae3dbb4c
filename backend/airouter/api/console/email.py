"""The address that somebody signs in with and gets mail at."""

from typing import Literal

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from airouter.api.callers import Person
from airouter.api.documents import refusals
from airouter.api.public.auth import Email
from airouter.services.audit_log import Actor
from airouter.services.registrations import Registrations
from airouter.services.step_up import StepUp


class NewAddress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Email


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The new address has mail; the old one holds until its link is followed."""

    verification: Literal["email"]


@post(
    "/me/email",
    operation_id="changeEmail",
    permission="me.write",
    summary="Move to another e-mail address, once it is verified",
    tags=["Me"],
    status_code=202,
    responses=refusals(401, 403, 409, 422, 429),
)
async def change_email(
    data: JSONBody[NewAddress],
    person: NamedDependency[Person],
    actor: NamedDependency[Actor],
    registrations: NamedDependency[Registrations],
    step_up: NamedDependency[StepUp],
) -> Asked:
    await step_up.require(None, person)
    await registrations.change_email(person.user_id, data.email, actor)
    return Asked(verification="email")
