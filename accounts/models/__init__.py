"""What is kept about people."""

from accounts.models.audit import AuditEvent
from accounts.models.billing import BillingEvent, Erasure, ProviderName, Subscription
from accounts.models.notices import Notice
from accounts.models.people import User

__all__ = ["AuditEvent", "BillingEvent", "Erasure", "Notice", "ProviderName", "Subscription", "User"]
