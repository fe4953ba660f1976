"""Which provider takes the money: the environment's for new subscriptions, each row's own for its changes."""

from django.conf import settings

from accounts.billing.local import LocalProvider
from accounts.billing.provider import Provider
from accounts.models import ProviderName


def provider(name: ProviderName | None = None) -> Provider:
    """Return a provider by its name, or the one that new subscriptions go to."""
    wanted = name or ProviderName(settings.BILLING_PROVIDER)
    if wanted is ProviderName.LOCAL:
        return LocalProvider()
    from accounts.billing.stripe import StripeProvider  # loads a large package, only where it is in use

    return StripeProvider.from_settings()
