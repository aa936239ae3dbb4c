"""The demo processor's page to pay at. Registered in demo mode only: production answers 404 here.

It stands for the page of another company: it takes nothing from the console, keeps its own memory (payments/demo.py),
and reports to the method's webhook over HTTP as Stripe would.
"""

import html
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from airouter.api.callers import Visitor
from airouter.domain.errors import Conflict, InvalidRequest, NotFound
from airouter.payments.amounts import to_decimal
from airouter.payments.demo import PAGE, SIGNATURE_HEADER, Deal, DemoBank, notice_of, sign

logger = logging.getLogger(__name__)

Language = str
_TRIES: Final = 3
_SECONDS: Final = 10.0

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "title": "Demo payment",
        "warning": "This is AI Router's demo processor. No money moves; choose what a payment company would report.",
        "to_pay": "To pay",
        "order": "Order",
        "pay": "Pay",
        "decline": "Decline the payment",
        "lose": "Pay, but lose the notice",
        "lose_why": "The reconciler finds out by asking.",
        "wrong": "Pay a different amount",
        "wrong_why": "The order has to be reviewed by an operator.",
        "back": "Back to AI Router",
        "paid": "This order was paid here.",
        "declined": "This payment was declined. You can still pay.",
        "disputed": "The buyer disputes this payment.",
        "dispute": "Dispute the payment",
        "withdraw": "Withdraw the dispute",
    },
    "zh": {
        "title": "演示支付",
        "warning": "这是 AI Router 的演示支付渠道，不会产生任何资金往来。请选择支付公司应当上报的结果。",
        "to_pay": "应付",
        "order": "订单",
        "pay": "支付",
        "decline": "支付失败",
        "lose": "支付成功，但通知丢失",
        "lose_why": "对账任务会主动查询并入账。",
        "wrong": "支付错误的金额",
        "wrong_why": "订单会进入人工复核。",
        "back": "返回 AI Router",
        "paid": "此订单已在这里支付。",
        "declined": "此次支付失败，仍可重新支付。",
        "disputed": "付款人对此笔付款提出了争议。",
        "dispute": "对付款提出争议",
        "withdraw": "撤回争议",
    },
}

