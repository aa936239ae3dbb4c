"""Refusals around price proposals."""

from airouter.domain.errors import Conflict, Invalid, Upstream


class FactorRequired(Invalid):
    """`currency` is the list's, null for a unit of that site's own; `ledger_currency` is ours."""

    code = "factor_required"
    default_message = "Say how many units of the ledger currency one unit of the list's currency is."


class PriceChanged(Conflict):
    """`lines` names the lines whose models have another price now."""

    code = "price_changed"
    default_message = "These prices have changed since the list was compared with them. Compare it anew."


class ModelMissing(Conflict):
    """`models` names them."""

    code = "model_missing"
    default_message = "There are no such models yet. Create them, or ask for them to be created."


class ListUnreachable(Upstream):
    code = "list_unreachable"
    default_message = "The price list could not be fetched."
