"""Keys with which programs act for a person (ACC-05). The secret is not here: only its hash is."""

from django.conf import settings
from django.db import models

from accounts.core.keys import KeyKind, Scope, shown
from tradehaven.db import enum_field


class ApiKey(models.Model):
    """One program's key. `prefix` is public and finds the row, `secret_hash` proves the rest.

    A paper key reaches demo and paper accounts only. Times are UTC; `used_at` is at most a minute behind.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    kind = enum_field(KeyKind, default=KeyKind.LIVE)
    scope = enum_field(Scope, default=Scope.READ)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    used_from = models.GenericIPAddressField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=models.Q(revoked_at=None),
                name="one_key_in_use_per_name",
            )
        ]

    def __str__(self) -> str:
        """Name the key without its secret."""
        return f"{self.name} ({self.shown})"

    @property
    def shown(self) -> str:
        """Return the key as far as it may be seen."""
        return shown(KeyKind(self.kind), self.prefix)

    @property
    def may_trade(self) -> bool:
        """Say whether the key may order, not only look."""
        return self.scope in (Scope.TRADE, Scope.DISARM)

    @property
    def may_disarm(self) -> bool:
        """Say whether the key may let orders through a kill switch again."""
        return self.scope == Scope.DISARM

    @property
    def is_paper(self) -> bool:
        """Say whether the key is kept from real money."""
        return self.kind == KeyKind.PAPER
