"""Laws about broken rules (F38, F39, F42, F44): nothing opens behind them, they hold, and they end flat.

A lock counts from the moment at which its record stood whole in the journal's file; one that went down with
its disk counts until then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from risk.core.standing import Lock
from syncgroups.core.keys import parse_key
from syncgroups.engine.records import DecisionRecord
from tests.drill.agenda import OPENING, SECOND
from tests.drill.history import Journalled, Quoted, Sent, Told, Turned
from tests.drill.reading import NOBODY, Reading
from tradehaven.domain.commands import ChangeOrder, ClosePosition, Command, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason
from tradehaven.domain.events import OrderChanged, SnapshotTaken
from tradehaven.domain.ids import AccountId, Nanos, OrderId, Symbol

OPENED_AT = timedelta(hours=10)
"""Chicago's clock when a drill begins."""
A_MOMENT = SECOND // 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Shut:
    """An account's lock as the journal has it: from a place of the history until its disk went, or on."""

    account: AccountId
    lock: Lock
    flatten: bool
    since: int
    until: int | None

    def holds(self, place: int, at: Nanos) -> bool:
        """Say whether it must be obeyed there and then."""
        return self.since < place and (self.until is None or place < self.until) and at < self.lock.until


def locks_of(reading: Reading) -> list[Shut]:
    """Return every lock that was written down, in the order of the journal."""
    kept = [one for one in reading.history.recorded if isinstance(one, DecisionRecord) and one.locks]
    found: list[Shut] = []
    for place, entry in enumerate(reading.history.entries):
        if not isinstance(entry, Journalled) or not isinstance(entry.record, DecisionRecord):
            continue
        until = None
        if entry.record.locks and entry.record not in kept:
            until = next(at for at, death in reading.deaths if at > place and death.lost)
        found += [
            Shut(account=one.account, lock=one.lock, flatten=one.flatten, since=place, until=until)
            for one in entry.record.locks
        ]
    return found


def _grown(reading: Reading) -> Iterator[tuple[int, Sent, int]]:
    """Yield every request that lets an account open something: its place, and for how many contracts."""
    sizes: dict[OrderId, int] = {}
    for place, entry in enumerate(reading.history.entries):
        if isinstance(entry, Told) and isinstance(entry.event, OrderChanged):
            sizes[entry.event.order_id] = entry.event.spec.qty
        elif isinstance(entry, Told) and isinstance(entry.event, SnapshotTaken):
            sizes |= {one.order_id: one.spec.qty for known in entry.event.accounts for one in known.orders}
        elif isinstance(entry, Sent) and (opens := _opens(reading, place, entry.command, sizes)):
            yield place, entry, opens


def _opens(reading: Reading, place: int, command: Command, sizes: dict[OrderId, int]) -> int:
    if isinstance(command, PlaceOrder):
        return reading.enters(command.client_order_id, place) or 0
    if not isinstance(command, ChangeOrder) or command.order_id not in reading.orders:
        return 0
    order = reading.orders[command.order_id]
    more = command.spec.qty - sizes.get(command.order_id, order.first.spec.qty)
    return min(max(0, more), reading.enters(order.first.client_id or NOBODY, place) or 0)


def nothing_opens_behind_a_lock(reading: Reading) -> Iterator[str]:
    """F38: once a broken rule stands in the journal its account opens nothing, and nothing of it grows."""
    shut = locks_of(reading)
    for place, sent, opens in _grown(reading) if shut else ():
        command = sent.command
        mine = [one for one in shut if one.account == command.account and one.holds(place, sent.at)]
        if mine:
            yield f"{command.client_order_id} opens {opens} behind a lock: {mine[0].lock.reason}"


def locks_outlive_everything(reading: Reading) -> Iterator[str]:
    """RISK-05: at rest every lock on record that has not ended holds, for as long as it said at least."""
    rest = reading.history.rest
    if rest is None:
        return
    end = reading.history.entries[-1].at
    for one in locks_of(reading):
        if one.until is None and one.lock.until > end:
            stands = rest.locks.get(one.account)
            if stands is None or stands.until < one.lock.until:
                yield f"the lock of {one.account} ({one.lock.reason}) is gone, or shorter: {stands}"


