"""Notices of payment processors: verified, kept, acted upon, and only then acknowledged."""

import logging

from airouter.domain.errors import NotFound
from airouter.domain.order_errors import WebhookNotUnderstood, WebhookRefused
from airouter.payments.contract import Acknowledgement, Delivery, WebhookForged, WebhookUnreadable
from airouter.services.audit_log import Actor
from airouter.services.payment_inbox import PaymentInbox, Said
from airouter.services.payment_methods import PaymentMethods

logger = logging.getLogger(__name__)


class Webhooks:
    """What the webhook of a method does."""

    def __init__(self, methods: PaymentMethods, inbox: PaymentInbox) -> None:
        self._methods = methods
        self._inbox = inbox

    async def receive(self, method_id: str, delivery: Delivery, actor: Actor) -> Acknowledgement:
        """Returns when everything the notice says is done, or was done before. Whatever is raised, the processor has to
        send it again.

        Raises:
            NotFound: there is no such method, or it has no secret that a notice could be signed with. One that is only
                not offered any more still hears of what was sold: payments on their way, refunds, disputes.
            WebhookRefused, WebhookNotUnderstood
            DatabaseUnavailable
        """
        method = await self._methods.known(method_id)
        if method is None or not method.processor.has_webhook:
            raise NotFound
        try:
            events = method.processor.read_webhook(delivery, method.access)
        except WebhookForged as error:
            logger.warning("webhook.refused", extra={"method": method_id, "why": str(error)})
            raise WebhookRefused from None
        except WebhookUnreadable as error:
            logger.warning("webhook.not_understood", extra={"method": method_id, "why": str(error)})
            raise WebhookNotUnderstood from None
        body = f"{delivery.method} ?{delivery.query}\n\n{delivery.body.decode('latin-1')}"
        for event in events:
            outcome = await self._inbox.take(Said(source="webhook", method_id=method_id, event=event, body=body), actor)
            logger.info("webhook.taken", extra={"method": method_id, "kind": event.kind, "outcome": outcome})
        return method.processor.acknowledgement
