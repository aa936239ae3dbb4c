"""The tables of vendors.py and hosted_tools.py as operators read them in docs/operate."""

from typing import Final

from airouter.providers.hosted_tools import EVERYWHERE, HOSTED, OF_YOUR_OWN, Billed, Row
from airouter.providers.vendors import VENDORS, Vendor

_FORMS: Final = {
    "key": "an API key",
    "optional": "an API key, where the server wants one",
    "service_account": "a service account",
    "azure": "a key, a token or an application",
    "aws": "an access key of AWS",
    "none": "none",
}


def table() -> str:
    """A row for each vendor, by its label."""
    rows = ["| provider | vendor | base URL | credential | asked for | |", "|---|---|---|---|---|---|"]
    for name, vendor in sorted(VENDORS.items(), key=lambda item: item[1].label.lower()):
        label = f"[{vendor.label}]({vendor.docs})" if vendor.docs else vendor.label
        address = f"`{vendor.base_url}`" if vendor.base_url else _example(vendor)
        credential = vendor.credential_hint or _FORMS[vendor.credential]
        asked = ", ".join(vendor.endpoints) or "its own dialect"
        rows.append(f"| `{name}` | {label} | {address} | {credential} | {asked} | {_notes(vendor)} |")
    return "\n".join(rows) + "\n"


_BILLED: Final[dict[Billed, str]] = {
    "tokens": "passed on: billed as tokens",
    "search": "passed on, and counted as `search`",
    "apart": "refused: billed apart",
    "another_model": "always refused: runs another model",
}


def table_of_tools() -> str:
    """A row for each tool that some vendor runs; vendors of the same row share it."""
    sharing: dict[int, tuple[list[str], Row]] = {0: (["any"], EVERYWHERE)}
    for name, row in HOSTED.items():
        sharing.setdefault(id(row), ([], row))[0].append(f"`{name}`")
    rows = ["| provider | tool | what becomes of it | |", "|---|---|---|---|"]
    for providers, row in sharing.values():
        rows += [
            f"| {', '.join(providers)} | `{name}` | {_BILLED[tool.billed]} | {tool.how} |" for name, tool in row.items()
        ]
    own = ", ".join(f"`{name}`" for name in sorted(OF_YOUR_OWN))
    rows.append(f"| {own} | every other | passed on | your own server bills nobody |")
    rows.append("| every other | every other | refused: not known | |")
    return "\n".join(rows) + "\n"


def _example(vendor: Vendor) -> str:
    return f"such as `{vendor.base_url_hint}`" if vendor.base_url_hint else "–"


def _notes(vendor: Vendor) -> str:
    said = [vendor.notes] if vendor.notes else []
    adaptation = vendor.adaptation
    if adaptation is not None:
        said += [f"`{old}` is sent as `{new}`." for old, new in adaptation.renames]
        if adaptation.developer_is_system:
            said.append("The role `developer` is sent as `system`.")
        if adaptation.leaves_out:
            said.append("Left out: " + ", ".join(f"`{name}`" for name in adaptation.leaves_out) + ".")
        if adaptation.pdf_engine is not None:
            said.append(f"Files are read by the engine `{adaptation.pdf_engine}` where the request names none.")
        said += [f"`{name}` is left out when it is `{value.strip(chr(34))}`." for name, value in adaptation.without]
    return " ".join(said)
