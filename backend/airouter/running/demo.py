"""The demo: an operator, groups, models with rates, a scripted channel and a key with some quota, clearly labelled."""

import importlib.util

import msgspec

from airouter.running.home import Home
from airouter.running.workers import Say
from airouter.settings import Settings


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """How to sign in."""

    email: str
    password: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """`demo.json`: what a script needs to use the demo."""

    console_url: str
    base_url: str
    key: str
    model: str
    operator: Credentials


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """What the seeding made up, kept in the home: the database has only hashes of it."""

    email: str
    password: str
    key: str
    model: str

    def card(self, console_url: str, base_url: str) -> Card:
        """The content of `demo.json`."""
        operator = Credentials(email=self.email, password=self.password)
        return Card(console_url=console_url, base_url=base_url, key=self.key, model=self.model, operator=operator)


async def seed(settings: Settings, home: Home, say: Say) -> Demo | None:
    """Make the demo's data where they are not there yet."""
    if importlib.util.find_spec("airouter.services.keys") is None:
        say("The demo's data cannot be made yet.")
        return None
    raise NotImplementedError(settings, home)
