"""The app's name for Django."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    """Registers the app."""

    name = "risk"
