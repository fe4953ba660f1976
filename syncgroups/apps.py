"""The app's name for Django, and what it adds to others at the start."""

from importlib import import_module

from django.apps import AppConfig


class SyncGroupsConfig(AppConfig):
    """Registers the app."""

    name = "syncgroups"

    def ready(self) -> None:
        """Register what a person owns here, what happens when one leaves, and who hears of plans."""
        for module in ("syncgroups.exports", "syncgroups.services.leaving", "syncgroups.services.plans"):
            import_module(module)
