"""Laws about positions: as sized, flat with the leader, never flipped by an exit, under the cap, balanced."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from syncgroups.core import sizing
from syncgroups.core.keys import parse_key
from syncgroups.core.plan import FollowerPlan, GroupPlan
from tests.drill.agenda import SECOND
from tests.drill.history import Sent, Traded, Turned
from tests.drill.laws_of_manual import moved_by_hand
from tests.drill.people import ES
from tests.drill.races import is_race
from tests.drill.reading import Order, Reading, answer_to
from tests.drill.tab import Tab
from tradehaven.domain.enums import OrderType, RefusalReason, SizingMode, SyncMode, TradingState
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol

WAITS = 5.0
"""Seconds for which an exit may wait for orders in doubt in ordinary weather."""
HARMLESS = frozenset({RefusalReason.ROUNDS_TO_ZERO, RefusalReason.NOTHING_TO_REDUCE})


def exposure_as_sized(reading: Reading) -> Iterator[str]:
    """I3: where nothing went wrong for a follower it holds what sizing makes of the leader's trades.

    Exact for leaders that trade at the market only: an order that rests is sized when it is seen and may
    fill otherwise on both sides (Immediate mode). A follower for whom something was refused, rejected,
    missed, or done by hand is what I4 and the drift records speak about.
    """
    for group, follower in reading.pairs():
        if not _is_clean(reading, group, follower):
            continue
        for symbol in sorted(reading.symbols()):
            mine = answer_to(follower, symbol)
            both = [other for other in reading.traded(group.leader) if answer_to(follower, other) == mine]
            if symbol not in both or len(both) > 1:
                continue  # what its leader trades in both sizes comes together in one contract
            expected = _sized(reading, group, follower, symbol)
            found = reading.copied(group.group, follower.account, mine)
            if expected is not None and found != expected:
                yield f"{follower.account} holds {found:+d} {mine}, sizing says {expected:+d}"


def _is_clean(reading: Reading, group: GroupPlan, follower: FollowerPlan) -> bool:
    account = follower.account
    refused = (r for r in reading.refusals if r.follower == account and r.group == group.group)
    if any(refusal.reason not in HARMLESS for refusal in refused):
        return False
    # A leader whose own order is in doubt may be weighed as if it held what that brings (chains).
    if any(remark.account in (account, group.leader) for remark in reading.remarks):
        return False
    if _cut_short(reading, group.leader):
        return False
    keys = {name: parse_key(name) for name in reading.copies}
    mine = (group.group, account)
    decided = {name for name, key in keys.items() if key is not None and (key.group, key.follower) == mine}
    return (
        not any(reading.touched_by_others(account, symbol) for symbol in reading.symbols())
        and decided <= {order.first.client_id for order in reading.copies_of(group.group, account)}
        and all(order.last.spec.qty == order.filled for order in reading.copies_of(group.group, account))
        and reading.caps_of(account) == {None}
        and follower.sizing is not SizingMode.BALANCE
        and not follower.reverse
        and not reading.busted
        and not any(reading.is_overfilled(order) for order in reading.copies_of(group.group, account))
        and reading.groups_of(account) == 1
    )


def _cut_short(reading: Reading, leader: AccountId) -> bool:
    """Say whether an engine died while an exit may have been waiting, which only its memory knew (ADR 9)."""
    moved = [trade.at for _, trade in reading.trades if trade.fill.account == leader]
    return any(0 <= death.at - at <= WAITS * SECOND for _, death in reading.deaths for at in moved)


def _sized(reading: Reading, group: GroupPlan, follower: FollowerPlan, symbol: Symbol) -> int | None:
    """Return what sizing makes of the leader's trades one after another; None where they rested."""
    own = leader = 0
    entered: set[OrderId] = set()
    reduced: set[OrderId] = set()
    mine = follower.for_product("ES") if symbol == ES else follower
    factor = 10 if mine.product == "MES" else 1
    by_fills = group.mode is SyncMode.CONFIRMED and follower.sizing is SizingMode.FIXED
    for order, change in _changes(reading, group, symbol) or ():
        cumulative = group.mode is SyncMode.CONFIRMED and leader * change > 0
        sized = sizing.follower_order(
            plan=follower,
            ratio=Fraction(follower.ratio) * factor,
            own=own,
            leader=leader,
            change=change,
            base=abs(leader) if cumulative else 0,
        )
        leader += change
        enter, reduce = sized.enter, sized.reduce
        if by_fills:  # a fixed size is that of the whole order
            enter = 0 if order in entered else enter
            reduce = 0 if order in reduced and leader else reduce
            entered |= {order} if enter else set()
            reduced |= {order} if reduce else set()
        own += (enter + reduce) * (1 if change > 0 else -1)
    return own if _changes(reading, group, symbol) is not None else None


