"""The app's name for Django, and what it adds to others at the start."""

from importlib import import_module

from django.apps import AppConfig


class BrokersConfig(AppConfig):
    """Registers the app."""

    name = "brokers"

    def ready(self) -> None:
        """Register what a person owns here."""
        import_module("brokers.exports")
