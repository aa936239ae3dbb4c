"""Who may join."""

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from airouter.domain.email_address import domain_of, normal_domain
from airouter.domain.errors import InvalidRequest
from airouter.domain.policies.topic import Link, Text, Topic
from airouter.domain.quota import WALLET_MAX

_DOMAIN: Final = re.compile(r"(?!-)[^\s@/:.]{1,63}(\.[^\s@/:.]{1,63})+")
_DOMAINS_MAX: Final = 1000


class SignUp(Topic, frozen=True, kw_only=True):
    """Who may join. Closed until the operator opens it."""

    mode: Literal["closed", "invitation", "open"] = "closed"
    """`invitation`: only through a team's invitation, which works while sign-up is closed as well."""
    verify_email: bool = False
    """Nobody is in before they followed the link in a mail to their address."""
    allowed_domains: tuple[Text, ...] = ()
    """Only addresses at these domains and below them; empty: any."""
    blocked_domains: tuple[Text, ...] = ()
    """No addresses at these domains or below them."""
    welcome_grant: Annotated[int, Meta(ge=0, le=WALLET_MAX)] = 0
    """Quota for somebody new once their address is verified, once for each mailbox, ever."""
    challenge: Literal["none", "proof_of_work", "turnstile"] = "none"
    """What a browser has to do first, so that joining in bulk costs something."""
    proof_of_work_bits: Annotated[int, Meta(ge=8, le=26)] = 18
    """Each bit doubles the work; 18 is about a second."""
    turnstile_site_key: Text | None = None
    """Public key of the widget. Its secret is set by an owner, apart from here."""
    turnstile_script_url: Link | None = None
    """Script that draws the widget, with `render=explicit`."""
    turnstile_verify_url: Link | None = None
    """Where the widget's answer is verified."""
    group: str = "default"
    """The group that a new account starts in."""

    def check(self) -> None:
        for name, domains in (("allowed_domains", self.allowed_domains), ("blocked_domains", self.blocked_domains)):
            if len(domains) > _DOMAINS_MAX:
                raise InvalidRequest(f"{name}: at most {_DOMAINS_MAX}.", field=name)
            for number, domain in enumerate(domains):
                if not _DOMAIN.fullmatch(domain):
                    field = f"{name}[{number}]"
                    raise InvalidRequest(f"{field}: {domain!r} is no domain such as example.com.", field=field)
        if self.welcome_grant and not self.verify_email:
            raise InvalidRequest(
                "welcome_grant: quota is only given to verified addresses. Turn verify_email on as well.",
                field="welcome_grant",
            )
        if self.challenge == "turnstile":
            for name in ("turnstile_site_key", "turnstile_script_url", "turnstile_verify_url"):
                if not getattr(self, name):
                    raise InvalidRequest(f"{name}: this challenge needs it.", field=name)
        for name in ("turnstile_script_url", "turnstile_verify_url"):
            url = getattr(self, name)
            if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
                raise InvalidRequest(f"{name}: an address begins with https://.", field=name)

    def needs_mail(self) -> str | None:
        return "verify_email" if self.verify_email else None

    def takes(self, email: str) -> bool:
        """Whether the operator lets people with such an address join."""
        domain = domain_of(email)

        def covers(listed: str) -> bool:
            listed = normal_domain(listed)
            return domain == listed or domain.endswith(f".{listed}")

        if any(covers(listed) for listed in self.blocked_domains):
            return False
        return not self.allowed_domains or any(covers(listed) for listed in self.allowed_domains)