def _changes(reading: Reading, group: GroupPlan, symbol: Symbol) -> list[tuple[OrderId, int]] | None:
    """Return the leader's signed trades: order by order as they came, or fill by fill in Confirmed mode."""
    mine = [
        order
        for order in reading.orders.values()
        if order.first.account == group.leader and order.first.symbol == symbol
    ]
    for order in mine:
        if order.first.spec.order_type is not OrderType.MARKET or order.filled != order.last.spec.qty:
            return None
    if group.mode is not SyncMode.CONFIRMED:
        seen = [reading.working.get((group.leader, order.first.order_id), (0, None))[0] for order in mine]
        if seen != sorted(seen):
            return None  # the news of one was lost: it was sized out of its turn
        return [(order.first.order_id, order.filled * order.first.side.sign) for order in mine]
    fills = (trade.fill for _, trade in reading.trades)
    theirs = [f for f in fills if (f.account, f.symbol) == (group.leader, symbol)]
    return [(f.order_id, f.qty * f.side.sign) for f in theirs]


def flat_with_the_leader(reading: Reading) -> Iterator[str]:
    """I4: whose leader is flat at rest holds nothing of it, or a drift record says so.

    A gate that is shut keeps positions as they are, on a person's word.
    """
    drifting, halted = reading.drifting(), _ever(reading, TradingState.HALTED)
    for group, follower in reading.pairs():
        for mine in sorted(reading.symbols()):
            leads = [symbol for symbol in reading.symbols() if answer_to(follower, symbol) == mine]
            if any(reading.net[group.leader, symbol] for symbol in leads):
                continue
            if not leads or reading.touched_by_others(follower.account, mine):
                continue
            held = reading.held(group.group, follower.account, mine)
            ahead = _ahead(reading, group, follower, mine, held)
            if abs(held) > ahead and not halted and (follower.account, mine) not in drifting:
                yield f"{follower.account} holds {held:+d} {mine}, its leader is flat, and nobody was told"


def _ahead(reading: Reading, group: GroupPlan, follower: FollowerPlan, symbol: Symbol, held: int) -> int:
    """Return what a follower was filled of what is left of orders at its leader: that is not left behind."""
    filled: Counter[OrderId] = Counter()
    for order in reading.copies_of(group.group, follower.account):
        key = parse_key(order.first.client_id)
        same = order.first.symbol == symbol and order.first.side.sign * held > 0
        if key is not None and key.fill is None and same:
            filled[key.leader_order] += order.filled
    return sum(
        _of_what_is_left(reading.orders[name], follower, symbol, qty)
        for name, qty in filled.items()
        if name in reading.orders
    )


def _of_what_is_left(leaders: Order, follower: FollowerPlan, symbol: Symbol, filled: int) -> int:
    if follower.sizing is not SizingMode.RATIO or not leaders.left:
        return filled if leaders.left else 0  # other sizes do not say which part of them is whose
    factor = 10 if leaders.first.symbol == ES and symbol != ES else 1
    return min(filled, ceil(leaders.left * follower.ratio * factor))


def _ever(reading: Reading, state: TradingState) -> bool:
    return any(isinstance(e, Turned) and e.gate.state is state for e in reading.history.entries)


