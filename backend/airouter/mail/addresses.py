"""E-mail addresses as a header carries them: nothing that a stranger typed can become another header or recipient."""

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr


class AddressUnusable(ValueError):
    """Nothing can be sent to, or from, what is given."""


def address_of(text: str) -> Address:
    """`a@example.com` or `Name <a@example.com>`.

    Raises:
        AddressUnusable
    """
    name, spec = parseaddr(text)
    local, at, domain = spec.rpartition("@")
    is_odd = any(character < " " or character == "\x7f" for character in text) or any(mark in spec for mark in " ,;<>")
    if is_odd or not at or not local or not domain:
        raise AddressUnusable("this is no address that mail can have")
    try:
        return Address(display_name=name, username=local, domain=domain.encode("idna").decode())
    except (ValueError, IndexError, HeaderParseError, UnicodeError) as error:
        raise AddressUnusable("this is no address that mail can have") from error
