"""The app's name for Django."""

from django.apps import AppConfig


class BrokersConfig(AppConfig):
    """Registers the app."""

    name = "brokers"
