"""The app's name for Django."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Registers the app."""

    name = "analytics"
