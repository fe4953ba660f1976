"""One leader's order and all that came of it: copies, refusals, changes, fills (COPY-08)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import Http404

from accounts.models import User
from brokers.models import Account, Fill, Order
from syncgroups.core.keys import manual_order, parse_key
from syncgroups.core.slippage import Slippage, slippage
from syncgroups.core.threads import manual_thread, parse_thread, thread_of, thread_of_key
from syncgroups.core.waterfall import Axis, Segment, Times, axis_of, segments, steps
from syncgroups.models import Activity, ActivityKind, CopiedOrder, CopyCommand, ManualCopy, SyncGroup
from syncgroups.selectors.activity import lines_of_order
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.errors import UnknownInstrument

_NAMED_BY_PRICES = (OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)
LINES = 300
"""So many of the newest lines about one order are shown; the log has the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRow:
    """A change or cancel of a copy, drawn like the copy itself from the event that asked for it."""

    command: CopyCommand
    prices: str
    times: Times
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRow:
    """A follower's order with its bars, its fills, and what was said against it."""

    copy: CopiedOrder
    terms: str
    times: Times
    segments: tuple[Segment, ...]
    commands: tuple[CommandRow, ...]
    fills: tuple[Fill, ...]
    slip: Slippage | None
    refusals: tuple[Activity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """The figures that a follower's size, or its refusal, was decided on; None where no rule asked for any.

    `weighed` has the names of `core.decision.Weighed`.
    """

    account: Account | None
    weighed: dict[str, Any] | None
    key: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderOrder:
    """What is known of the order itself. `order` is the broker's row, `manual` a person's own order.

    `is_repair` where no order of a leader's stands behind it, but a difference that was mended.
    """

    thread: str
    leader: Account | None
    group: SyncGroup | None
    order: Order | None
    manual: ManualCopy | None
    terms: str
    fills: tuple[Fill, ...]
    placed: Activity | None
    is_repair: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Everything on the page of one order."""

    head: LeaderOrder
    rows: tuple[CopyRow, ...]
    left_out: tuple[Activity, ...]
    axis: Axis
    lines: tuple[Activity, ...]

    @property
    def decisions(self) -> tuple[DecisionRow, ...]:
        """Return what was weighed for each follower, those that were left out behind the others."""
        sent = [(row.copy.follower, row.copy.weighed, row.copy.key, False) for row in self.rows]
        barred = [(line.account, line.weighed, line.key, True) for row in self.rows for line in row.refusals]
        barred += [(line.account, line.weighed, line.key, True) for line in self.left_out]
        rows = [*sent, *(found for found in barred if found[1])]
        return tuple(
            DecisionRow(account=account, weighed=weighed, key=key, refused=refused)
            for account, weighed, key, refused in rows
        )

    @property
    def has_fills(self) -> bool:
        """Say whether anything has filled, at the leader or at a follower."""
        return bool(self.head.fills) or any(row.fills for row in self.rows)


def thread_for(user: User, name: str) -> str:
    """Return the thread of what an address names: a thread, a copy's key, a manual copy's public id.

    What is not the user's own does not exist.
    """
    if parse_thread(name) is not None:
        return name
    manual = ManualCopy.objects.filter(owner=user, public_id=name).first()
    if manual is not None:
        return manual_thread(manual.pk)
    copy = CopiedOrder.objects.filter(owner=user, key=name).first()
    if copy is not None:
        return _thread_of_copy(copy)
    if Activity.objects.filter(owner=user, key=name).exists():
        return thread_of_key(name) or name
    raise Http404


def lineage_of(user: User, name: str, *, linear: bool = False) -> Lineage:
    """Return one order with all that came of it; a stranger's does not exist."""
    thread = thread_for(user, name)
    copies = list(_copies(user, thread).prefetch_related("commands").order_by("received_at", "pk"))
    lines = lines_of_order(user, thread, LINES)
    manual = _manual(user, thread)
    if not copies and not lines and manual is None:
        raise Http404
    head = _head(user, thread, copies, lines, manual)
    times = [_times(copy) for copy in copies]
    commands = [_command_times(command) for copy in copies for command in copy.commands.all()]
    axis = axis_of((after for found in (*times, *commands) for _, _, after in steps(found)), linear=linear)
    fills = _fills_of(copies)
    refused = _refusals(lines)
    rows = tuple(_row(copy, fills.get(_broker_order(copy), []), head, refused, axis) for copy in copies)
    known = {copy.key for copy in copies}
    left_out = tuple(found for key, said in refused.items() if key not in known for found in said[:1])
    return Lineage(head=head, rows=rows, left_out=left_out, axis=axis, lines=tuple(lines))


def followers_of(user: User, thread: str) -> dict[str, object]:
    """Return what the log shows of one order when it is opened: its lineage without the drawing's choices."""
    return {"lineage": lineage_of(user, thread)}


def _thread_of_copy(copy: CopiedOrder) -> str:
    if copy.leader_order_id > 0:
        return thread_of(copy.leader_id, copy.leader_order_id)
    return manual_thread(-copy.leader_order_id) if copy.leader_order_id < 0 else copy.key


def _copies(user: User, thread: str) -> Any:
    copies = CopiedOrder.objects.filter(owner=user).select_related("follower__connection", "leader", "group")
    named = parse_thread(thread)
    if named is None:
        return copies.filter(key=thread)
    if named.leader is None:
        return copies.filter(leader_order_id=manual_order(named.order))
    return copies.filter(leader_id=named.leader, leader_order_id=named.order)


def _manual(user: User, thread: str) -> ManualCopy | None:
    named = parse_thread(thread)
    if named is None or named.leader is not None:
        return None
    found = ManualCopy.objects.filter(owner=user, pk=named.order).select_related("leader", "group")
    return found.first()


def _head(
    user: User,
    thread: str,
    copies: Sequence[CopiedOrder],
    lines: Sequence[Activity],
    manual: ManualCopy | None,
) -> LeaderOrder:
    named = parse_thread(thread)
    order, fills = None, []
    if named is not None and named.leader is not None:
        mine = {"account__connection__owner": user, "account": named.leader, "broker_order_id": named.order}
        order = Order.objects.filter(**mine).select_related("account").first()
        fills = list(Fill.objects.filter(**mine).order_by("traded_at", "pk"))
    placed = next((line for line in lines if line.kind == ActivityKind.LEADER_ORDER), None)
    said: list[ManualCopy | CopiedOrder | Activity] = [*([manual] if manual is not None else []), *copies]
    said += [*([placed] if placed is not None else []), *lines]
    spec = order or manual
    return LeaderOrder(
        thread=thread,
        leader=order.account if order is not None else next((_leader(found) for found in said), None),
        group=next((found.group for found in said if found.group is not None), None),
        order=order,
        manual=manual,
        terms=terms_in_words(spec.order_type, spec.symbol, spec.stop_ticks, spec.limit_ticks) if spec else "",
        fills=tuple(fills),
        placed=placed,
        is_repair=named is None and any(copy.leader_order_id == 0 for copy in copies),
    )


def _leader(found: "ManualCopy | CopiedOrder | Activity") -> Account | None:
    if isinstance(found, Activity):
        return found.account if found.kind == ActivityKind.LEADER_ORDER else None
    return found.leader


def _row(
    copy: CopiedOrder,
    fills: Sequence[Fill],
    head: LeaderOrder,
    refused: dict[str, list[Activity]],
    axis: Axis,
) -> CopyRow:
    times = _times(copy)
    return CopyRow(
        copy=copy,
        terms=terms_in_words(copy.order_type, copy.symbol, copy.stop_ticks, copy.limit_ticks),
        times=times,
        segments=segments(times, axis),
        commands=tuple(_command_row(copy, command, axis) for command in copy.commands.all()),
        fills=tuple(fills),
        slip=_slip(copy, fills, head.fills),
        refusals=tuple(refused.get(copy.key, ())),
    )


def _command_row(copy: CopiedOrder, command: CopyCommand, axis: Axis) -> CommandRow:
    times = _command_times(command)
    return CommandRow(
        command=command,
        prices=prices_in_words(copy.symbol, command.stop_ticks, command.limit_ticks),
        times=times,
        segments=segments(times, axis),
    )


def _times(copy: CopiedOrder) -> Times:
    return Times(
        received=copy.received_at,
        decided=copy.decided_at,
        written=copy.written_at,
        acknowledged=copy.acknowledged_at,
        filled=copy.filled_at,
        ended=copy.ended_at,
    )


def _command_times(command: CopyCommand) -> Times:
    return Times(
        received=command.received_at,
        decided=command.decided_at,
        written=command.written_at,
        acknowledged=command.acknowledged_at,
    )


def _broker_order(copy: CopiedOrder) -> tuple[int, int]:
    return copy.follower_id, copy.broker_order_id or 0


def _fills_of(copies: Iterable[CopiedOrder]) -> dict[tuple[int, int], list[Fill]]:
    wanted = [_broker_order(copy) for copy in copies if copy.broker_order_id]
    if not wanted:
        return {}
    which = Q()
    for account, order in wanted:
        which |= Q(account=account, broker_order_id=order)
    found: dict[tuple[int, int], list[Fill]] = defaultdict(list)
    for fill in Fill.objects.filter(which).order_by("traded_at", "pk"):
        found[fill.account_id, fill.broker_order_id].append(fill)
    return found


def _refusals(lines: Iterable[Activity]) -> dict[str, list[Activity]]:
    """Return what was said against each copy by its key, the newest first."""
    found: dict[str, list[Activity]] = defaultdict(list)
    for line in lines:
        if line.key and line.kind == ActivityKind.COPY_REFUSED:
            found[line.key].append(line)
    return found


def _slip(copy: CopiedOrder, fills: Sequence[Fill], leaders: Sequence[Fill]) -> Slippage | None:
    """Return a copy's cost against the leader's order, or against the one fill that it answers."""
    parsed = parse_key(copy.key)
    if parsed is not None and parsed.fill is not None:
        leaders = [fill for fill in leaders if fill.broker_fill_id == parsed.fill]
    try:
        traded, led = product_of(copy.symbol), product_of(copy.leads or copy.symbol)
    except UnknownInstrument:
        return None
    return slippage(
        Side(copy.side),
        [(fill.qty, fill.ticks) for fill in fills],
        traded,
        [(fill.qty, fill.ticks) for fill in leaders],
        led,
    )


def terms_in_words(order_type: str, symbol: str, stop: int | None, limit: int | None) -> str:
    """Return how an order waits for its price: market, limit 5033.00, trailing stop, stop 5046.50."""
    prices = prices_in_words(symbol, stop, limit)
    named = order_type.replace("_", " ")
    if order_type in _NAMED_BY_PRICES and prices:
        return prices
    return f"{named}, {prices}" if prices else named


def prices_in_words(symbol: str, stop: int | None, limit: int | None) -> str:
    """Return stop and limit, given in ticks, as traders write them; nothing for a market order."""
    try:
        traded = product_of(symbol)
    except UnknownInstrument:
        return ""
    named = (("stop", stop), ("limit", limit))
    return ", ".join(f"{name} {traded.display(ticks)}" for name, ticks in named if ticks is not None)
