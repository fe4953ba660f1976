"""Laws about what stands beside a copy: stops that a rule asks for, what rested too long, fills too many."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from risk.core.rules import Naked
from syncgroups.core.decision import RemarkKind
from syncgroups.core.keys import is_chase, parse_key
from tests.drill.agenda import OPENING, SECOND
from tests.drill.history import (
    Accepted,
    Amended,
    Busted,
    Died,
    Entry,
    Finished,
    Image,
    Planned,
    Traded,
    Trouble,
    Turned,
)
from tests.drill.reading import Order, Reading
from tradehaven.domain.enums import OrderType, RestRule, TradingState
from tradehaven.domain.ids import AccountId, Nanos, OrderId, Symbol

BOUND = 3 * SECOND
"""How long a position may be bare in fair weather: a second of patience, the next look, and the way there."""
STOPS = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}
)


def stops_cover_what_is_held(reading: Reading) -> Iterator[str]:
    """I14: what copies hold has its stop where a rule asks for one, at rest and, in fair weather, in time.

    At rest those are left out of whom a person was told, whom other hands have changed, and who stood behind
    a shut gate. The weather is fair until the first thing goes wrong, or is done to the account.
    """
    naked = (remark for remark in reading.remarks if remark.kind is RemarkKind.NAKED)
    told = {(remark.account, remark.symbol) for remark in naked if remark.symbol is not None}
    told |= reading.drifting()  # as is what two exits of one position have opened (F17)
    for account, known in reading.plans[0][1].accounts.items():
        rule = known.rules.protection
        if rule is None or rule.stop is None:
            continue
        for symbol in sorted(reading.symbols()):
            bare, longest = _bare(reading, account, symbol)
            if bare and not _is_excused(reading, account, symbol, told):
                yield f"{account} holds {bare} {symbol} without a stop at rest"
            elif rule.naked is Naked.ATTACH and longest > BOUND:
                yield f"{account} held {symbol} for {longest / SECOND:.1f} s without its stop"


def _is_excused(
    reading: Reading, account: AccountId, symbol: Symbol, told: set[tuple[AccountId, Symbol]]
) -> bool:
    mine = (o for o in reading.orders.values() if (o.first.account, o.first.symbol) == (account, symbol))
    return (
        (account, symbol) in told
        or reading.was_busted(account)
        or any(order.first.client_id is None and not order.first.closes for order in mine)
        or any(_is_shut(entry) for entry in reading.history.entries)
        or reading.plans[-1][1].accounts[account].rules.protection is None
    )


def _is_shut(entry: Entry) -> bool:
    return isinstance(entry, Turned) and entry.gate.state is not TradingState.ACTIVE


def _fair_until(reading: Reading, account: AccountId) -> Nanos:
    """Return when the first thing went wrong, or was done to an account or its settings by a person."""
    if reading.history.per_minute is not None:
        return OPENING
    for entry in reading.history.entries[1:]:
        by_hand = isinstance(entry, Accepted) and entry.order.account == account
        trouble = isinstance(entry, Trouble) and entry.what != "quiet"
        if trouble or isinstance(entry, Busted | Died | Planned) or _is_shut(entry):
            return entry.at
        if by_hand and isinstance(entry, Accepted) and entry.order.client_id is None:
            return entry.at
    return reading.history.entries[-1].at


def _bare(reading: Reading, account: AccountId, symbol: Symbol) -> tuple[int, int]:
    """Return the contracts without a stop at the end, and the longest fair time (ns) that some had none."""
    cover, fair = _Cover(account, symbol), _fair_until(reading, account)
    longest, since = 0, None
    for entry in reading.history.entries:
        before = cover.missing
        cover.note(entry)
        if cover.missing and not before:
            since = entry.at
        if before and since is not None:
            longest = max(longest, min(entry.at, fair) - since)
    return cover.missing, longest


class _Cover:
    """One contract of one account: what is held, and for how many contracts stops work."""

    def __init__(self, account: AccountId, symbol: Symbol) -> None:
        self._where = (account, symbol)
        self._net = 0
        self._stops: dict[OrderId, Image] = {}
        self._filled: Counter[OrderId] = Counter()

    @property
    def missing(self) -> int:
        """Return the contracts without a stop."""
        closing = (one for one in self._stops.values() if one.side.sign * self._net < 0)
        return max(0, abs(self._net) - sum(one.spec.qty - self._filled[one.order_id] for one in closing))

    def note(self, entry: Entry) -> None:
        """Take the next entry of the history."""
        if isinstance(entry, Traded | Busted) and (entry.fill.account, entry.fill.symbol) == self._where:
            self._net = entry.after
            if isinstance(entry, Traded):
                self._filled[entry.fill.order_id] += entry.fill.qty
        elif isinstance(entry, Accepted | Amended | Finished):
            image = entry.order
            if (image.account, image.symbol) != self._where or image.spec.order_type not in STOPS:
                return
            if isinstance(entry, Finished):
                self._stops.pop(image.order_id, None)
            else:
                self._stops[image.order_id] = image


def what_rests_too_long_ends(reading: Reading) -> Iterator[str]:
    """COPY-06: at rest nothing works any more whose leader has filled, where a rule says what then."""
    if any(isinstance(entry, Turned) for entry in reading.history.entries):
        return
    stuck = reading.stuck()
    for group, follower in reading.pairs():
        for order in reading.copies_of(group.group, follower.account):
            yield from _rests(reading, group.rests.entries, group.rests.exits, order, stuck)


def _rests(
    reading: Reading,
    entries: RestRule,
    exits: RestRule,
    order: Order,
    stuck: set[tuple[AccountId, Symbol | None]],
) -> Iterator[str]:
    name = order.first.client_id
    if not order.left or name is None or (order.first.account, order.first.symbol) in stuck:
        return
    key = parse_key(name)
    leaders = reading.orders.get(key.leader_order) if key is not None else None
    rule = entries if reading.enters(name, 10**9) else exits
    if any(death.lost for _, death in reading.deaths) and RestRule.WAIT in (entries, exits):
        return  # whether it entered stood in what a disk has lost
    if leaders is None or leaders.left or rule is RestRule.WAIT or leaders.filled < leaders.last.spec.qty:
        return
    if not is_chase(name):
        yield f"{name} still rests although its leader has filled: {rule}"


def overfills_are_told(reading: Reading) -> Iterator[str]:
    """F26: where the broker traded too much, what is too much is closed again or somebody is told."""
    told = reading.drifting() | {
        (remark.account, remark.symbol) for remark in reading.remarks if remark.symbol is not None
    }
    nets: defaultdict[tuple[AccountId, Symbol], int] = reading.net
    for group, follower in reading.pairs():
        for order in reading.copies_of(group.group, follower.account):
            where = (follower.account, order.first.symbol)
            held = reading.copied(group.group, *where)  # what stays for another group is none of this
            if not reading.is_overfilled(order) or not held or not nets[where] or where in told:
                continue
            key = parse_key(order.first.client_id)
            leaders = reading.orders.get(key.leader_order) if key is not None else None
            if leaders is not None and not reading.net[group.leader, leaders.first.symbol]:
                traded = f"{order.filled} of {order.last.spec.qty}"
                yield f"{order.first.client_id} traded {traded}, and nobody was told"
