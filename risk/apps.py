"""The app's name for Django, and what it adds to others at the start."""

from importlib import import_module

from django.apps import AppConfig


class RiskConfig(AppConfig):
    """Registers the app."""

    name = "risk"

    def ready(self) -> None:
        """Register what a person owns here."""
        import_module("risk.exports")
