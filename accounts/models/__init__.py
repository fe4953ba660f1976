"""What is kept about people."""

from accounts.models.answers import StoredAnswer
from accounts.models.audit import AuditEvent
from accounts.models.billing import BillingEvent, Erasure, ProviderName, Subscription
from accounts.models.deletions import Deletion
from accounts.models.factors import FactorDevice, matching_step
from accounts.models.hooks import HookMessage, Webhook
from accounts.models.keys import ApiKey
from accounts.models.notices import Notice
from accounts.models.people import User

__all__ = [
    "ApiKey",
    "AuditEvent",
    "BillingEvent",
    "Deletion",
    "Erasure",
    "FactorDevice",
    "HookMessage",
    "Notice",
    "ProviderName",
    "StoredAnswer",
    "Subscription",
    "User",
    "Webhook",
    "matching_step",
]