def reductions_only_reduce(reading: Reading) -> Iterator[str]:
    """I5: a fill of an order that was meant to reduce, or that answers a pure exit, neither opens nor flips.

    Two exits of one position (a target and a stop) can both trade before the second is taken back: that is
    no breach while the engine could not have known or not have been quicker. I4 asks for the alarm.
    """
    reduces = _pure_exits(reading)
    busted = {bust.fill.account for _, bust in reading.busted}
    told, by_hand = reading.fills_told, moved_by_hand(reading)
    for place, trade in reading.trades:
        order = reading.orders[trade.fill.order_id]
        if trade.fill.order_id in by_hand:
            continue  # how large it is says its owner
        key = parse_key(order.first.client_id)
        if key is None or not (trade.before * trade.after < 0 or abs(trade.after) > abs(trade.before)):
            continue
        name = order.first.client_id or ClientOrderId("")
        meant = reading.only_reduces(name, place) or key.leader_order in reduces
        account, symbol = trade.fill.account, trade.fill.symbol
        if not meant or reading.touched_by_others(account, symbol) or reading.was_generous(account):
            continue
        if not busted.isdisjoint((account, key.leader)):
            continue  # what is held is not known until the broker has said it twice (F18)
        if not is_race(reading, place, trade, told):
            yield f"{name} reduces, and took {account} from {trade.before:+d} to {trade.after:+d} {symbol}"


def _pure_exits(reading: Reading) -> set[OrderId]:
    """Return the leaders' market orders that only reduced, filled just as they were placed."""
    found: dict[OrderId, bool] = {}
    for _, trade in reading.trades:
        order = reading.orders[trade.fill.order_id]
        if order.first.spec.order_type is OrderType.MARKET:
            grows = trade.before * trade.after < 0 or abs(trade.after) > abs(trade.before)
            found[trade.fill.order_id] = found.get(trade.fill.order_id, True) and not grows
    orders = reading.orders
    quiet = {o for o, reducing in found.items() if reducing and orders[o].filled == orders[o].first.spec.qty}
    return {order for order in quiet if _was_alone(reading, reading.orders[order])}


def _was_alone(reading: Reading, order: Order) -> bool:
    """Say whether nothing else of its account traded between an order's coming and its end."""
    end = order.ended if order.ended is not None else len(reading.history.entries)
    window = (trade for place, trade in reading.trades if order.place <= place <= end)
    others = any(
        trade.fill.account == order.first.account and trade.fill.order_id != order.first.order_id
        for trade in window
    )
    # An order still on its way when this one came, or not known to have ended, may be counted first.
    seen = reading.working.get((order.first.account, order.first.order_id), (end, None))[0]
    pending = any(
        other.place < order.place
        and (other.ended is None or other.ended > order.place or _ended_after(reading, other, seen))
        for other in reading.orders.values()
        if other.first.account == order.first.account and other.first.symbol == order.first.symbol
    )
    blind = reading.is_blind(order.first.account, end)  # what it held may be unknown to the engine
    return not others and not pending and not blind and _in_turn(reading, order)


def _ended_after(reading: Reading, order: Order, place: int) -> bool:
    """Say whether the engine was told of an order's end only after a place of the history."""
    return reading.ends_told.get((order.first.account, order.first.order_id), -1) > place


def _in_turn(reading: Reading, order: Order) -> bool:
    """Say whether the engine saw an order in its turn among those of its account in the contract."""
    seen = reading.working.get((order.first.account, order.first.order_id))
    if seen is None or not _fills_in_turn(reading, order):
        return False
    for other in reading.orders.values():
        told = reading.working.get((other.first.account, other.first.order_id))
        same = (other.first.account, other.first.symbol) == (order.first.account, order.first.symbol)
        if same and told is not None and (other.place < order.place) is not (told[0] < seen[0]):
            if other is not order:
                return False
    return True


def _fills_in_turn(reading: Reading, order: Order) -> bool:
    """Say whether the engine was told an order's fills in their turn among those of its account."""
    told: list[int] = []
    for _, trade in reading.trades:
        fill = trade.fill
        if (fill.account, fill.symbol) == (order.first.account, order.first.symbol):
            known = reading.fills_told.get((fill.account, fill.fill_id))
            told.append(known[0] if known is not None else -1)
    return told == sorted(told)


