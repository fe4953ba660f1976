"""What a person has acknowledged of the log."""

from django.conf import settings
from django.db import models


class AlertsSeen(models.Model):
    """Up to which line of the log a person has acknowledged what was loud."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="alerts_seen"
    )
    line = models.BigIntegerField(default=0)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        """Describe it in a line."""
        return f"alerts of {self.owner_id} up to {self.line}"