_STYLE: Final = """
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #fff; --ink: #1d1b18; --soft: #6d675e; --line: #e2ddd4;
  --act: #1d1b18; --act-ink: #fff; --warn: #fff4d9; --warn-ink: #6b4e00; }
@media (prefers-color-scheme: dark) { :root { --paper: #151413; --card: #1e1c1a; --ink: #f0ece5; --soft: #a49c90;
  --line: #36322d; --act: #f0ece5; --act-ink: #151413; --warn: #3a2f12; --warn-ink: #f3d99a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px 16px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 400px; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 24px; }
h1 { margin: 0 0 16px; font-size: 17px; }
.warning { background: var(--warn); color: var(--warn-ink); border-radius: 8px; padding: 10px 12px; font-size: 13px; }
dl { margin: 20px 0; display: grid; grid-template-columns: auto 1fr; gap: 6px 16px; }
dt { color: var(--soft); } dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.amount { font-size: 26px; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.2; }
.id { font: 12px/1.6 ui-monospace, monospace; }
form { display: grid; gap: 8px; margin: 0; }
button, a.back { min-height: 44px; padding: 8px 14px; border: 1px solid var(--line); border-radius: 8px; font: inherit;
  background: none; color: inherit; cursor: pointer; text-align: left; text-decoration: none; }
button.main { background: var(--act); color: var(--act-ink); border-color: var(--act); text-align: center;
  font-weight: 600; }
button small { display: block; color: var(--soft); }
a.back { display: block; text-align: center; border: 0; margin-top: 8px; color: var(--soft); }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
"""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A button: what it makes of the deal, and which notice goes out, if any."""

    label: str
    why: str | None = None
    is_main: bool = False


_OPEN: Final = {
    "pay": Outcome(label="pay", is_main=True),
    "decline": Outcome(label="decline"),
    "lose": Outcome(label="lose", why="lose_why"),
    "wrong": Outcome(label="wrong", why="wrong_why"),
}
_PAID: Final = {"dispute": Outcome(label="dispute")}
_DISPUTED: Final = {"withdraw": Outcome(label="withdraw")}


def demo_pay_routes(bank: DemoBank, http: Callable[[], httpx.AsyncClient]) -> list[Any]:
    """The page, and what its buttons do."""

    @get(PAGE + "/{token:str}", operation_id="showDemoPayment", include_in_schema=False, sync_to_thread=False)
    def show(
        request: Request[Any, Any, Any],
        token: FromPath[str],
        visitor: NamedDependency[Visitor],
        lang: FromQuery[str | None] = None,
    ) -> Response[bytes]:
        """A page without a script."""
        del visitor
        language = _language(lang, request.headers.get("accept-language", ""))
        return _page(_known(bank, token), language)

    @post(PAGE + "/{token:str}", operation_id="actOnDemoPayment", include_in_schema=False)
    async def act(request: Request[Any, Any, Any], token: FromPath[str], visitor: NamedDependency[Visitor]) -> Redirect:
        """Remember, report, and send the person back."""
        del visitor
        deal = _known(bank, token)
        chosen = parse_qs((await request.body()).decode(errors="replace")).get("outcome", [""])[0]
        if chosen not in _buttons(deal):
            if chosen in {**_OPEN, **_PAID, **_DISPUTED}:
                raise Conflict("This payment is in another state by now.")
            raise InvalidRequest("outcome: none of the buttons of this page.", field="outcome")
        after, kind = _done(deal, chosen)
        bank.keep(after)
        if kind is not None:
            await _report(http(), after, kind)
        return Redirect(path=deal.cancel_url if chosen == "decline" else deal.return_url, status_code=303)

    return [show, act]


def _done(deal: Deal, chosen: str) -> tuple[Deal, Any]:
    """(the deal afterwards, the notice that goes out)."""
    match chosen:
        case "pay":
            return msgspec.structs.replace(deal, state="paid", amount_paid=deal.amount), "paid"
        case "lose":
            return msgspec.structs.replace(deal, state="paid", amount_paid=deal.amount), None
        case "wrong":
            other = deal.amount - 1 if deal.amount > 1 else deal.amount + 1
            return msgspec.structs.replace(deal, state="paid", amount_paid=other), "paid"
        case "decline":
            return msgspec.structs.replace(deal, state="declined"), "failed"
        case "dispute":
            return msgspec.structs.replace(deal, state="disputed", has_been_disputed=True), "dispute_opened"
        case _:
            return msgspec.structs.replace(deal, state="paid"), "dispute_won"


async def _report(http: httpx.AsyncClient, deal: Deal, kind: Any) -> None:
    """Tell the shop; if it does not listen it will ask, as with any processor."""
    body = msgspec.json.encode(notice_of(deal, kind))
    for _ in range(_TRIES):
        stamp = int(time.time())
        headers = {
            "content-type": "application/json",
            SIGNATURE_HEADER: f"{stamp},{sign(body, stamp, deal.secret)}",
        }
        try:
            answer = await http.post(deal.notify_url, content=body, headers=headers, timeout=_SECONDS)
        except httpx.HTTPError as error:
            logger.warning("demo_pay.notice_failed", extra={"order_id": deal.order_id, "error": type(error).__name__})
            return
        if answer.status_code < 500:
            return
    logger.warning("demo_pay.notice_refused", extra={"order_id": deal.order_id})


def _known(bank: DemoBank, token: str) -> Deal:
    deal = bank.find(token)
    if deal is None:
        raise NotFound("The demo processor knows of no such payment.")
    return deal


def _buttons(deal: Deal) -> dict[str, Outcome]:
    match deal.state:
        case "open" | "declined":
            return _OPEN
        case "paid":
            return {} if deal.has_been_disputed else _PAID  # as at most companies, once
        case "disputed":
            return _DISPUTED


def _language(asked: str | None, accepted: str) -> Language:
    return "zh" if (asked or accepted).lower().startswith("zh") else "en"


def _page(deal: Deal, language: Language) -> Response[bytes]:
    words, nonce = _WORDS[language], secrets.token_urlsafe(16)
    amount = f"{to_decimal(deal.amount, deal.exponent)} {deal.currency}"
    state = "" if deal.state == "open" else f"<p>{words[deal.state]}</p>"
    buttons = "".join(_button(name, outcome, words) for name, outcome in _buttons(deal).items())
    text = f"""<!doctype html>
<html lang="{"zh-CN" if language == "zh" else "en"}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{words["title"]}</title><style nonce="{nonce}">{_STYLE}</style></head>
<body><main>
<h1>{words["title"]}</h1>
<p class="warning">{words["warning"]}</p>
<dl>
<dt>{words["to_pay"]}</dt><dd class="amount">{html.escape(amount)}</dd>
<dt></dt><dd>{html.escape(deal.title)}</dd>
<dt>{words["order"]}</dt><dd class="id">{html.escape(deal.order_id)}</dd>
</dl>
{state}
<form method="post">{buttons}</form>
<a class="back" href="{html.escape(deal.return_url)}">{words["back"]}</a>
</main></body></html>
"""
    back = urlsplit(deal.return_url)
    # A form may end at the console, which can be another origin: browsers hold the redirect against form-action too.
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self' {back.scheme}://{back.netloc}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return Response(text.encode(), media_type="text/html; charset=utf-8", headers=headers)


def _button(name: str, outcome: Outcome, words: dict[str, str]) -> str:
    main = ' class="main"' if outcome.is_main else ""
    why = f"<small>{words[outcome.why]}</small>" if outcome.why else ""
    return f'<button{main} name="outcome" value="{name}">{words[outcome.label]}{why}</button>'
