"""The longest that may be written everywhere: without a space, in wide letters, in Chinese, and in big figures."""

import json
from typing import Any

import httpx

from airouter.world import new_id
from tests.builders import person, run_sql, spend
from tests.journeys.instance import Account, Instance

GROUP = "W" * 64
MODEL = "Wide/" + "W" * 195
NAME = "Unbroken" * 15
CHINESE = "没有空格的很长名称" * 13
EMAIL = f"{'w' * 64}@{'m' * 63}.{'m' * 63}.{'m' * 50}.example"
ADDRESS = "2001:db8:85a3:8d3:1319:8a2e:370:7348"
SENTENCE = "the_upstream_said_" * 27
TEXT = f"{'W' * 300} {'没有空格的很长文字' * 40}"
HOST = f"{'w' * 60}.{'w' * 60}.example"
LARGEST = 2**53 - 1
RATE = 9_999_990_000_000


class Hostile:
    """Writes it all, and remembers where it is to be seen."""

    def __init__(self, instance: Instance, api: httpx.AsyncClient) -> None:
        self._instance = instance
        self._api = api
        self.ids: dict[str, str] = {}

    async def fill(self) -> None:
        await self._catalogue()
        await self._channel()
        await self._people()
        await self._keys_and_calls()
        await self._money()
        await self._teams()
        await self._prices()
        await self._what_only_the_database_takes()

    async def _post(self, path: str, body: dict[str, Any], *, verb: str = "POST") -> dict[str, Any]:
        answer = await self._api.request(verb, path, json=body, headers={"idempotency-key": str(new_id())})
        assert answer.status_code < 300, f"{verb} {path}: {answer.text}"
        return answer.json() if answer.content else {}

    async def _catalogue(self) -> None:
        await self._post(
            "admin/groups", {"name": GROUP, "label": NAME, "multiplier_micros": 1_234_567, "is_public": True}
        )
        model = {"model": MODEL, "vendor": NAME, "description": TEXT, "context_window": 2**31 - 1}
        await self._post("admin/models", {**model, "max_output_tokens": 2**31 - 1})
        rates = dict.fromkeys(("input", "cached_input", "cache_write_5m", "output", "image", "request"), RATE)
        tier = {"when": {"input_tokens_above": 2**31 - 1}, "rates": rates}
        card = await self._post("admin/rate-cards", {"model": MODEL, "rates": rates, "tiers": [tier]})
        self.ids["card"] = card["id"]
        links = {NAME: f"https://{HOST}/", CHINESE: f"https://{HOST}/zh"}
        await self._post("admin/policies/display", {"name": NAME, "links": links}, verb="PUT")

    async def _channel(self) -> None:
        draft = {
            "name": NAME, "provider": "openai", "base_url": f"https://{HOST}/{'p' * 200}", "models": {MODEL: MODEL},
            "groups": ["default", GROUP], "credentials": ["sk-" + "w" * 60], "priority": 1_000_000, "weight": 1_000_000,
            "enabled": False,
        }  # fmt: skip
        made = await self._post("admin/channels", draft)
        self.ids["channel"] = made["id"]
        await self._post(f"admin/channels/{made['id']}/credentials", {"label": NAME, "secret": "sk-" + "m" * 60})
        cost = {"model": MODEL, "rates": {"input": RATE, "output": RATE}}
        await self._post(f"admin/channels/{made['id']}/costs", cost, verb="PUT")
        await run_sql(
            self._instance.dsn,
            "UPDATE channel_credentials SET disabled_at = now(), disabled_by = 'gateway', disabled_reason = $1",
            SENTENCE[:480],
        )
        for credential in await run_sql(
            self._instance.dsn, "SELECT channel_id, credential_id FROM channel_credentials"
        ):
            await run_sql(
                self._instance.dsn,
                "INSERT INTO channel_probes (channel_id, credential_id, model, is_ok, status, latency_ms, error) "
                "VALUES ($1, $2, $3, false, 500, 2147483647, $4)",
                *credential, MODEL, SENTENCE,
            )  # fmt: skip

    async def _people(self) -> None:
        email, joined = await person(self._instance.dsn, email=EMAIL, group=GROUP)
        self.ids["account"] = str(joined.account_id)
        adjustment = {"amount": LARGEST - 1, "reason": SENTENCE}
        await self._post(f"admin/accounts/{joined.account_id}/adjustments", adjustment)
        self.person = Account(email=email, password="")
        me = (await self._api.get("me")).json()
        self.ids["me"] = me["accounts"][0]["id"]
        await self._post(f"admin/accounts/{self.ids['me']}", {"group": GROUP}, verb="PATCH")
        await self._post(f"admin/accounts/{self.ids['me']}/adjustments", {"amount": LARGEST // 2, "reason": SENTENCE})

    async def _keys_and_calls(self) -> None:
        key = {"name": NAME, "models": [MODEL], "allowed_ips": [ADDRESS, "198.51.100.0/24"], "group": GROUP}
        made = await self._post("keys", {**key, "spend_limit": LARGEST})
        await self._post("keys", {"name": CHINESE[:110]})
        dsn = self._instance.dsn
        card = (await run_sql(dsn, "SELECT rate_card_id FROM rate_cards WHERE model = 'demo-large'"))[0]["rate_card_id"]
        key_id = (await run_sql(dsn, "SELECT key_id FROM keys WHERE name = $1", NAME))[0]["key_id"]
        assert str(key_id) == made["id"]
        quantities = {"input": 2_000_000_000, "cached_input": 1_999_999_999, "output": 1_234_567_890}
        self.ids["call"] = str(await spend(dsn, key_id, card, model="demo-large", quantities=quantities))
        await run_sql(
            dsn,
            "UPDATE usage_records SET model = $1, requested_model = $1, upstream_model = $1, group_name = $2, "
            "client_request_id = $3, channel_id = $4, latency_ms = 2147483647, service_tier = 'priority'",
            MODEL, GROUP, SENTENCE[:256], self.ids["channel"],
        )  # fmt: skip
        await self._post("alerts", {"kind": "low_balance", "threshold": LARGEST, "to_mail": True})
        hook = {"kind": "key_budget", "threshold": 80, "webhook_url": f"https://93.184.216.34/{'w' * 1900}"}
        await self._post("alerts", hook)
        await self._post("tokens", {"name": NAME, "scopes": ["wallet.read", "orders.read"]})

    async def _money(self) -> None:
        batch = await self._post("admin/redemption-batches", {
            "name": NAME, "amount": 10**15, "count": 1, "code": "W" * 40, "uses_per_code": 10,
            "expires_at": "2099-01-01T00:00:00Z",
        })  # fmt: skip
        self.ids["batch"] = batch["batch"]["id"] if "batch" in batch else batch["id"]
        await self._post("redemptions", {"code": "W" * 40})
        method = {
            "id": "m" * 63, "processor": "manual", "label": CHINESE[:110], "text": TEXT, "currency": "EUR",
            "quota_per_minor_unit": 1_000, "config": {"instructions": TEXT}, "enabled": True,
            "packages": [{"id": "p" * 63, "label": NAME, "amount": 10**11, "quota": 10**14, "bonus_quota": 10**13}],
            "fee": {"fixed": 10**6, "micros": 10_000},
        }  # fmt: skip
        await self._post("admin/payment-methods", method)
        order = await self._post("topup/orders", {"method": method["id"], "package": "p" * 63})
        self.ids["order"] = order["id"]
        review = await self._post("topup/orders", {"method": method["id"], "amount": 10**11})
        note = {"amount": 10**11 + 7, "reason": SENTENCE[:400]}
        await self._post(f"admin/orders/{review['id']}/confirm", note)
        self.ids["review"] = review["id"]
        await run_sql(self._instance.dsn, "UPDATE orders SET processor_reference = $1, trade_number = $1", "R" * 200)

    async def _teams(self) -> None:
        team = await self._post("accounts", {"name": NAME})
        self.ids["team"] = team["id"]
        for address in (EMAIL.replace("www", "xyz"), "somebody@example.com"):
            invitation = {"email": address, "team_role": "billing"}
            answer = await self._api.post(f"accounts/{team['id']}/invitations", json=invitation)
            assert answer.status_code < 300, answer.text
        user = (await run_sql(self._instance.dsn, "SELECT user_id FROM users WHERE email = $1", EMAIL))[0]["user_id"]
        await run_sql(
            self._instance.dsn,
            "INSERT INTO members (account_id, user_id, team_role) VALUES ($1, $2, 'member')", team["id"], user,
        )  # fmt: skip

    async def _prices(self) -> None:
        entry = {"litellm_provider": NAME, "mode": "chat", "input_cost_per_token": 0.123456789,
                 "output_cost_per_token": 6e-12, f"input_cost_per_{'w' * 90}": 1e-08}  # fmt: skip
        content = json.dumps({MODEL: entry, "m" * 200: entry, CHINESE: entry})
        draft = {"source": "litellm", "content": content, "file_name": f"{'f' * 195}.json"}
        self.ids["import"] = (await self._post("admin/price-imports", draft))["id"]

    async def _what_only_the_database_takes(self) -> None:
        """Words of others: of browsers, mail servers and identity providers, and of versions to come."""
        dsn = self._instance.dsn
        me = (await run_sql(dsn, "SELECT user_id FROM users WHERE email = $1", self._instance.operator.email))[0][
            "user_id"
        ]
        act = new_id()
        self.ids["act"] = str(act)
        await run_sql(
            dsn,
            "INSERT INTO audit_log (act_id, action, subject, subject_id, user_id, account_id, address, before, after) "
            "VALUES ($1, $2, 'identity_provider', $3, $4, $5, $6, $7, $8)",
            act, "identity_provider." + "client_secret_" * 8 + "replaced", "s" * 150, me, self.ids["me"], ADDRESS,
            json.dumps({"name": NAME, "models": [MODEL]}), json.dumps({"name": CHINESE, "w" * 90: MODEL}),
        )  # fmt: skip
        await run_sql(dsn, "UPDATE sessions SET user_agent = $1, address = $2", f"{'Agent/' * 60} 没有空格", ADDRESS)
        for state in ("sent", "failed", "given_up"):
            await run_sql(
                dsn,
                "INSERT INTO mails (mail_id, recipient, letter, state, give_up_at, last_error, finished_at, attempts) "
                "VALUES ($1, $2, 'invitation', $3, now() + '1 day', $4, now(), 1000000)",
                new_id(), EMAIL, state, SENTENCE,
            )  # fmt: skip
        await run_sql(
            dsn,
            "INSERT INTO identity_providers (provider_id, kind, label, issuer, client_id, client_secret, scopes) "
            "VALUES ($1, 'oidc', $2, $3, $4, 'x', '{openid}')",
            "i" * 40, CHINESE[:60], f"https://{HOST}/{'i' * 300}", "c" * 400,
        )  # fmt: skip
        await run_sql(
            dsn,
            "INSERT INTO identities (identity_id, user_id, provider_id, subject, name) VALUES ($1, $2, $3, $4, $4)",
            new_id(), me, "i" * 40, "s" * 200,
        )  # fmt: skip
        await self._referral(dsn)

    async def _referral(self, dsn: str) -> None:
        referral, account = new_id(), self.ids["account"]
        await run_sql(
            dsn,
            "INSERT INTO referrals (referral_id, referrer_account, invitee_account, identity, condition, "
            "first_order_minimum, verified_email_only, share_micros, network) "
            "VALUES ($1, $2, $3, 'x', 'registration', 0, false, 0, $4)",
            referral, self.ids["me"], account, ADDRESS,
        )  # fmt: skip
        await run_sql(
            dsn,
            "INSERT INTO rewards (reward_id, referral_id, account_id, side, cause, amount, wanted, state, note) "
            "VALUES ($1, $2, $3, 'referrer', 'joining', $4, $4, 'withheld', $5)",
            new_id(), referral, self.ids["me"], LARGEST, SENTENCE,
        )  # fmt: skip
