"""Settings > Connected accounts as it shows: logins with health and budget, accounts with roles and tags."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.utils import timezone

from accounts.models import User
from brokers.core.vitals import DROPS_AN_HOUR
from brokers.models import Account, AccountTag, Connection, LinkDrop, TagKind
from syncgroups.core.status import Colour, Status
from syncgroups.models import Follower, SyncGroup
from syncgroups.selectors import Budget, LoginRow, budgeted_logins

SLOW = timedelta(milliseconds=500)
"""From here on a round trip is called slow: followers would lag for everybody to see."""
STALE = timedelta(seconds=30)
"""Figures older than this are those of a link that is not up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the page is narrowed to; empty is everything."""

    folder: str = ""
    tag: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        """Return what an address asks for."""
        return cls(folder=query.get("folder", "")[:40], tag=query.get("tag", "")[:32])

    @property
    def is_all(self) -> bool:
        """Say whether nothing is left out."""
        return not self.folder and not self.tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a login's link does (CONN-10)."""

    status: Status
    heard_at: datetime | None
    beat_p50: timedelta | None
    beat_p99: timedelta | None
    ack_p50: timedelta | None
    ack_p99: timedelta | None
    drops_today: int
    drops_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account with what it does in groups and what its owner calls it."""

    account: Account
    leads: str
    follows: tuple[str, ...]
    tags: tuple[AccountTag, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One login on the page."""

    login: LoginRow
    budget: Budget
    health: Health
    accounts: tuple[AccountRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole page; `folders` and `tags` are what it can be narrowed to, `left_out` how many are hidden."""

    cards: tuple[Card, ...]
    folders: tuple[str, ...]
    tags: tuple[str, ...]
    wanted: Wanted
    left_out: int


def connections_page(user: User, wanted: Wanted, now: datetime) -> Page:
    """Return a person's logins and accounts, narrowed to what is wanted; times count in the user's zone."""
    tags = _tags(user)
    leads, follows = _roles(user)
    drops_today = _drops(user, timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0))
    drops_hour = _drops(user, now - timedelta(hours=1))
    cards, left_out = [], 0
    for found in budgeted_logins(user, now):
        row = found.login.connection
        rows = [
            AccountRow(
                account=account,
                leads=leads.get(account.pk, ""),
                follows=tuple(follows[account.pk]),
                tags=tuple(tags[account.pk]),
            )
            for account in found.login.accounts
        ]
        shown = tuple(one for one in rows if _is_wanted(one, wanted))
        left_out += len(rows) - len(shown)
        if shown or wanted.is_all:
            health = _health(row, drops_today.get(row.pk, 0), drops_hour.get(row.pk, 0), now)
            cards.append(Card(login=found.login, budget=found.budget, health=health, accounts=shown))
    named = Account.objects.filter(connection__owner=user).exclude(folder="")
    return Page(
        cards=tuple(cards),
        folders=tuple(sorted(set(named.values_list("folder", flat=True)))),
        tags=tuple(sorted({tag.text for found in tags.values() for tag in found})),
        wanted=wanted,
        left_out=left_out,
    )


def tag_words(account: Account) -> dict[TagKind, str]:
    """Return an account's tags as its form shows them, several of a kind with commas between."""
    found: dict[TagKind, list[str]] = defaultdict(list)
    for tag in account.tags.all():
        found[TagKind(tag.kind)].append(tag.text)
    return {kind: ", ".join(found[kind]) for kind in TagKind}


def _is_wanted(row: AccountRow, wanted: Wanted) -> bool:
    if wanted.folder and row.account.folder != wanted.folder:
        return False
    return not wanted.tag or any(tag.text == wanted.tag for tag in row.tags)


def _tags(user: User) -> dict[int, list[AccountTag]]:
    found: dict[int, list[AccountTag]] = defaultdict(list)
    for tag in AccountTag.objects.filter(account__connection__owner=user):
        found[tag.account_id].append(tag)
    return found


def _roles(user: User) -> tuple[dict[int, str], dict[int, list[str]]]:
    leads = dict(SyncGroup.objects.filter(owner=user).values_list("leader_id", "name"))
    follows: dict[int, list[str]] = defaultdict(list)
    members: Iterable[tuple[int, str]] = Follower.objects.filter(group__owner=user).values_list(
        "account_id", "group__name"
    )
    for account, group in members:
        follows[account].append(group)
    return leads, follows


def _drops(user: User, since: datetime) -> dict[int, int]:
    found = LinkDrop.objects.filter(connection__owner=user, at__gte=since)
    return dict(found.values_list("connection_id").annotate(count=Count("pk")))


def _health(row: Connection, today: int, hour: int, now: datetime) -> Health:
    is_fresh = row.link_up and row.heard_at is not None and now - row.heard_at < STALE
    return Health(
        status=_feeling(row, hour, is_fresh=is_fresh),
        heard_at=row.heard_at,
        beat_p50=row.beat_p50,
        beat_p99=row.beat_p99,
        ack_p50=row.ack_p50,
        ack_p99=row.ack_p99,
        drops_today=today,
        drops_hour=hour,
    )


def _feeling(row: Connection, drops_hour: int, *, is_fresh: bool) -> Status:
    if not is_fresh:
        return Status(
            Colour.GRAY, "Nothing heard", "No engine hears this login now; figures are the last ones."
        )
    if drops_hour > DROPS_AN_HOUR:
        return Status(Colour.YELLOW, "Unstable", f"{drops_hour} drops within the hour.")
    if (row.beat_p99 or timedelta(0)) > SLOW or (row.ack_p99 or timedelta(0)) > SLOW:
        return Status(Colour.YELLOW, "Slow", "One in a hundred round trips takes over half a second.")
    return Status(Colour.GREEN, "Healthy")
