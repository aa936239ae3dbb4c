"""The table of vendors.py as operators read it in docs/operate/providers.md."""

from typing import Final

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
        said += [f"`{name}` is left out when it is `{value.strip(chr(34))}`." for name, value in adaptation.without]
    return " ".join(said)