def flat_after_a_breach(reading: Reading) -> Iterator[str]:
    """F38, F39: whom a broken rule closes out holds nothing at rest, neither on its side nor on the other.

    Hands that trade the account afterwards may hold what they like, and so may the exchange that takes an
    execution back.
    """
    for one in locks_of(reading):
        if not one.flatten or one.until is not None or _hand_after(reading, one):
            continue
        for (account, symbol), net in sorted(reading.net.items()):
            if account == one.account and net:
                yield f"{account} holds {net:+d} {symbol} although {one.lock.reason} has closed it out"


def _hand_after(reading: Reading, shut: Shut) -> bool:
    # With a full disk a lock holds, and closes, long before its record stands.
    busts = [bust for at, bust in reading.busted if at > shut.since or bust.at >= shut.lock.since]
    if any(bust.fill.account == shut.account for bust in busts):
        return True
    by_hand = (
        order
        for order in reading.orders.values()
        if order.first.account == shut.account and order.first.client_id is None and not order.first.closes
    )
    return any(
        order.ended is None or order.ended > shut.since or order.first.created_at >= shut.lock.since
        for order in by_hand
    )


def reductions_pass(reading: Reading) -> Iterator[str]:
    """RISK-02: no rule takes anything from what reduces; only a shut gate does, or a close of the whole."""
    closed = {one.account for one in locks_of(reading) if one.flatten}
    closed |= {sent.command.account for _, sent in reading.sent if isinstance(sent.command, ClosePosition)}
    pressed = {e.gate.gate for e in reading.history.entries if isinstance(e, Turned) and e.gate.flatten}
    for _, plan in reading.plans:  # the close of one whose login had no room may not have been sent yet
        closed |= {one.account for one in plan.accounts.values() if not pressed.isdisjoint(one.gates)}
    for refusal in reading.refusals:
        weighed = refusal.weighed
        if weighed is None or refusal.reason is RefusalReason.KILL_SWITCH:
            continue
        if refusal.reason is RefusalReason.NOTHING_TO_REDUCE and refusal.follower in closed:
            continue
        if weighed.allowed < weighed.reduce:
            yield f"{refusal.key} may close {weighed.allowed} of {weighed.reduce}: {refusal.reason}"


def quarantine_is_kept(reading: Reading) -> Iterator[str]:
    """COPY-09: a contract in quarantine opens nothing for its group and follower, from the settings on."""
    for place, sent, opens in _grown(reading) if any(plan.quarantined for _, plan in reading.plans) else ():
        key = parse_key(sent.command.client_order_id)
        order = reading.order_named(sent.command.client_order_id)
        if key is None or order is None:
            continue
        if (key.group, key.follower, order.first.symbol) in reading.plan_at(place).quarantined:
            yield f"{sent.command.client_order_id} opens {opens} {order.first.symbol} in quarantine"


def flat_at_its_time(reading: Reading) -> Iterator[str]:
    """F44: from its time to be flat on an account opens nothing, and at rest it holds nothing at all."""
    last = reading.plans[-1][1]
    for account, known in last.accounts.items():
        flat = known.rules.flat
        if flat is None or flat.at is None:
            continue
        clock = timedelta(hours=flat.at.hour, minutes=flat.at.minute, seconds=flat.at.second)
        due = OPENING + int((clock - OPENED_AT).total_seconds()) * SECOND
        for _, sent, opens in _grown(reading):
            if sent.command.account == account and sent.at > due + A_MOMENT:
                yield f"{sent.command.client_order_id} opens {opens} after the time to be flat"
        for (holder, symbol), net in sorted(reading.net.items()):
            if holder == account and net:
                yield f"{account} holds {net:+d} {symbol} after its time to be flat"


def stale_prices_open_nothing(reading: Reading) -> Iterator[str]:
    """F40: where a rule asks for fresh quotes nothing opens at the market on one that is older."""
    quoted: dict[Symbol, Nanos] = {}
    grown = {place: opens for place, _, opens in _grown(reading)} if reading.history.money else {}
    for place, entry in enumerate(reading.history.entries):
        if isinstance(entry, Quoted):
            quoted[entry.symbol] = entry.at
        elif place in grown and isinstance(entry, Sent) and isinstance(entry.command, PlaceOrder):
            command = entry.command
            collar = reading.plan_at(place).accounts[command.account].rules.collar
            if collar is None or collar.quote_age is None or command.spec.order_type is not OrderType.MARKET:
                continue
            age = (entry.at - quoted.get(command.symbol, 0)) / SECOND
            if age > collar.quote_age + 0.01:
                yield f"{command.client_order_id} opens at the market on a quote that is {age:.1f} s old"
