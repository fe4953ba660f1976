"""The app's name for Django, and what it hears from the apps below."""

from typing import Any

from django.apps import AppConfig

from accounts.billing.signals import plan_changed


class SyncGroupsConfig(AppConfig):
    """Registers the app."""

    name = "syncgroups"

    def ready(self) -> None:
        """Listen for plans that change."""
        plan_changed.connect(_follow_plan, dispatch_uid="syncgroups.follow_plan")


def _follow_plan(*, owner_id: int, was_live: bool, is_live: bool, **_: Any) -> None:
    from syncgroups.services.plans import follow_plan  # the models exist only once all apps are ready

    follow_plan(owner_id, was_live=was_live, is_live=is_live)
