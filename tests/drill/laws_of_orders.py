"""Laws about requests and orders: once, on record first, never blind, always ended."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator

from syncgroups.core.decision import RemarkKind
from syncgroups.core.keys import CopyKey, fill_key, is_chase, is_repair, parse_key
from syncgroups.core.plan import GroupPlan
from tests.drill.agenda import SECOND
from tests.drill.history import Began, Died, Sent, Told, Turned
from tests.drill.reading import NOBODY, Order, Reading, same_market
from tradehaven.domain.commands import (
    CancelOrder,
    ChangeOrder,
    ClosePosition,
    Confirmed,
    Denied,
    Lane,
    Rejected,
    Unresolved,
)
from tradehaven.domain.enums import OrderStatus, OrderType, SyncMode, TradingState
from tradehaven.domain.events import (
    LinkLost,
    OrderChanged,
    OrderEnded,
    SilenceAsked,
    SnapshotTaken,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, Nanos, OrderId

STALE = 2.1
"""Seconds after which nothing is opened any more, and the moment of deciding."""
DONE = (OrderStatus.FILLED, OrderStatus.COMPLETED)


def one_order_for_each_intent(reading: Reading) -> Iterator[str]:
    """I1: the broker accepted each of our ids once, and the engine never wrote one twice that it knew of.

    A request whose record went down with its disk is known to nobody but the broker.
    """
    accepted = Counter(order.first.client_id for order in reading.orders.values() if order.first.client_id)
    lost = any(death.lost for _, death in reading.deaths)
    written = Counter(command.client_order_id for _, _, command in reading.placed() if not lost)
    written -= reading.limited  # what the broker said it had not carried out may go once more
    for name, count in (accepted | written).items():
        if count > 1:
            yield f"{name} was placed {count} times"


def nothing_lost_in_silence(reading: Reading) -> Iterator[str]:
    """I2: every order of a leader has for every follower an order at the broker, or a reason on record."""
    answered: set[ClientOrderId | None] = {order.first.client_id for order in reading.orders.values()}
    answered |= {refusal.key for refusal in reading.refusals}
    answered |= {remark.key for remark in reading.remarks if remark.kind is RemarkKind.MISSED}
    for event in reading.events:
        if isinstance(event, Rejected | Denied) or (
            isinstance(event, OrderEnded) and event.status is OrderStatus.REJECTED
        ):
            answered.add(event.client_order_id)
        elif isinstance(event, SnapshotTaken):  # what it states of ours is written to the copy's own row
            answered |= {order.client_order_id for account in event.accounts for order in account.orders}
    for order in reading.orders.values():
        for group, follower in _audience(reading, order):
            name = reading.key_of(group, order.first.order_id, follower)
            if group.mode is SyncMode.CONFIRMED:
                yield from _unanswered_fills(reading, order, name, answered)
            elif name not in answered:
                yield f"{follower} has no answer to order {order.first.order_id} of {group.leader}"


def _unanswered_fills(
    reading: Reading, order: Order, name: ClientOrderId, answered: set[ClientOrderId | None]
) -> Iterator[str]:
    """Yield fills without an answer; an exit that was mirrored answers the fills of its own by working."""
    mirrored = name in answered
    busted = {bust.fill.fill_id for _, bust in reading.busted}
    for _, trade in reading.trades:
        fill = trade.fill
        theirs = fill.order_id == order.first.order_id and fill.fill_id not in busted
        if theirs and not mirrored and fill_key(name, fill.fill_id) not in answered:
            yield f"{name} has no answer to fill {fill.fill_id}"


def _audience(reading: Reading, order: Order) -> Iterator[tuple[GroupPlan, AccountId]]:
    """Yield who had to answer an order: who followed its account from then on without a break."""
    plans = reading.plans_from(order.place)
    for group in plans[0].groups:
        if group.leader != order.first.account:
            continue
        for follower in group.followers:
            if all(_follows(found, group, follower.account) for plan in plans for found in [plan.groups]):
                yield group, follower.account


def _follows(groups: tuple[GroupPlan, ...], group: GroupPlan, account: AccountId) -> bool:
    return any(
        found.group == group.group and found.active and any(f.account == account for f in found.followers)
        for found in groups
    )


def recorded_before_sent(reading: Reading) -> Iterator[str]:
    """I6: the intent stood in the file before the request left. With a full disk only what cancels leaves."""
    full = any("FullDisk" in trouble.what for _, trouble in reading.troubles)
    for place, sent in reading.sent:
        name = sent.command.client_order_id
        intent = reading.steps.get(name)
        safe = isinstance(sent.command, CancelOrder | ClosePosition)
        if full and safe:
            pass
        elif intent is None:
            yield f"{name} was sent without an intent"
        elif intent[0] > place:
            yield f"{name} was sent before its intent was written"
        if parse_key(name) is None and not name.startswith(("th1x.", "th1g.", "th1h.")):
            yield f"{name} does not say what it is for"


def one_writer(reading: Reading) -> Iterator[str]:
    """I11: whoever writes is the youngest engine, and alive. Two engines at once meet in the journeys."""
    alive: int | None = None
    for entry in reading.history.entries:
        if isinstance(entry, Began):
            if alive is not None:
                yield f"engine {entry.epoch} began while {alive} was alive"
            alive = entry.epoch
        elif isinstance(entry, Died):
            alive = None
        elif isinstance(entry, Sent) and entry.epoch != alive:
            yield f"{entry.command.client_order_id} was written by engine {entry.epoch}, alive is {alive}"


def unknown_stays_unknown(reading: Reading) -> Iterator[str]:
    """I12: what is called missed was never at the broker; what had no answer was not called refused."""
    accepted = {o.first.client_id: o.first.created_at for o in reading.orders.values()}
    missed = {r.key for r in reading.remarks if r.kind is RemarkKind.MISSED}
    for name in sorted(filter(None, missed)):
        if name in accepted:
            yield f"{name} was called missed, and the broker has it"
    for event in reading.events:
        if isinstance(event, Denied) and accepted.get(event.client_order_id, Nanos(0)) > event.at:
            continue  # it had to wait for its login's budget, and went later
        if isinstance(event, Denied) and event.client_order_id in accepted:
            yield f"{event.client_order_id} was called not sent, and the broker has it"


def causality(reading: Reading) -> Iterator[str]:
    """I13: no change or cancel after the end was told; at rest a working copy stands like its leader's order.

    Behind a shut gate an exit stays and nothing is said to it, and a stuck command has been shouted about.
    """
    ended: set[tuple[AccountId, OrderId]] = set()
    for entry in reading.history.entries:
        if isinstance(entry, Told) and isinstance(entry.event, OrderEnded):
            ended.add((entry.event.account, entry.event.order_id))
        elif isinstance(entry, Sent) and isinstance(entry.command, ChangeOrder | CancelOrder):
            if (entry.command.account, entry.command.order_id) in ended:
                yield f"{entry.command.client_order_id} was sent after the end of {entry.command.order_id}"
    yield from _copies_at_rest(reading)


def _copies_at_rest(reading: Reading) -> Iterator[str]:
    narrowed = any(
        isinstance(entry, Turned) and entry.gate.state is not TradingState.ACTIVE
        for entry in reading.history.entries
    )
    stuck, last = reading.stuck(), reading.plans[-1][1]
    for key, order in reading.ours():
        leaders = reading.orders.get(key.leader_order)
        symbol, leads = order.first.symbol, leaders.first.symbol if leaders is not None else None
        settled = any(
            group.group == key.group and _follows((group,), group, key.follower) for group in last.groups
        )
        if not order.left or leaders is None or not settled or narrowed or (key.follower, symbol) in stuck:
            continue
        if leads is None or is_chase(order.first.client_id or NOBODY):
            continue  # what took its place stands where its own rule says
        name = order.first.client_id
        if not leaders.left and leaders.last.status not in DONE:
            if _protects(reading, key, order):
                continue
            yield f"{name} works although its leader's order is {leaders.last.status}"
        elif (
            not leaders.left
            and reading.net[key.leader, leads] == 0
            and reading.enters(name or ClientOrderId(""), 10**9)
        ):
            yield f"{name} may still open although its leader is out"
        elif (
            leaders.left and not leaders.last.spec.trails and not reading.is_reversed(key.group, key.follower)
        ):
            if (leaders.last.spec.limit, leaders.last.spec.stop) != (
                order.last.spec.limit,
                order.last.spec.stop,
            ):
                yield f"{name} stands at other prices than its leader's order"


def _protects(reading: Reading, key: CopyKey, order: Order) -> bool:
    """Say whether an exit may stay that its leader took back: the leader got out, the follower has not yet.

    The leader's target filled and took its stop along, and the follower's target still waits for its price.
    """
    symbol = order.first.symbol
    if reading.touched_by_others(key.follower, symbol):
        return True  # what a strange hand left of the position is anybody's guess
    busted = reading.was_busted(key.follower)  # an execution that was taken back has left it
    held = reading.net[key.follower, symbol] if busted else reading.held(key.group, key.follower, symbol)
    leads = reading.orders[key.leader_order].first.symbol
    out = reading.was_out(key.leader, leads, key.leader_order)
    return (out or reading.was_busted(key.leader)) and held * order.first.side.sign < 0  # he may seem out


def changes_are_merged(reading: Reading) -> Iterator[str]:
    """I16, F16: one change or cancel of an order is out at a time; whatever comes meanwhile is merged.

    What a login may be asked at all is `budgets_are_kept`.
    """
    out: dict[OrderId, ClientOrderId] = {}
    for entry in reading.history.entries:
        if isinstance(entry, Died):
            out.clear()
        elif isinstance(entry, Told):
            if isinstance(event := entry.event, OrderChanged | OrderEnded):
                out.pop(event.order_id, None)
            elif isinstance(event, Confirmed | Rejected | Unresolved | Denied):
                out = {order: name for order, name in out.items() if name != event.client_order_id}
            elif isinstance(event, SnapshotTaken | LinkLost):
                out.clear()
        elif isinstance(entry, Sent) and isinstance(entry.command, ChangeOrder | CancelOrder):
            name = entry.command.client_order_id
            if parse_key(name) is None and not name.startswith("th1h."):  # a flatten waits for nobody
                continue
            if (known := out.get(entry.command.order_id)) is not None:
                yield f"{name} was sent while {known} was out"
            out[entry.command.order_id] = name


def budgets_are_kept(reading: Reading) -> Iterator[str]:
    """I16: no more calls of a login in any minute than its broker takes, over the engine's lives together."""
    limit = reading.history.per_minute
    calls: defaultdict[ConnectionId, deque[Nanos]] = defaultdict(deque)
    for place, sent in reading.sent if limit is not None else ():
        login = reading.plan_at(place).accounts[sent.command.account].connection
        window = calls[login]
        window.append(sent.at)
        while sent.at - window[0] >= 60 * SECOND:
            window.popleft()
        if limit is not None and len(window) > limit:
            yield f"login {login} was asked {len(window)} things in a minute, it takes {limit}"


