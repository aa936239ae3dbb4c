"""The demo: an operator, groups, models with rates, a scripted channel and a key with some quota, clearly labelled.

Everything is made through the services that the console uses, once. What must be known afterwards (the database has
only hashes of it) is kept in the home; what is lost there is made anew.
"""

import secrets

import msgspec

from airouter.domain.catalogue import DEFAULT_GROUP
from airouter.domain.currency import exponent_of
from airouter.domain.errors import AlreadyExists, EmailTaken, NotFound
from airouter.domain.ids import AccountId, KeyId, UserId
from airouter.domain.policy import Network
from airouter.domain.quota import QUOTA_PER_UNIT
from airouter.domain.quote import BonusTier, Package
from airouter.domain.rate_card import TierCondition
from airouter.payments.demo import DEMO_PAYMENTS, DemoBank
from airouter.payments.demo import Demo as DemoProcessor
from airouter.payments.registry import processors
from airouter.running.home import Home
from airouter.services.admin_accounts import AdminAccounts
from airouter.services.attempts import Attempts
from airouter.services.audit_log import Actor
from airouter.services.channels import ChannelDraft, Channels
from airouter.services.groups import GroupDraft, Groups
from airouter.services.keys import KeyDraft, KeyOwner, Keys
from airouter.services.links import Links
from airouter.services.models import ModelDraft, Models
from airouter.services.passwords import Passwords
from airouter.services.payment_method_forms import MethodDraft
from airouter.services.payment_methods import PaymentMethods
from airouter.services.policies import PolicyBook
from airouter.services.rate_cards import RateCardDraft, RateCards, Rates, TierDraft
from airouter.services.sessions import Sessions, Standings
from airouter.services.sign_ins import SignIns
from airouter.services.users import Client, Users
from airouter.services.vault import Vault
from airouter.services.wallets import Wallets
from airouter.settings import Settings
from airouter.storage.accounts import wallet_of
from airouter.storage.admin_accounts import Page
from airouter.storage.database import Database
from airouter.storage.users import find_user_by_email
from airouter.world import new_id

EMAIL = "operator@demo.example"
QUOTA = 100_000_000_000  # 100 units of the ledger currency
KEPT = "demo-secrets.json"
PRIVATE_GROUP = "vip"
PAYMENT_METHOD = "demo"

GROUPS = (
    GroupDraft(name=DEFAULT_GROUP, label="Default", multiplier_micros=1_000_000, is_public=True),
    GroupDraft(name=PRIVATE_GROUP, label="VIP (demo)", multiplier_micros=800_000, is_public=False),
)
# Rates are integer quota per million tokens; 1 000 000 000 quota is one unit of the ledger currency.
MODELS = (
    (
        ModelDraft(
            model="demo-small",
            vendor="Demo",
            description="Made-up answers at made-up prices: quick and cheap.",
            context_window=128_000,
            max_output_tokens=16_384,
        ),
        RateCardDraft(model="demo-small", rates=Rates(input=150_000_000, cached_input=75_000_000, output=600_000_000)),
    ),
    (
        ModelDraft(
            model="demo-large",
            vendor="Demo",
            description="Made-up answers at made-up prices: dearer, and dearer still above 200 000 input tokens.",
            context_window=1_000_000,
            max_output_tokens=64_000,
        ),
        RateCardDraft(
            model="demo-large",
            rates=Rates(input=3_000_000_000, cached_input=300_000_000, output=15_000_000_000),
            tiers=[
                TierDraft(
                    when=TierCondition(input_tokens_above=200_000),
                    rates=Rates(input=6_000_000_000, cached_input=600_000_000, output=22_500_000_000),
                )
            ],
        ),
    ),
    (
        ModelDraft(
            model="demo-embedding",
            vendor="Demo",
            description="Made-up vectors at a made-up price.",
            context_window=8_192,
        ),
        RateCardDraft(model="demo-embedding", rates=Rates(input=20_000_000)),
    ),
)
CHANNEL = ChannelDraft(
    name="Demo (scripted, no provider is called)",
    provider="scripted",
    models=[model.model for model, _ in MODELS],
    groups=[DEFAULT_GROUP, PRIVATE_GROUP],
)


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
    """What the seeding made up and nobody could read out of the database."""

    email: str
    password: str
    key_id: KeyId
    key: str
    model: str = MODELS[0][0].model

    def card(self, console_url: str, base_url: str) -> Card:
        """The content of `demo.json`."""
        operator = Credentials(email=self.email, password=self.password)
        return Card(console_url=console_url, base_url=base_url, key=self.key, model=self.model, operator=operator)


async def seed(settings: Settings, home: Home) -> Demo:
    """The demo of this database, made where it is not there yet."""
    database = await Database.open(settings.database, size_max=2)
    passwords = Passwords(settings.password_hashes_at_once)
    try:
        demo = await _Seeding(settings, database, passwords).make(home.read(KEPT, Demo))
    finally:
        passwords.close()
        await database.close()
    home.write(KEPT, demo)
    return demo


