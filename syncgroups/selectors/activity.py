"""Reads of the activity log: filtered, by leader's orders, in pages that cost the same however long it is.

A page is a handful of statements. Whatever is searched for, a page looks at most `WINDOW` lines back and says
how far it came; the reader may go on from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.models import User
from brokers.models import Account
from syncgroups.core.threads import parse_thread
from syncgroups.models import Activity, ActivityKind, CopiedOrder, Severity, SyncGroup
from tradehaven.domain.enums import CopyOutcome

PAGE = 50
WINDOW = 50_000
COUNTED = 1_000
"""So far the figures on the page count; what is beyond shows as "1,000+"."""
NEWS_COUNTED = 99
LATE = timedelta(minutes=1)
"""By how much a line may be written after one that happened later."""
FAILED_KINDS = (ActivityKind.COPY_REJECTED, ActivityKind.UNRESOLVED, ActivityKind.MISSED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in the log: a line's time (UTC) and number, so that it stands although lines come and go."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        """Return the cursor as addresses carry it."""
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.pk}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a reader wants to see; None and "" are everything. `since` and `until` are UTC, the end open."""

    since: datetime | None = None
    until: datetime | None = None
    group: SyncGroup | None = None
    account: Account | None = None
    kind: ActivityKind | None = None
    severity: Severity | None = None
    outcome: CopyOutcome | None = None
    symbol: str = ""
    q: str = ""

    @property
    def is_narrow(self) -> bool:
        """Say whether matching lines may lie far apart."""
        return self != Filters(since=self.since, until=self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of a leader's order so far: lines by what they say. `first` is when it began (UTC)."""

    first: datetime
    lines: int
    sent: int
    filled: int
    skipped: int
    failed: int
    reasons: tuple[str, ...]
    placed: Activity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the log: a leader's order, shown at its newest line that matches, or a line alone."""

    line: Activity
    summary: Summary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A stretch of the log, newest first. `older` goes on from it; `back_to` is how far was searched."""

    entries: tuple[Entry, ...]
    older: Cursor | None
    back_to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many lines there are of an outcome; `more` says that counting stopped there."""

    outcome: CopyOutcome
    count: int
    more: bool


def cursor_of(text: str) -> Cursor | None:
    """Return the place that an address names, or None where it names none."""
    micros, _, pk = text.partition(".")
    if not (micros.isascii() and micros.isdigit() and pk.isascii() and pk.isdigit()):
        return None
    if len(micros) > 16 or len(pk) > 18:
        return None
    return Cursor(at=_EPOCH + timedelta(microseconds=int(micros)), pk=int(pk))


def matching(user: User, filters: Filters) -> QuerySet[Activity]:
    """Return a person's lines that the filters let through."""
    lines = Activity.objects.filter(owner=user)
    if filters.since is not None:
        lines = lines.filter(at__gte=filters.since)
    if filters.until is not None:
        lines = lines.filter(at__lt=filters.until)
    if filters.group is not None:
        lines = lines.filter(group=filters.group)
    if filters.account is not None:
        lines = lines.filter(account=filters.account)
    if filters.kind is not None:
        lines = lines.filter(kind=filters.kind)
    if filters.severity is not None:
        lines = lines.filter(severity=filters.severity)
    if filters.symbol:
        lines = lines.filter(symbol__istartswith=filters.symbol)
    if filters.q:
        lines = lines.filter(Q(text__icontains=filters.q) | Q(reason__icontains=filters.q.replace(" ", "_")))
    return lines if filters.outcome is None else _with_outcome(lines, filters.outcome)


def log_page(user: User, filters: Filters, before: Cursor | None = None) -> LogPage:
    """Return a page of the log; `before` is the cursor that the page above gave."""
    floor = _floor(user, filters, before)
    found = matching(user, filters)
    lines = _older_than(found, before)
    if floor is not None:
        lines = lines.filter(at__gte=floor.at)
    newer = found.filter(thread=OuterRef("thread")).exclude(thread="")
    newer = newer.filter(Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk")))
    heads = lines.filter(Q(thread="") | ~Exists(newer)).select_related("account", "group")
    rows = list(heads.order_by("-at", "-pk")[: PAGE + 1])
    summaries = _summaries(user, [row.thread for row in rows[:PAGE] if row.thread])
    entries = tuple(Entry(line=row, summary=summaries.get(row.thread)) for row in rows[:PAGE])
    if len(rows) > PAGE:
        return LogPage(entries=entries, older=_place(rows[PAGE - 1]), back_to=None)
    return LogPage(entries=entries, older=floor, back_to=floor.at if floor is not None else None)


def newest_of(user: User, page: LogPage, now: datetime) -> Cursor:
    """Return the place above which everything is news to whoever reads a page now."""
    at = page.entries[0].line.at if page.entries else now
    seen = Activity.objects.filter(owner=user, at__gte=at - LATE).aggregate(Max("pk"))["pk__max"]
    return Cursor(at=at, pk=seen or 0)


def news(user: User, filters: Filters, since: Cursor) -> int:
    """Return how many matching lines were written after a page was read, up to `NEWS_COUNTED` and one."""
    lines = matching(user, filters).filter(at__gte=since.at - LATE, pk__gt=since.pk)
    return lines.order_by()[: NEWS_COUNTED + 1].count()


def tallies(user: User, filters: Filters) -> list[Tally]:
    """Return how many lines of each outcome there are under the other filters, counted to `COUNTED`."""
    floor = _floor(user, filters, None)
    found = []
    for outcome in CopyOutcome:
        lines = matching(user, replace(filters, outcome=outcome))
        if floor is not None:
            lines = lines.filter(at__gte=floor.at)
        count = lines.order_by("-at")[: COUNTED + 1].count()
        more = count > COUNTED or floor is not None
        found.append(Tally(outcome=outcome, count=min(count, COUNTED), more=more))
    return found


def outcomes_between(user: User, since: datetime, until: datetime) -> dict[CopyOutcome, int]:
    """Return how many copies were done, skipped and failed in a stretch of time (UTC), as the log counts."""
    span = Filters(since=since, until=until)
    return {one: matching(user, replace(span, outcome=one)).count() for one in CopyOutcome}


def every_line(user: User, filters: Filters) -> Iterator[Activity]:
    """Return all lines that the filters let through, newest first, a few thousand in memory at a time."""
    lines = matching(user, filters).select_related("account", "group").order_by("-at", "-pk")
    return lines.iterator(chunk_size=2000)


def line_for(user: User, pk: int) -> Activity:
    """Return one line of the user's own log; a stranger's does not exist."""
    found = Activity.objects.filter(owner=user, pk=pk).select_related("account", "group").first()
    if found is None:
        raise Http404
    return found


def lines_of_order(user: User, thread: str, limit: int) -> list[Activity]:
    """Return what was said about one leader's order, newest first, at most so many lines."""
    if not thread:
        return []
    lines = Activity.objects.filter(owner=user, thread=thread).exclude(thread="")
    if parse_thread(thread) is None:  # an order of ours that answers none of a leader's
        lines = Activity.objects.filter(Q(thread=thread) | Q(key=thread), owner=user)
    return list(lines.select_related("account", "group").order_by("-at", "-pk")[:limit])


def _with_outcome(lines: QuerySet[Activity], outcome: CopyOutcome) -> QuerySet[Activity]:
    if outcome is CopyOutcome.SKIPPED:
        return lines.filter(kind=ActivityKind.COPY_REFUSED)
    if outcome is CopyOutcome.FAILED:
        return lines.filter(kind__in=FAILED_KINDS)
    # The line of an order is written when it is decided: done is what also left, and was not turned down.
    left = CopiedOrder.objects.filter(key=OuterRef("key"), written_at__isnull=False)
    failed = Activity.objects.filter(key=OuterRef("key"), kind__in=FAILED_KINDS)
    return lines.filter(Exists(left), ~Exists(failed), kind=ActivityKind.COPY_SENT)


def _older_than(lines: QuerySet[Activity], before: Cursor | None) -> QuerySet[Activity]:
    if before is None:
        return lines
    return lines.filter(at__lte=before.at).filter(Q(at__lt=before.at) | Q(pk__lt=before.pk))


def _place(line: Activity) -> Cursor:
    return Cursor(at=line.at, pk=line.pk)


def _floor(user: User, filters: Filters, before: Cursor | None) -> Cursor | None:
    """Return the last line that a page may look at, None where it may look at all that is left."""
    if not filters.is_narrow:
        return None
    span = _older_than(matching(user, Filters(since=filters.since, until=filters.until)), before)
    last = span.order_by("-at", "-pk").values_list("at", "pk")[WINDOW : WINDOW + 1].first()
    return Cursor(at=last[0], pk=last[1]) if last is not None else None


def _summaries(user: User, threads: list[str]) -> dict[str, Summary]:
    """Return what is known of leader's orders, in two statements however many they are."""
    lines = Activity.objects.filter(owner=user, thread__in=threads).exclude(thread="")
    counted = (
        lines.order_by()
        .values("thread")
        .annotate(
            first=Min("at"),
            lines=Count("pk"),
            sent=Count("pk", filter=Q(kind=ActivityKind.COPY_SENT)),
            filled=Count("pk", filter=Q(kind=ActivityKind.COPY_FILLED)),
            skipped=Count("pk", filter=Q(kind=ActivityKind.COPY_REFUSED)),
            failed=Count("pk", filter=Q(kind__in=FAILED_KINDS)),
        )
    )
    placed: dict[str, Activity] = {}
    reasons: dict[str, dict[str, None]] = {}
    told = lines.filter(Q(kind=ActivityKind.LEADER_ORDER) | ~Q(reason=""))
    for line in told.select_related("account").order_by("at", "pk"):
        if line.kind == ActivityKind.LEADER_ORDER:
            placed.setdefault(line.thread, line)
        elif line.reason:
            reasons.setdefault(line.thread, {})[line.reason] = None
    return {
        str(row["thread"]): Summary(
            first=row["first"],
            lines=row["lines"],
            sent=row["sent"],
            filled=row["filled"],
            skipped=row["skipped"],
            failed=row["failed"],
            reasons=tuple(reasons.get(row["thread"], ())),
            placed=placed.get(row["thread"]),
        )
        for row in counted
    }
