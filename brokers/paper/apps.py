"""The Django app of the paper exchange; deleting this folder deletes the feature."""

from django.apps import AppConfig


class PaperConfig(AppConfig):
    """Registers the models under the label `paper`."""

    name = "brokers.paper"
    label = "paper"
    verbose_name = "Paper exchange"
    default_auto_field = "django.db.models.BigAutoField"
