"""OpenAI's moderations. They are counted by the request: one answered is one used."""

import msgspec

from airouter.domain.rate_card import Meter
from airouter.providers.contract import Answered, Call, Headers, Outgoing, Reported
from airouter.providers.reporting import Habits, UsageRefused, reported
from airouter.wire.members import with_model, with_one_model
from airouter.wire.moderations import read_answer

PATH = "/moderations"


def outgoing(call: Call, headers: Headers) -> Outgoing:
    """The client's body, with the model's name here, also where the client left it to the default."""
    body = with_one_model(call.body, "", call.upstream_model)
    return Outgoing(method="POST", path=PATH, headers=headers, body=body)


def answer(call: Call, body: bytes, habits: Habits) -> Answered:
    """Read a whole answer; only `rewrite_model` changes its bytes. Mistral counts tokens as well."""
    found = read_answer(body)
    if found is None or not found.is_answer:
        return Answered(body=body, reported=None, is_proper=False)
    quantities: dict[Meter, int] = {"request": 1}
    usage = Reported(quantities=quantities)
    if found.usage:
        try:
            usage = reported(found.usage, "moderations", habits, None) or usage
        except UsageRefused:
            usage = msgspec.structs.replace(usage, problem="usage_refused")
    if call.options.rewrite_model:
        body = with_model(body, call.request.model)
    return Answered(body=body, reported=usage, is_proper=True)
