"""The first steps of a newcomer: what is done, what comes next, and where. Gone with the first copy."""

from dataclasses import dataclass

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


def first_steps(user: User) -> tuple[Step, ...]:
    """Return the way to the first copy, in its order; nothing once a copy was made."""
    if CopiedOrder.objects.filter(owner=user).exists():
        return ()
    accounts = list(
        Account.objects.filter(connection__owner=user).values_list("connection__environment", flat=True)
    )
    followed = Exists(Follower.objects.filter(group=OuterRef("pk")))
    groups = list(SyncGroup.objects.filter(owner=user).annotate(followed=followed))
    ready = [group for group in groups if group.followed]
    limited = RuleBook.objects.filter(owner=user).exclude(rules={}).exclude(scope=RuleScope.GROUP).exists()
    trades = reverse("syncgroups:paper") if Environment.PAPER in accounts else reverse("syncgroups:activity")
    steps = (
        _step(
            "Confirm your address",
            "The link is in your mail.",
            "accounts:profile",
            "Send it again",
            done=is_verified(user),
        ),
        _step(
            "Connect a login",
            "Paper costs nothing: two accounts are enough, one that leads and one that follows.",
            "syncgroups:connections",
            "Connect",
            done=len(accounts) > 1,
        ),
        _step(
            "Make a group",
            "Choose who leads, who follows, and how many contracts each one takes.",
            "syncgroups:create",
            "Build it",
            done=bool(ready),
        ),
        _step(
            "Set a limit",
            "At the least what each account may lose in a day.",
            "syncgroups:risk",
            "Set limits",
            done=limited,
        ),
        _step(
            "Switch it on",
            "What is open by then stays the leader's own; copying begins with the next order.",
            "syncgroups:list",
            "To the switch",
            done=any(group.active for group in ready),
        ),
    )
    last = Step(
        title="Place an order in the leader account",
        about="With whatever you trade with; a paper account has a ticket here.",
        url=trades,
        action="Place one on paper" if Environment.PAPER in accounts else "Watch for it",
        is_done=False,
    )
    return _with_next((*steps, last))


def _step(title: str, about: str, name: str, action: str, *, done: bool) -> Step:
    return Step(title=title, about=about, url=reverse(name), action=action, is_done=done)


def _with_next(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Mark the first step that is open."""
    place = next(place for place, step in enumerate(steps) if not step.is_done)
    return tuple(
        Step(
            title=step.title,
            about=step.about,
            url=step.url,
            action=step.action,
            is_done=step.is_done,
            is_next=number == place,
        )
        for number, step in enumerate(steps)
    )
