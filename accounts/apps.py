"""The app's name for Django, and what listens from the start."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the app."""

    name = "accounts"

    def ready(self) -> None:
        """Connect the listeners."""
        for module in ("accounts.listeners", "accounts.mfa.listeners", "accounts.exports"):
            import_module(module)
