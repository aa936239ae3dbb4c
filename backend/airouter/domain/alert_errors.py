"""Refusals about alerts."""

from airouter.domain.errors import Conflict


class TooManyAlerts(Conflict):
    code = "too_many_alerts"
    default_message = "The account has as many alerts as it can have. Delete one first."