def silence_is_kept(reading: Reading) -> Iterator[str]:
    """F23 to F25: while a broker wants silence nothing is opened and nothing moved; exits may be tried."""
    if reading.history.per_minute is None:
        return
    until: dict[ConnectionId, Nanos] = {}
    for place, entry in enumerate(reading.history.entries):
        if isinstance(entry, Told) and isinstance(entry.event, SilenceAsked):
            until[entry.connection] = max(entry.event.until, until.get(entry.connection, Nanos(0)))
        elif isinstance(entry, Sent) and entry.command.lane in (Lane.ENTRY, Lane.CHANGE):
            login = reading.plan_at(place).accounts[entry.command.account].connection
            if entry.at < until.get(login, 0):
                yield f"{entry.command.client_order_id} was sent although login {login} wants silence"


def lineage(reading: Reading) -> Iterator[str]:
    """I17: every order of ours answers a real order of its leader, by a decision on record.

    A decision that went down with its disk is on no record; then the name alone must say it.
    """
    lost = any(death.lost for _, death in reading.deaths)
    decided = {
        step.copy.key
        for record in reading.history.recorded
        if hasattr(record, "steps")
        for step in record.steps
        if step.copy is not None
    }
    for key, order in reading.ours():
        leaders = reading.orders.get(key.leader_order)
        name = order.first.client_id or ClientOrderId("")
        if leaders is None or leaders.first.account != key.leader:
            yield f"{name} answers no order of {key.leader}"
        elif is_repair(name):
            continue  # it closes a difference that the leader's order left: its size and side are drift's
        elif not same_market(leaders.first.symbol, order.first.symbol) or (
            leaders.first.side is not order.first.side and not reading.is_reversed(key.group, key.follower)
        ):
            yield f"{name} trades otherwise than its leader's order"
        if name not in decided and not lost:
            yield f"{name} was decided by nothing on record"


