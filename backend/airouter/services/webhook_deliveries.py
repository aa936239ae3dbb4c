"""Sending webhooks to addresses that people gave: signed, tried again for about a day, written down.

The address is anybody's (guarantee G13): the client's guard judges what it connects to, no redirect is followed, and of
the answer little is read. A receiver may see a delivery twice, when a process died between the answer and the note of
it; the id in `x-airouter-delivery` is the same then.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx

from airouter.domain.alert import SIGNATURE_HEADER, DeliveryState, pause_after, signature
from airouter.domain.errors import InvalidRequest
from airouter.services.vault import SecretUnreadable, Vault
from airouter.storage import alerts as rows
from airouter.storage.alerts import ClaimedDelivery
from airouter.storage.database import Database
from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.contract import AddressRefused
from airouter.world import now

logger = logging.getLogger(__name__)

JOB: Final = "webhooks"
PURPOSE: Final = "alert-webhook"
TABLE: Final = "alerts"
_AT_ONCE: Final = 20
_PATIENCE: Final = timedelta(minutes=2)
_SECONDS: Final = 10.0
_ANSWER_BYTES_MAX: Final = 16_384
_URL_LENGTH_MAX: Final = 2000
_ERROR_LENGTH_MAX: Final = 300
_PUBLIC_STAND_IN: Final = "1.1.1.1"


class WebhookDeliveries:
    """`http` connects to public addresses only."""

    def __init__(self, database: Database, vault: Vault, http: httpx.AsyncClient) -> None:
        self._database = database
        self._vault = vault
        self._http = http

    async def deliver(self) -> None:
        """Send what is due. Any number of processes may do so at once."""
        while True:
            async with self._database.transaction() as connection:
                claimed = await rows.claim_deliveries(connection, _AT_ONCE, _PATIENCE)
            if not claimed:
                return
            await asyncio.gather(*(self._send(delivery) for delivery in claimed))

    async def _send(self, delivery: ClaimedDelivery) -> None:
        status: int | None = None
        error: str | None = None
        try:
            async with asyncio.timeout(_SECONDS):
                status = await self._post(delivery)
            if not 200 <= status < 300:
                error = f"the receiver answered {status}"
        except TimeoutError:
            error = f"no answer within {_SECONDS:.0f} seconds"
        except (httpx.HTTPError, httpx.InvalidURL, SecretUnreadable) as failure:
            error = str(failure) or type(failure).__name__
        if error is None:
            await self._note(delivery, "delivered", status, None)
            return
        pause = pause_after(delivery.attempts)
        logger.info("webhook.failed", extra={"delivery": str(delivery.delivery_id), "attempts": delivery.attempts})
        await self._note(delivery, "failed" if pause is None else "pending", status, error, pause)

    async def _post(self, delivery: ClaimedDelivery) -> int:
        """The receiver's status. Of what else it says, little is read and nothing kept."""
        if delivery.webhook_url is None or delivery.secret_sealed is None:
            raise httpx.InvalidURL("the alert has no address any more")
        secret = self._vault.decrypt(PURPOSE, TABLE, delivery.alert_id, delivery.secret_sealed)
        body = delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "user-agent": "AI-Router-Webhooks/1",
            "x-airouter-delivery": str(delivery.delivery_id),
            "x-airouter-event": delivery.event,
            SIGNATURE_HEADER: signature(secret, body, int(now().timestamp())),
        }
        read = 0
        async with self._http.stream("POST", delivery.webhook_url, content=body, headers=headers) as answer:
            async for chunk in answer.aiter_raw():
                read += len(chunk)
                if read > _ANSWER_BYTES_MAX:
                    break
            return answer.status_code

    async def _note(
        self,
        delivery: ClaimedDelivery,
        state: DeliveryState,
        status: int | None,
        error: str | None,
        pause: timedelta | None = None,
    ) -> None:
        words = error and error.replace("\x00", "")[:_ERROR_LENGTH_MAX]
        async with self._database.connection() as connection:
            await rows.end_delivery(connection, delivery.delivery_id, state, status=status, error=words, pause=pause)


async def checked_webhook_url(text: str) -> str:
    """The address as it will be called. Numbers are judged here, a name whenever it is connected to.

    Raises:
        InvalidRequest
    """
    if len(text) > _URL_LENGTH_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise _refusal("write it as plain text without spaces, such as https://example.com/hooks/airouter.")
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        raise _refusal("this is no address.") from None
    if url.scheme not in {"http", "https"} or not host:
        raise _refusal("it has to begin with https:// and name a host.")
    if url.username is not None or url.password is not None:
        raise _refusal("user name and password do not belong into an address; the signature proves who calls.")
    try:
        await AddressGuard(AddressClass.PUBLIC, AddressPolicy(), _stand_in).addresses(host, port or 443)
    except AddressRefused:
        raise _refusal("this address cannot be reached from here: webhooks go to public addresses only.") from None
    return text


async def _stand_in(_host: str, _port: int) -> tuple[str, ...]:
    return (_PUBLIC_STAND_IN,)


def _refusal(words: str) -> InvalidRequest:
    return InvalidRequest(f"webhook_url: {words}", field="webhook_url")
