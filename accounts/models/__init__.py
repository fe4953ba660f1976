"""What is kept about people."""

from accounts.models.billing import BillingEvent, Erasure, ProviderName, Subscription
from accounts.models.people import User

__all__ = ["BillingEvent", "Erasure", "ProviderName", "Subscription", "User"]
