"""The live page's parts as text: the same partials, whether a page or a socket asks."""

from collections.abc import Iterable

from django.template.loader import render_to_string
from django.utils import timezone

from accounts.middleware import zone_of
from accounts.models import User
from analytics.selectors import dashboard
from tradehaven.live.messages import Topic

TEMPLATES = {
    "overview": "analytics/_overview.html",
    "accounts": "analytics/_accounts.html",
    "groups": "analytics/_groups.html",
    "activity": "analytics/_activity.html",
}
PARTS = {
    Topic.OVERVIEW: ("overview",),
    Topic.ACCOUNTS: ("overview", "accounts"),
    Topic.GROUPS: ("overview", "groups"),
    Topic.ACTIVITY: ("activity",),
    Topic.GATE: ("overview", "accounts", "groups"),
}
ALL = tuple(TEMPLATES)


def parts_of(topics: Iterable[Topic]) -> tuple[str, ...]:
    """Return the parts that show these topics, each once, in the page's order."""
    wanted = {part for topic in topics for part in PARTS[topic]}
    return tuple(part for part in ALL if part in wanted)


def render_parts(user: User, parts: Iterable[str]) -> dict[str, str]:
    """Return the parts as they are now, in the user's time zone."""
    with timezone.override(zone_of(user)):
        context = {"live": dashboard(user), "user": user}
        return {part: render_to_string(TEMPLATES[part], context) for part in parts}
