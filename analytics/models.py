"""What is measured about the service itself: looks at it by the day, and what was found down."""

from django.db import models

from analytics.core.uptime import Component
from tradehaven.db import enum_field


class UptimeDay(models.Model):
    """One component's looks of one day (UTC); `trading_…` count those while CME's week was open."""

    component = enum_field(Component)
    day = models.DateField()
    looks = models.PositiveIntegerField(default=0)
    good = models.PositiveIntegerField(default=0)
    trading_looks = models.PositiveIntegerField(default=0)
    trading_good = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["component", "day"], name="one_uptime_row_per_day")]

    def __str__(self) -> str:
        """Describe the day in a line."""
        return f"{self.component} on {self.day}: {self.good} of {self.looks}"


class Outage(models.Model):
    """A stretch of bad looks, from the first to the first good one after it (UTC)."""

    component = enum_field(Component)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    trading = models.BooleanField(default=False)

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["component"], condition=models.Q(ended_at=None), name="one_open_outage"
            )
        ]

    def __str__(self) -> str:
        """Describe the outage in a line."""
        return f"{self.component} from {self.began_at}"
