"""The app's name for Django."""

from django.apps import AppConfig


class SyncGroupsConfig(AppConfig):
    """Registers the app."""

    name = "syncgroups"