def caps_hold(reading: Reading) -> Iterator[str]:
    """I8: whenever an order that opens is written, position and everything that may trade stay in the cap.

    By the broker's log. Left out: accounts that hands traded or whose broker traded too much, caps changed on
    the way, and orders that a lost disk made the engine forget.
    """
    if any(death.lost for _, death in reading.deaths):
        return
    for _, follower in reading.pairs():
        account = follower.account
        caps = reading.caps_of(account)
        cap = next(iter(caps)) if len(caps) == 1 else None
        if (
            cap is None
            or reading.was_busted(account)
            or reading.was_generous(account)
            or any(reading.touched_by_others(account, s) for s in reading.symbols())
        ):
            continue
        yield from _cap_breaches(reading, account, cap)


def _cap_breaches(reading: Reading, account: AccountId, cap: int) -> Iterator[str]:
    net: defaultdict[Symbol, int] = defaultdict(int)
    tab = Tab(reading, account)
    for place, entry in enumerate(reading.history.entries):
        grows = isinstance(entry, Sent) and tab.grows(entry.command)
        tab.note(entry)
        if isinstance(entry, Traded) and entry.fill.account == account:
            net[entry.fill.symbol] = entry.after
        if not isinstance(entry, Sent) or entry.command.account != account or not grows:
            continue
        order = tab.order_of(entry.command)
        if order is None or not reading.enters(order.first.client_id or ClientOrderId(""), place):
            continue
        side, symbol = order.first.side, order.first.symbol
        worst = net[symbol] * side.sign + tab.outstanding(symbol, side)
        if worst > cap:
            yield f"{entry.command.client_order_id} lets {account} reach {worst} {symbol}, its cap is {cap}"


def protection_fits(reading: Reading) -> Iterator[str]:
    """I14: at rest an exit closes exactly what is held, where its leader's stop covers all of its own.

    A stop is mandatory only where the leader has one; a follower whose stop the broker turned down is told
    so (I2), as is one that holds more than its share.
    """
    if any(_ever(reading, state) for state in (TradingState.HALTED, TradingState.REDUCING)):
        return
    stuck, told = reading.stuck(), reading.drifting()
    for group, follower in reading.pairs():
        if follower.reverse:
            continue  # its leader's stop is a limit order here: that protects nobody
        account = follower.account
        for order in reading.copies_of(group.group, account):
            key, symbol = parse_key(order.first.client_id), order.first.symbol
            leaders = reading.orders.get(key.leader_order) if key is not None else None
            name = order.first.client_id or ClientOrderId("")
            alone = reading.groups_of(account) == 1 and not reading.touched_by_others(account, symbol)
            if not order.left or leaders is None or not alone or (account, symbol) in stuck:
                continue
            if reading.was_busted(account):
                continue  # what it holds for whom is anybody's guess, and people were told so
            if reading.was_forgotten(name) and _opens_by_now(reading, leaders):
                continue  # known by its name alone it counts as an entry, and so does what it answers
            held = reading.held(group.group, account, symbol)
            closing = held * order.first.side.sign < 0
            if reading.only_reduces(name, 10**9) and order.left > (abs(held) if closing else 0):
                yield f"{name} would close {order.left}, and {account} holds {held:+d} {symbol}"
            leader_net = reading.net[group.leader, leaders.first.symbol]
            whole = leaders.left and leaders.left == abs(leader_net)
            is_stop = leaders.last.spec.order_type is OrderType.STOP
            if whole and is_stop and closing and leader_net * order.first.side.sign < 0:
                if order.left < abs(held) and (account, symbol) not in told:
                    yield f"{name} protects {order.left} of {held:+d} {symbol} held by {account}"


def _opens_by_now(reading: Reading, order: Order) -> bool:
    """Say whether an order that still works would open, with what its account holds at the end."""
    held = reading.net[order.first.account, order.first.symbol]
    return bool(order.left) and held * order.first.side.sign >= 0


def books_balance(reading: Reading) -> Iterator[str]:
    """I15: the engine's positions are those of the broker's log."""
    rest = reading.history.rest
    if rest is None:
        return
    ours = set(reading.plans[0][1].accounts)
    for account, symbol in sorted(set(rest.positions) | set(reading.net)):
        if account not in ours:
            continue  # of whom nonsense was told
        believed, true = rest.positions.get((account, symbol), 0), reading.net[account, symbol]
        if believed != true:
            yield f"the engine believes that {account} holds {believed:+d} {symbol}, it holds {true:+d}"
