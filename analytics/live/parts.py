"""The cockpit's parts as text: the same partials, whether a page or a socket asks."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import timezone

from accounts.middleware import zone_of
from accounts.models import User
from analytics.selectors import Dashboard, dashboard
from syncgroups.models import ActivityKind, Severity
from syncgroups.selectors import ActivityPage
from tradehaven.live.messages import Event, OrderEvent, RiskAlert, Topic

TEMPLATES = {
    "overview": "analytics/_overview.html",
    "accounts": "analytics/_accounts.html",
    "groups": "analytics/_groups.html",
    "activity": "analytics/_activity.html",
}
PARTS = {
    Topic.OVERVIEW: ("overview",),
    Topic.ACCOUNTS: ("overview", "accounts"),
    Topic.GROUPS: ("overview", "accounts", "groups"),
    Topic.ACTIVITY: ("overview", "activity"),
    Topic.GATE: ("overview", "accounts", "groups"),
}
ALL = tuple(TEMPLATES)
LOUD = {Severity.WARNING, Severity.DANGER}
ORDERS = {kind for kind in ActivityKind if kind.startswith("copy_")} | {ActivityKind.LEADER_ORDER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one look at the database came to: the parts as text, and all that they were made of."""

    parts: dict[str, str]
    live: Dashboard


def parts_of(topics: Iterable[Topic]) -> tuple[str, ...]:
    """Return the parts that show these topics, each once, in the page's order."""
    wanted = {part for topic in topics for part in PARTS[topic]}
    return tuple(part for part in ALL if part in wanted)


def render_parts(user: User, parts: Iterable[str]) -> dict[str, str]:
    """Return the parts as they are now, in the user's time zone."""
    return read(user, parts).parts


def read(user: User, parts: Iterable[str]) -> Reading:
    """Look at the database once, and render these parts."""
    with timezone.override(zone_of(user)):
        live = dashboard(user)
        context = {"live": live, "user": user}
        # A plain text, because a safe one is of a type that messages do not know.
        texts = {part: render_to_string(TEMPLATES[part], context) + "" for part in parts}
        return Reading(parts=texts, live=live)


def newest(page: ActivityPage) -> int:
    """Return the highest row of a page of the log, 0 where there is none."""
    return max((line.pk for line in page.lines), default=0)


def events_after(page: ActivityPage, seen: int) -> list[Event]:
    """Return what a page of the log has of which nobody was told yet, oldest first."""
    found: list[Event] = []
    for line in sorted((line for line in page.lines if line.pk > seen), key=lambda line: line.pk):
        if line.severity in LOUD:
            alert = RiskAlert(id=line.pk, text=line.text, severity=line.severity, reason=line.reason)
            found.append(alert)
        elif line.kind in ORDERS:
            found.append(OrderEvent(id=line.pk, text=line.text, severity=line.severity))
    return found
