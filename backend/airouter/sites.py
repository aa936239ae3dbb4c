"""Whether two addresses are one site to a browser, which is what decides about SameSite cookies."""

import ipaddress
from urllib.parse import urlsplit

# Second-level labels below which countries hand out domains (example.co.uk). Not the whole public suffix list: a wrong
# "same site" costs no safety, the browser still withholds the cookie; this check only gives the reason beforehand.
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "go", "gob", "mil", "ne", "net", "or", "org"})
_SHARED_HOSTING = frozenset(
    {"github.io", "gitlab.io", "pages.dev", "workers.dev", "vercel.app", "netlify.app", "fly.dev", "onrender.com"}
)


def is_loopback(host: str) -> bool:
    """Whether `host` is this very machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def site_difference(first: str, second: str) -> str | None:
    """Why two URLs are different sites, in words, or None where they are one. The port plays no part in it."""
    one, other = urlsplit(first), urlsplit(second)
    if one.scheme != other.scheme:
        return f"one is {one.scheme}, the other {other.scheme}"
    host, other_host = one.hostname or "", other.hostname or ""
    if host == other_host:
        return None
    site, other_site = _site(host), _site(other_host)
    if site == other_site:
        return None
    if is_loopback(host) and is_loopback(other_host):
        return f"{host} and {other_host} are this machine under two names"
    return f"{site} is not {other_site}"


def _site(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        labels = host.rstrip(".").split(".")
    suffix = 1
    if ".".join(labels[-2:]) in _SHARED_HOSTING or (
        len(labels[-1]) == 2 and labels[-2:-1] and labels[-2] in _SECOND_LEVEL
    ):
        suffix = 2
    return ".".join(labels[-(suffix + 1) :])
