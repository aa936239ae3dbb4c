"""What only operators may call."""

from typing import Any, Final

from airouter.api.admin.accounts import AccountController
from airouter.api.admin.audit_log import AuditLogController
from airouter.api.admin.channels import CHANNELS
from airouter.api.admin.costs import CostController
from airouter.api.admin.groups import GroupController
from airouter.api.admin.identity_providers import IdentityProviderController
from airouter.api.admin.mails import MailController, SecretController
from airouter.api.admin.margins import read_margins
from airouter.api.admin.models import ModelController
from airouter.api.admin.orders import ORDERS
from airouter.api.admin.payment_methods import PAYMENT_METHODS
from airouter.api.admin.policies import POLICIES
from airouter.api.admin.price_imports import PriceImportController
from airouter.api.admin.providers import list_providers
from airouter.api.admin.rate_cards import RateCardController
from airouter.api.admin.redemption_batches import RedemptionBatchController
from airouter.api.admin.redemptions import REDEMPTIONS
from airouter.api.admin.referrals import REFERRALS
from airouter.api.admin.usage import AdminUsageController
from airouter.api.admin.users import UserController

ADMIN: Final[tuple[Any, ...]] = (
    AccountController,
    AdminUsageController,
    AuditLogController,
    GroupController,
    IdentityProviderController,
    MailController,
    ModelController,
    PriceImportController,
    list_providers,
    read_margins,
    RateCardController,
    RedemptionBatchController,
    UserController,
    *CHANNELS,
    CostController,
    *ORDERS,
    *PAYMENT_METHODS,
    SecretController,
    *POLICIES,
    *REDEMPTIONS,
    *REFERRALS,
)
"""Every route below /api/v1/admin."""
