"""What happens when Django starts: the Celery app is loaded, so that tasks find it, and the deploy checks."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class TradeHavenConfig(AppConfig):
    """The project itself as an app: start-up only, no tables."""

    name = "tradehaven"

    def ready(self) -> None:
        """Load the Celery app and the checks."""
        import_module("tradehaven.celery")
        import_module("tradehaven.checks")


class OperatorsConfig(AdminConfig):
    """Django's admin, behind a second factor (OPS-01)."""

    default_site = "tradehaven.operators.OperatorSite"
