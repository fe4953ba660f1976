"""The board of groups: how each runs today, what its logins may still ask, and who copies whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F

from accounts.models import User
from risk.selectors import owner_gate
from syncgroups.core.chains import ChainMap, Link, chain_map, is_chained
from syncgroups.models import CopiedOrder
from syncgroups.selectors import BudgetedLogin, GroupRow, budgeted_logins, group_rows, groups_of
from tradehaven.domain.calendar import last_reset

COLUMN, LINE, WIDTH, HEIGHT = 250, 46, 172, 30
"""Of the drawing, in its own units: from column to column, from row to row, and a box."""


class _Percentile(Aggregate):
    """The value that a share of all rows do not exceed (nearest rank)."""

    template = "percentile_disc(%(share)s) within group (order by %(expressions)s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """A group's copies of this trading day: how many left, and how fast, from the event to the write."""

    count: int
    p50: timedelta | None
    p99: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """A group on the board. `budget` is of the login with the least room, None while nobody follows."""

    row: GroupRow
    today: Today
    last: CopiedOrder | None
    budget: BudgetedLogin | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An account in the drawing of chains, and what leads there."""

    name: str
    is_leader: bool
    environment: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A curve from a leader to a follower, dimmed while its group is off."""

    path: str
    group: str
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Who copies whom; `lines` say the same in words."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The page of all groups."""

    rows: tuple[BoardRow, ...]
    drawing: Drawing | None


def board(user: User, now: datetime) -> Board:
    """Return all groups of a person with how they run; a handful of statements however many there are."""
    groups = group_rows(groups_of(user), owner_gate(user), now)
    today = _today(groups, last_reset(now))
    last = _last(groups)
    logins = {found.login.connection.pk: found for found in budgeted_logins(user, now)}
    rows = tuple(
        BoardRow(
            row=row,
            today=today.get(row.group.pk, Today(count=0, p50=None, p99=None)),
            last=last.get(row.group.pk),
            budget=_tightest(row, logins),
        )
        for row in groups
    )
    return Board(rows=rows, drawing=drawing_of(groups))


def drawing_of(groups: Sequence[GroupRow]) -> Drawing | None:
    """Return a drawing of several groups or of a chain; one plain group needs none."""
    links = [
        Link(leader=row.group.leader_id, followers=tuple(found.account.pk for found in row.followers))
        for row in groups
    ]
    if len(groups) < 2 and not is_chained(links):
        return None
    return _drawn(groups, chain_map(links))


def _drawn(groups: Sequence[GroupRow], found: ChainMap) -> Drawing:
    members = {one.account.pk: one.account for row in groups for one in (row.leader, *row.followers)}
    leaders = {row.group.leader_id for row in groups}
    return Drawing(
        boxes=tuple(
            Box(
                name=members[spot.node].name,
                is_leader=spot.node in leaders,
                environment=members[spot.node].connection.environment,
                x=spot.column * COLUMN + 1,
                y=spot.row * LINE + 1,
            )
            for spot in found.spots
        ),
        arrows=tuple(
            Arrow(
                path=_curve(start.column, start.row, end.column, end.row),
                group=groups[number].group.name,
                is_on=groups[number].group.active,
            )
            for start, end, number in found.edges
        ),
        width=(found.columns - 1) * COLUMN + WIDTH + 2,
        height=int((found.rows - 1) * LINE) + HEIGHT + 2,
        lines=tuple(_sentence(row) for row in groups),
    )


def _curve(column: int, row: float, to_column: int, to_row: float) -> str:
    x, y = column * COLUMN + WIDTH + 1, row * LINE + HEIGHT / 2 + 1
    to_x, to_y = to_column * COLUMN - 5, to_row * LINE + HEIGHT / 2 + 1
    middle = (x + to_x) / 2
    # A step over a column runs below the boxes that stand between.
    dip = LINE * 0.72 if to_column - column > 1 else 0
    return f"M{x:g} {y:g} C{middle:g} {y + dip:g} {middle:g} {to_y + dip:g} {to_x:g} {to_y:g}"


def _sentence(row: GroupRow) -> str:
    names = ", ".join(member.account.name for member in row.followers) or "nobody yet"
    state = "" if row.group.active else ", switched off"
    return f"{row.group.name}: {row.leader.account.name} leads {names}{state}."


def _today(groups: Iterable[GroupRow], since: datetime) -> dict[int, Today]:
    numbers = [row.group.pk for row in groups]
    copies = CopiedOrder.objects.filter(group__in=numbers, received_at__gte=since, written_at__isnull=False)
    spent = ExpressionWrapper(F("written_at") - F("received_at"), output_field=DurationField())
    counted = (
        copies.order_by()
        .values("group")
        .annotate(
            count=Count("pk"),
            p50=_Percentile(spent, share=0.5, output_field=DurationField()),
            p99=_Percentile(spent, share=0.99, output_field=DurationField()),
        )
    )
    return {
        found["group"]: Today(count=found["count"], p50=found["p50"], p99=found["p99"]) for found in counted
    }


def _last(groups: Iterable[GroupRow]) -> dict[int, CopiedOrder]:
    numbers = [row.group.pk for row in groups]
    newest = CopiedOrder.objects.filter(group__in=numbers).order_by("group_id", "-received_at", "-pk")
    return {copy.group_id or 0: copy for copy in newest.distinct("group_id").select_related("follower")}


def _tightest(row: GroupRow, logins: dict[int, BudgetedLogin]) -> BudgetedLogin | None:
    used = {member.account.connection_id for member in row.followers}
    found = [logins[pk] for pk in used if pk in logins and logins[pk].budget.outlook.orders_left is not None]
    return min(found, key=lambda login: login.budget.outlook.orders_left or 0, default=None)
