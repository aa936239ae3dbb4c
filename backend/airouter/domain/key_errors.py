"""Refusals about API keys."""

from airouter.domain.errors import Conflict


class TooManyEphemeralKeys(Conflict):
    code = "too_many_ephemeral_keys"
    default_message = "You have as many playground keys as one can have at a time. They end after an hour."