class _Seeding:
    def __init__(self, settings: Settings, database: Database, passwords: Passwords) -> None:
        vault = Vault(settings.secret_keys)
        sessions = Sessions(database, vault, Standings(lambda: False))
        self._settings = settings
        self._database = database
        self._passwords = passwords
        self._users = Users(
            database, vault, passwords, Attempts(database, vault), sessions, sign_ins=SignIns(vault, sessions)
        )
        self._channels = Channels(database, vault)
        self._keys = Keys(database)
        self._links = Links(database, vault)
        demo = DemoProcessor(DemoBank(settings.home / DEMO_PAYMENTS), settings.public_url)
        self._methods = PaymentMethods(database, vault, processors(demo), public_url=settings.public_url)

    async def make(self, kept: Demo | None) -> Demo:
        """Complete what an interrupted seeding left, and renew what can no longer be known."""
        if kept is not None and await self._still_holds(kept):
            return kept
        password = kept.password if kept is not None else secrets.token_urlsafe(12)
        user_id = await self._operator(password)
        await self._catalogue(user_id)
        owner = await self._owner(user_id)
        await self._grant(owner, user_id)
        await self._open_network(user_id)
        await self._payment_method()
        key_id = KeyId(new_id())
        _, key = await self._keys.create(owner, KeyDraft(name="Demo key"), key_id)
        assert key is not None  # the id is new, so the key is
        return Demo(email=EMAIL, password=password, key_id=key_id, key=key)

    async def _still_holds(self, kept: Demo) -> bool:
        async with self._database.connection() as connection:
            user = await find_user_by_email(connection, kept.email)
        if user is None or not await self._passwords.verify(user.password_hash, kept.password):
            return False
        owner = await self._owner(user.user_id)
        try:
            return (await self._keys.get(owner, kept.key_id)).status == "active"
        except NotFound:
            return False

    async def _operator(self, password: str) -> UserId:
        try:
            return (await self._users.create(EMAIL, password, role="owner")).user_id
        except EmailTaken:
            # There from a start whose home is lost: the one-time link is the way to a new password.
            token = await self._links.operator_link(EMAIL)
            await self._users.accept(token, password, Client(address="127.0.0.1", user_agent="airouter up"))
        async with self._database.connection() as connection:
            user = await find_user_by_email(connection, EMAIL)
        assert user is not None  # accept() just set this person's password
        return user.user_id

    async def _catalogue(self, made_by: UserId) -> None:
        for group in GROUPS:
            await Groups(self._database).save(group)
        for model, card in MODELS:
            view, _ = await Models(self._database).save(model)
            if view.rate_card is None:
                await RateCards(self._database).add(card, Actor(user_id=made_by))
        try:
            await self._channels.create(CHANNEL)
        except AlreadyExists:
            return

    async def _owner(self, user_id: UserId) -> KeyOwner:
        page = Page(after_time=None, after_id=None, limit=10)
        found = await AdminAccounts(self._database).search(text=EMAIL, group=None, status=None, page=page)
        account = next(line for line in found if line.kind == "personal" and line.members[0].user_id == user_id)
        async with self._database.connection() as connection:
            wallet = await wallet_of(connection, AccountId(account.id))
        return KeyOwner(account_id=account.id, wallet_id=wallet.wallet_id, user_id=user_id, account_group=account.group)

    async def _open_network(self, made_by: UserId) -> None:
        """A demo is tried with a model on the same machine, so its channels may have private addresses.

        Only where nobody has said anything about it.
        """
        policies = PolicyBook(self._database)
        if (await policies.get("network")).updated_at is None:
            await policies.put(Network(allow_private=True), Actor(user_id=made_by))

    async def _payment_method(self) -> None:
        """Pretended payments, so that buying quota can be tried: some packages, and a little extra from 50 on."""
        exponent = exponent_of(self._settings.currency)
        if exponent is None:
            return
        unit = 10**exponent
        draft = MethodDraft(
            id=PAYMENT_METHOD,
            processor=DemoProcessor.name,
            label="Demo Pay",
            text="Pretended: no money moves",
            currency=self._settings.currency,
            quota_per_minor_unit=QUOTA_PER_UNIT // unit,
            minimum=5 * unit,
            maximum=500 * unit,
            packages=tuple(
                Package(id=f"p{units}", label=label, amount=units * unit)
                for units, label in ((10, "Try it"), (25, "A small project"), (50, "A month"), (100, "A team"))
            ),
            bonus_tiers=(
                BonusTier(minimum=50 * unit, bonus_micros=10_000),
                BonusTier(minimum=100 * unit, bonus_micros=20_000),
            ),
            secrets={"signing_secret": secrets.token_urlsafe(32)},
        )
        try:
            await self._methods.create(draft)
        except AlreadyExists:
            return

    async def _grant(self, owner: KeyOwner, made_by: UserId) -> None:
        """Once in the life of this database: whoever used it up may adjust the account."""
        await Wallets(self._database).grant(
            owner.account_id, QUOTA, reference=f"demo:{owner.account_id}", memo="Demo quota", made_by=made_by
        )