def convergence(reading: Reading) -> Iterator[str]:
    """I19: a minute after the last trouble every link is up and nothing is unknown; no event was dropped."""
    rest = reading.history.rest
    if rest is None:
        yield "the drill never came to rest"
        return
    for login in rest.links_down:
        yield f"login {login} is down"
    for name in rest.unknown:
        yield f"{name} has no known end"
    for name in rest.waiting:
        yield f"{name} still waits"
    if rest.failures:
        yield f"{rest.failures} events could not be handled"


def no_stale_entry(reading: Reading) -> Iterator[str]:
    """F01: an answer at the market opens nothing later than two seconds after what it answers was seen."""
    for place, sent, command in reading.placed():
        seen = reading.seen(command.client_order_id)
        opens = reading.enters(command.client_order_id, place)
        if seen is None or not opens or command.spec.order_type is not OrderType.MARKET or seen[0] > place:
            continue
        if is_chase(command.client_order_id):
            continue  # it comes late by a person's own rule for what rests
        if (late := (sent.at - seen[1]) / SECOND) > STALE:
            yield f"{command.client_order_id} opens {late:.1f} s after its leader's order was seen"


def a_snapshot_is_no_news(reading: Reading) -> Iterator[str]:
    """F12, F06: only what was seen to come is answered; a snapshot and a start open nothing.

    Confirmed mode mirrors the leader's resting exits for a position that is held, whenever it sees them.
    """
    for place, _, command in reading.placed():
        if parse_key(command.client_order_id) is None:
            continue
        seen = reading.seen(command.client_order_id)
        name = command.client_order_id
        mirrors = reading.is_confirmed(name) and reading.only_reduces(name, place)
        if (seen is None or seen[0] > place) and not mirrors:
            yield f"{command.client_order_id} answers what was never seen to come"
