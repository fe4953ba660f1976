"""What belongs to a person, for export and proof of deletion (ACC-09). Each app registers its own rows.

A column whose name speaks of a secret is refused at registration, so that none slips into a person's ZIP.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet

from accounts.models import (
    ApiKey,
    AuditEvent,
    BillingEvent,
    Erasure,
    HookMessage,
    Notice,
    Subscription,
    User,
    Webhook,
)

_SECRET = ("token", "password", "secret", "hash", "digest", "verifier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of row: its name in the ZIP, and the path from the row to its owner."""

    name: str
    model: type[models.Model]
    owner: str
    columns: tuple[str, ...]

    def rows(self, person: int) -> "QuerySet[Any, dict[str, Any]]":
        """Return a person's rows as dictionaries, oldest first."""
        mine = self.model._default_manager.filter(**{self.owner: person})
        return mine.order_by("pk").values(*self.columns)


_parts: dict[str, Part] = {}


def register(name: str, model: type[models.Model], *, owner: str, hide: tuple[str, ...] = ()) -> None:
    """Add a kind of row to the export; raise `ValueError` if one of its columns looks like a secret.

    `owner` is the path of look-ups to the person, such as `account__connection__owner`.
    """
    columns = tuple(field.attname for field in model._meta.concrete_fields if field.name not in hide)
    if bad := [column for column in columns if any(word in column for word in _SECRET)]:
        raise ValueError(f"{name} would hand out {', '.join(bad)}: hide them")
    _parts[name] = Part(name=name, model=model, owner=owner, columns=columns)


def parts() -> Iterator[Part]:
    """Return every registered kind of row, by name."""
    yield from sorted(_parts.values(), key=lambda part: part.name)


register(
    "profile",
    User,
    owner="pk",
    hide=("password", "is_superuser", "is_staff", "first_name", "last_name"),
)
register("audit", AuditEvent, owner="owner")
register("api-keys", ApiKey, owner="owner", hide=("secret_hash",))
register("mails", Notice, owner="owner")
register("webhooks", Webhook, owner="owner", hide=("secret",))
register("webhook-messages", HookMessage, owner="hook__owner")
register("plan", Subscription, owner="owner")
register("billing-messages", BillingEvent, owner="owner")
register("erasures", Erasure, owner="owner")


def owner_of(row: models.Model) -> User | None:
    """Return whose row this is, by the paths that were registered; None for rows of nobody."""
    for part in _parts.values():
        if isinstance(row, part.model):
            mine = part.model._default_manager.filter(pk=row.pk)
            return User.objects.filter(pk__in=mine.values(part.owner)).first()
    return None
