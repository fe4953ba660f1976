"""What is kept about people."""

from accounts.models.audit import AuditEvent
from accounts.models.billing import BillingEvent, Erasure, ProviderName, Subscription
from accounts.models.deletions import Deletion
from accounts.models.factors import FactorDevice, matching_step
from accounts.models.notices import Notice
from accounts.models.people import User

__all__ = [
    "AuditEvent",
    "BillingEvent",
    "Deletion",
    "Erasure",
    "FactorDevice",
    "Notice",
    "ProviderName",
    "Subscription",
    "User",
    "matching_step",
]
