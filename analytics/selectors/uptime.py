"""The status page: what is up now, and how the last ninety days were."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from analytics.core.uptime import DAYS, GOAL, Component, Count, Day, row_of_days, together
from analytics.models import Outage, UptimeDay
from brokers.selectors import engine_beat_age

LATE = 10.0
"""Seconds without a sign of life after which the engine counts as down."""
NAMES = {Component.ENGINE: "Copy engine", Component.WEB: "Pages and API"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One component: whether it is up now (None: nobody has looked), its days, and its shares."""

    component: Component
    name: str
    is_up: bool | None
    days: tuple[Day, ...]
    all: Count
    trading: Count

    @property
    def keeps_goal(self) -> bool | None:
        """Say whether trading hours were kept up as promised; None where nothing was measured in them."""
        percent = self.trading.percent
        return percent >= GOAL if percent is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything on the status page."""

    services: tuple[Service, ...]
    outages: tuple[Outage, ...]
    since: date | None
    at: datetime

    @property
    def all_up(self) -> bool:
        """Say whether everything answers now."""
        return all(service.is_up for service in self.services)


def engine_is_up() -> bool:
    """Say whether every shard of the engine has given a sign of life just now."""
    beat = engine_beat_age()
    return beat is not None and beat <= LATE


def status(now: datetime) -> Status:
    """Return the whole page; the page itself is the proof that pages are served."""
    first = now.date() - timedelta(days=DAYS)
    rows = UptimeDay.objects.filter(day__gt=first).order_by("day")
    days: dict[str, list[Day]] = {}
    for row in rows:
        days.setdefault(row.component, []).append(
            Day(
                day=row.day,
                all=Count(looks=row.looks, good=row.good),
                trading=Count(looks=row.trading_looks, good=row.trading_good),
            )
        )
    up = {Component.ENGINE: engine_is_up(), Component.WEB: True}
    services = tuple(_service(one, days.get(one, []), is_up=up[one], now=now) for one in Component)
    since = UptimeDay.objects.order_by("day").values_list("day", flat=True).first()
    outages = Outage.objects.filter(began_at__date__gt=first)[:20]
    return Status(services=services, outages=tuple(outages), since=since, at=now)


def _service(component: Component, days: list[Day], *, is_up: bool, now: datetime) -> Service:
    return Service(
        component=component,
        name=NAMES[component],
        is_up=is_up,
        days=row_of_days(days, now.date()),
        all=together(day.all for day in days),
        trading=together(day.trading for day in days),
    )
