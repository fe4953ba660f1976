"""Laws about manual copies (COPY-11): answered once, and protected by what they hold and paid."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from syncgroups.core.brackets import protective_price
from syncgroups.core.decision import RemarkKind
from syncgroups.core.keys import Leg, ManualKey, manual_id, parse_key, parse_manual
from tests.drill.agenda import SECOND
from tests.drill.history import Amended, Asked, Sent, Turned
from tests.drill.reading import Order, Reading, lesser
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Denied, Rejected
from tradehaven.domain.enums import OrderStatus
from tradehaven.domain.events import OrderEnded, SnapshotTaken
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

Prices = tuple[Ticks | None, Ticks | None]
STAYS = 2 * SECOND
"""Within this of a change of ours nobody can say whose word comes last."""


@dataclass
class Manual:
    """One manual copy of one account: its entry and the orders behind that, as the broker has them."""

    named: ManualKey
    entry: Order | None = None
    legs: defaultdict[Leg, list[Order]] = field(default_factory=lambda: defaultdict(list))

    @property
    def held(self) -> int:
        """Return the signed contracts that its orders have brought."""
        mine = [order for orders in self.legs.values() for order in orders]
        mine += [self.entry] if self.entry is not None else []
        return sum(order.filled * order.first.side.sign for order in mine)


def manual_copies_are_answered(reading: Reading) -> Iterator[str]:
    """I2, COPY-11: everybody who was chosen has an order at the broker, or a reason on record."""
    answered: set[ClientOrderId | None] = {order.first.client_id for order in reading.orders.values()}
    answered |= {refusal.key for refusal in reading.refusals}
    answered |= {remark.key for remark in reading.remarks if remark.kind is RemarkKind.MISSED}
    for event in reading.events:
        if isinstance(event, Rejected | Denied | OrderEnded):
            answered.add(event.client_order_id)
        elif isinstance(event, SnapshotTaken):
            answered |= {order.client_order_id for account in event.accounts for order in account.orders}
    for entry in reading.history.entries:
        if isinstance(entry, Asked):
            asked = entry.event
            for account in asked.followers:
                name = manual_id(asked.number, asked.leader, account, asked.stop_loss, asked.take_profit)
                if name not in answered:
                    yield f"{account} has no answer to manual copy {asked.number}"


def legs_fit_what_is_held(reading: Reading) -> Iterator[str]:
    """I14, I5: at rest no leg of a manual copy would close more than it holds, and none is missing.

    The latter is asked where it is clear what it holds, nobody shut a gate, cancelled a leg by hand or was
    told that an exit had failed.
    """
    ours = {sent.command.order_id for _, sent in reading.sent if isinstance(sent.command, CancelOrder)}
    failed = {(one.account, one.symbol) for one in reading.remarks if one.kind is RemarkKind.EXIT_FAILED}
    stuck = reading.stuck()
    for (account, symbol), copies in _manual_copies(reading).items():
        if reading.was_busted(account) or (account, symbol) in stuck:
            continue
        clear = _is_clear(reading, account, symbol) and not _was_shut(reading)
        clear = clear and not reading.was_generous(account) and (account, symbol) not in failed
        for copy in copies:
            number = copy.named.number
            sign = copy.entry.first.side.sign if copy.entry is not None else 0
            held = lesser(copy.held, reading.net[account, symbol]) * sign
            for leg in (Leg.STOP_LOSS, Leg.TAKE_PROFIT):
                left = sum(order.left for order in copy.legs[leg])
                gone = any(
                    _is_cancelled(order) and order.first.order_id not in ours for order in copy.legs[leg]
                )
                if copy.entry is not None and left > max(0, held):
                    yield f"{leg} of manual copy {number} would close {left} of {held} of {account}"
                elif clear and not gone and _offset(copy.named, leg) is not None and left < held:
                    yield f"{leg} of manual copy {number} covers {left} of {held} of {account}"
            if clear and held < 0:
                yield f"the legs of manual copy {number} left {account} {held} on the other side"


def _is_cancelled(order: Order) -> bool:
    return order.last.status is OrderStatus.CANCELLED


def legs_stand_where_asked(reading: Reading) -> Iterator[str]:
    """COPY-11: at rest a leg stands at its distance from what its account paid, or where a hand has put it.

    A hand's word is asked for in fair weather: what crosses a change of ours, or is lost, may be undone.
    """
    by_hand, fair = moved_by_hand(reading), _is_fair(reading)
    for (account, symbol), copies in _manual_copies(reading).items():
        if reading.was_busted(account) or (account, symbol) in reading.stuck() or _was_shut(reading):
            continue
        for copy in copies:
            for leg in (Leg.STOP_LOSS, Leg.TAKE_PROFIT):
                for order in copy.legs[leg]:
                    due = _asked_for(reading, copy, leg)
                    if order.first.order_id in by_hand:
                        due = by_hand[order.first.order_id] if fair else None
                    stands = order.last.spec.limit, order.last.spec.stop
                    if order.left and due is not None and stands != due:
                        yield f"{leg} of manual copy {copy.named.number} of {account} stands at {stands}"


def _is_fair(reading: Reading) -> bool:
    return not reading.deaths and all(trouble.what == "quiet" for _, trouble in reading.troubles)


def _asked_for(reading: Reading, copy: Manual, leg: Leg) -> Prices | None:
    entry, offset = copy.entry, _offset(copy.named, leg)
    if entry is None or offset is None or not entry.filled:
        return None
    mine = [trade.fill for _, trade in reading.trades if trade.fill.order_id == entry.first.order_id]
    average = Fraction(sum(fill.qty * fill.price for fill in mine), sum(fill.qty for fill in mine))
    price = protective_price(average, entry.first.side, leg, offset)
    return (None, price) if leg is Leg.STOP_LOSS else (price, None)


def _offset(named: ManualKey, leg: Leg) -> int | None:
    return {Leg.STOP_LOSS: named.stop_loss, Leg.TAKE_PROFIT: named.take_profit}.get(leg)


def _manual_copies(reading: Reading) -> dict[tuple[AccountId, Symbol], list[Manual]]:
    """Return the manual copies of each contract of each account."""
    found: dict[tuple[AccountId, Symbol, int], Manual] = {}
    for order in reading.orders.values():
        named = parse_manual(order.first.client_id)
        if named is None:
            continue
        copy = found.setdefault((named.follower, order.first.symbol, named.number), Manual(named))
        if named.leg is None:
            copy.entry = order
        else:
            copy.legs[named.leg].append(order)
    by_place: defaultdict[tuple[AccountId, Symbol], list[Manual]] = defaultdict(list)
    for (account, symbol, _), copy in found.items():
        by_place[account, symbol].append(copy)
    return by_place


def _is_clear(reading: Reading, account: AccountId, symbol: Symbol) -> bool:
    """Say whether it is beyond doubt whose the contracts are that an account holds, and no disk was lost.

    Nothing but copies worked there, and what they brought lies on one side.
    """
    nets: Counter[object] = Counter()
    for order in reading.orders.values():
        if (order.first.account, order.first.symbol) != (account, symbol):
            continue
        named, key = parse_manual(order.first.client_id), parse_key(order.first.client_id)
        if named is None and key is None:
            return False
        source = named.number if named is not None else (key and key.group, "group")
        nets[source] += order.filled * order.first.side.sign
    one_side = len({net > 0 for net in nets.values() if net}) < 2
    return one_side and not any(death.lost for _, death in reading.deaths)


def _was_shut(reading: Reading) -> bool:
    return any(isinstance(entry, Turned) for entry in reading.history.entries)


def moved_by_hand(reading: Reading) -> dict[OrderId, Prices | None]:
    """Return where a hand has put orders last; None where that crossed a change of ours."""
    ours: dict[OrderId, tuple[Nanos, OrderSpec]] = {}
    found: dict[OrderId, Prices | None] = {}
    for entry in reading.history.entries:
        if isinstance(entry, Sent) and isinstance(entry.command, ChangeOrder):
            ours[entry.command.order_id] = entry.at, entry.command.spec
        elif isinstance(entry, Amended):
            order, spec = entry.order.order_id, entry.order.spec
            asked_at, asked = ours.get(order, (Nanos(0), None))
            if spec != asked:
                crossed = entry.at - asked_at < STAYS
                found[order] = None if crossed else (spec.limit, spec.stop)
    return found
