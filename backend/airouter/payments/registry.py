"""Every processor of this build, by the name that a payment method carries."""

from airouter.payments.contract import AnyProcessor
from airouter.payments.epay import Epay
from airouter.payments.epay_rsa import EpayRsa
from airouter.payments.manual import Manual
from airouter.payments.stripe import Stripe


def processors(*more: AnyProcessor) -> dict[str, AnyProcessor]:
    """Those of every instance, and `more`: the demo's, which production does not have."""
    found: tuple[AnyProcessor, ...] = (Stripe(), Epay(), EpayRsa(), Manual(), *more)
    return {processor.name: processor for processor in found}
