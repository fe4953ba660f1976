"""Where a person can go: what the palette lists."""

from dataclasses import dataclass

from django.urls import reverse

from accounts.models import User
from brokers.selectors import accounts_of
from syncgroups.selectors import groups_of

PAGES = (
    ("Cockpit", "analytics:live"),
    ("Groups", "syncgroups:list"),
    ("New group", "syncgroups:create"),
    ("Activity", "syncgroups:activity"),
    ("Accounts and logins", "syncgroups:connections"),
    ("Risk", "syncgroups:risk"),
    ("Limits over all accounts", "syncgroups:risk-all"),
    ("Kill switch for everything", "syncgroups:halt-all"),
    ("Profile and mails", "accounts:profile"),
    ("Security and sessions", "accounts:security"),
    ("API keys", "accounts:keys"),
    ("Web hooks", "accounts:hooks"),
    ("Audit log", "accounts:audit"),
    ("Plan and billing", "syncgroups:billing"),
    ("Your data", "accounts:data"),
    ("Guide", "guide"),
    ("Status", "analytics:status"),
    ("API reference", "accounts:api-docs"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One line of the palette."""

    name: str
    url: str
    about: str = ""


def places_of(user: User) -> list[tuple[str, list[Place]]]:
    """Return all places under their headings: pages, the person's groups, the person's accounts."""
    groups = [
        Place(name=group.name, about=f"led by {group.leader}", url=_to("syncgroups:detail", group.public_id))
        for group in groups_of(user)
    ]
    accounts = [
        Place(
            name=row.name, about=f"{row.connection.name}, limits", url=_to("syncgroups:risk-account", row.pk)
        )
        for row in accounts_of(user).select_related("connection").order_by("name")
    ]
    pages = [Place(name=name, url=reverse(address)) for name, address in PAGES]
    return [("Groups", groups), ("Accounts", accounts), ("Pages", pages)]


def _to(name: str, key: object) -> str:
    return reverse(name, args=[key])
