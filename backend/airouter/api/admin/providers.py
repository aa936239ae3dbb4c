"""The vendors that a channel can name, for forms and scripts."""

import msgspec
from litestar import get
from litestar.di import NamedDependency

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.providers import vendor_words_zh
from airouter.providers.vendors import VENDORS, CredentialForm
from airouter.services.channels import WITHOUT_ADDRESS
from airouter.wire.endpoint import Endpoint


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The same in each language of the console. Code stands between backticks."""

    en: str
    zh: str


class VendorView(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor. `base_url` empty: everybody has an address of their own, as `base_url_hint` shows."""

    name: str
    label: str
    base_url: str
    base_url_hint: str
    needs_address: bool
    credential: CredentialForm
    """`key`: an API key. `optional`: one where the server wants it. `none`. The others: see `credential_hint`."""
    credential_hint: Words
    endpoints: list[Endpoint]
    """What it is asked for in its own dialect; others are translated into these."""
    docs: str
    notes: Words


class VendorList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[VendorView]


@get(
    "/admin/providers",
    operation_id="listProviders",
    permission="operator.read",
    summary="Vendors that a channel can name",
    responses=refusals(401, 403),
    tags=["Admin"],
    sync_to_thread=False,
)
def list_providers(operator: NamedDependency[Operator]) -> VendorList:
    """By label. Names are what `provider` of a channel says."""
    del operator
    ordered = sorted(VENDORS.items(), key=lambda item: item[1].label.lower())
    return VendorList(
        items=[
            VendorView(
                name=name,
                label=vendor.label,
                base_url=vendor.base_url,
                base_url_hint=vendor.base_url_hint,
                needs_address=name not in WITHOUT_ADDRESS,
                credential=vendor.credential,
                credential_hint=_words(vendor.credential_hint, vendor_words_zh.HINTS.get(name)),
                endpoints=list(vendor.endpoints),
                docs=vendor.docs,
                notes=_words(vendor.notes, vendor_words_zh.NOTES.get(name)),
            )
            for name, vendor in ordered
        ]
    )


def _words(en: str, zh: str | None) -> Words:
    return Words(en=en, zh=en if zh is None else zh)
