"""The first steps of a newcomer: what is done, what comes next, and where. Gone with the first copy."""

from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef
from django.urls import reverse

from accounts.access import is_verified
from accounts.models import User
from brokers.models import Account
from risk.models import RuleBook, RuleScope
from syncgroups.models import CopiedOrder, Follower, SyncGroup
from tradehaven.domain.enums import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: whether it is done, whether it is the next one, and where it is done."""

    title: str
    about: str
    url: str
    action: str
    is_done: bool
    is_next: bool = False


STEPS = (
    ("Confirm your address", "The link is in your mail.", "accounts:profile", "Send it again"),
    (
        "Connect a login",
        "Paper costs nothing: two accounts are enough, one that leads and one that follows.",
        "syncgroups:connections",
        "Connect",
    ),
    (
        "Make a group",
        "Choose who leads, who follows, and how many contracts each one takes.",
        "syncgroups:create",
        "Build it",
    ),
    ("Set a limit", "At the least what each account may lose in a day.", "syncgroups:risk", "Set limits"),
    (
        "Switch it on",
        "What is open by then stays the leader's own; copying begins with the next order.",
        "syncgroups:list",
        "To the switch",
    ),
)
"""The way to the first copy, each with its words and its page; the last one depends on what is connected."""


def first_steps(user: User) -> tuple[Step, ...]:
    """Return the way to the first copy, in its order; nothing once a copy was made."""
    if CopiedOrder.objects.filter(owner=user).exists():
        return ()
    mine = Account.objects.filter(connection__owner=user)
    accounts = list(mine.values_list("connection__environment", flat=True))
    followed = Exists(Follower.objects.filter(group=OuterRef("pk")))
    ready = list(SyncGroup.objects.filter(followed, owner=user))
    books = RuleBook.objects.filter(owner=user).exclude(rules={}).exclude(scope=RuleScope.GROUP)
    facts = (
        is_verified(user),
        len(accounts) > 1,
        bool(ready),
        books.exists(),
        any(group.active for group in ready),
    )
    steps = [
        Step(title=title, about=about, url=reverse(name), action=action, is_done=done)
        for (title, about, name, action), done in zip(STEPS, facts, strict=True)
    ]
    return _with_next([*steps, _last(has_paper=Environment.PAPER in accounts)])


def _last(*, has_paper: bool) -> Step:
    return Step(
        title="Place an order in the leader account",
        about="With whatever you trade with; a paper account has a ticket here.",
        url=reverse("syncgroups:paper" if has_paper else "syncgroups:activity"),
        action="Place one on paper" if has_paper else "Watch for it",
        is_done=False,
    )


def _with_next(steps: list[Step]) -> tuple[Step, ...]:
    """Mark the first step that is open."""
    place = next(place for place, step in enumerate(steps) if not step.is_done)
    return tuple(replace(step, is_next=number == place) for number, step in enumerate(steps))
