"""What followers hold and have working, against what they should. Only finds; nothing here mends.

A difference is carried from look to look by its key: it keeps the moment when it was first seen, and it
stays as it is while its contract is in flight, in doubt or unseen.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from syncgroups.core.book import UNSEEN, Book
from syncgroups.core.copies import Copy, CopyState, HoldingKey
from syncgroups.core.decision import Look, Remark, RemarkKind
from syncgroups.core.differences import NO_GROUP, Difference, DriftKey, DriftKind
from syncgroups.core.expected import (
    Pair,
    ahead_of_leader,
    entitled,
    excess,
    held_for_certain,
    is_moving,
    is_seen,
    is_sure,
    pair_of,
    pairs,
    should_hold,
)
from syncgroups.core.keys import client_order_id
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.share import leader_order
from syncgroups.core.stated import SECOND_LOOK, within
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, Symbol


@dataclass(slots=True)
class Found:
    """What one look finds. The corrections are of our own counting and trade nothing."""

    differences: dict[DriftKey, Difference] = field(default_factory=dict)
    agreed: dict[HoldingKey, tuple[int, int]] = field(default_factory=dict)
    taken: dict[HoldingKey, int] = field(default_factory=dict)
    holdings: list[tuple[HoldingKey, int]] = field(default_factory=list)
    positions: list[tuple[AccountId, Symbol, int]] = field(default_factory=list)
    over: list[ClientOrderId] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def look(self) -> Look:
        """Return it as a value."""
        return Look(
            differences=self.differences,
            agreed=self.agreed,
            taken=self.taken,
            holdings=tuple(self.holdings),
            positions=tuple(self.positions),
            over=tuple(self.over),
        )


def is_established(difference: Difference, at: Nanos) -> bool:
    """Say whether two looks far enough apart have seen a difference."""
    return at - difference.since >= SECOND_LOOK


def find(plan: OwnerPlan, book: Book, at: Nanos) -> Found:
    """Return every difference there is at this moment, and the corrections that are due."""
    found = Found(agreed=dict(book.agreed))
    for pair in pairs(plan, book):
        for difference in _of_pair(plan, book, pair, found, at):
            _carry(book, found, difference)
    for difference in (*_of_orders(plan, book, at), *_unprotected(plan, book, at), *_foreign(plan, book, at)):
        _carry(book, found, difference)
    for difference in _unexplained(plan, book, at):
        _carry(book, found, difference)
    for key, known in book.differences.items():
        if key not in found.differences and _stays(plan, book, key):
            found.differences[key] = known
    found.differences = dict(sorted(found.differences.items()))  # what follows is told in one order, always
    _weigh_reports(book, found, at)
    return found


def _carry(book: Book, found: Found, difference: Difference) -> None:
    """Keep what is known of a difference from before; what it is made of is as it is now."""
    known = book.differences.get(difference.key)
    other = known is not None and (known.expected, known.actual) != (difference.expected, difference.actual)
    if other and difference.key.kind is DriftKind.UNEXPLAINED:
        known = None  # fills and reports follow each other: each new pair of figures is looked at anew
    if known is not None:
        new = difference
        difference = replace(known, expected=new.expected, actual=new.actual, detail=new.detail)
    found.differences[difference.key] = difference


def _stays(plan: OwnerPlan, book: Book, key: DriftKey) -> bool:
    """Say whether a difference that was not found again may still be there, only unseen."""
    if key.kind is DriftKind.FAILED_EXIT:
        return True  # `owed` ends it
    if not is_seen(plan, book, key.account):
        return key.account in plan.accounts
    if key.group == NO_GROUP:
        return key.kind is not DriftKind.UNEXPLAINED and is_moving(book, key.account, key.symbol)
    pair = pair_of(plan.numbered.get(key.group), key.holding, book)
    return pair is not None and not is_sure(plan, book, pair)


# -- what a follower holds ---------------------------------------------------------------------------


def _of_pair(plan: OwnerPlan, book: Book, pair: Pair, found: Found, at: Nanos) -> Iterator[Difference]:
    if not is_sure(plan, book, pair):
        if pair.holding in book.taken:
            found.taken[pair.holding] = book.taken[pair.holding]
        return
    leader, bound = entitled(book, pair)
    yield from _taken(book, pair, leader, found, at)
    over = excess(book, pair)
    held = held_for_certain(book, pair)
    sign = 1 if held > 0 else -1
    if over and leader * held <= 0:
        text = f"the leader is {_side(leader)}, the follower still holds {held:+d}"
        yield _difference(pair.key(DriftKind.LEFT_BEHIND), held - over * sign, held, at, text)
    elif over and not _is_excused(book, pair, leader):
        text = (
            f"the leader holds {leader:+d}, of which the follower's share is {bound:+d}; it holds {held:+d}"
        )
        yield _difference(pair.key(DriftKind.TOO_MUCH), held - over * sign, held, at, text)
    else:
        found.agreed[pair.holding] = leader, _without_head_start(book, pair)
    yield from _missed(book, pair, leader, bound, found, at)


def _side(leader: int) -> str:
    return "flat" if not leader else f"{leader:+d}"


def _is_excused(book: Book, pair: Pair, leader: int) -> bool:
    """Say whether it is other settings, and no missed exit, that make a follower's share too large."""
    known = book.agreed.get(pair.holding)
    if known is None:
        return False
    leader_before, held_before = known
    share, share_before = (abs(should_hold(book, pair, net) or 0) for net in (leader, leader_before))
    grown = _without_head_start(book, pair) - held_before
    return abs(leader) >= abs(leader_before) and grown <= share - share_before


def _without_head_start(book: Book, pair: Pair) -> int:
    """Return how many contracts are held for what the leader has traded as well."""
    return abs(pair.own) - ahead_of_leader(book, pair)


def _taken(book: Book, pair: Pair, leader: int, found: Found, at: Nanos) -> Iterator[Difference]:
    """Yield what another hand closed of a copied holding: never bought back by itself."""
    same = pair.account, pair.symbol
    alone = sum(1 for holding, net in book.copied.items() if net and holding[1:3] == same) == 1
    actual = book.positions.get((pair.account, pair.symbol), 0)
    left = within(pair.own, actual) if alone else pair.own
    taken = book.taken.get(pair.holding, 0)
    key = pair.key(DriftKind.TAKEN)
    gone = taken + pair.own - left
    if left != pair.own:
        known = book.differences.get(key)
        if known is not None and at - known.since >= SECOND_LOOK:
            found.holdings.append((pair.holding, left))
            taken = gone
    if leader * taken > 0:
        found.taken[pair.holding] = taken
    if left != pair.own or leader * taken > 0:
        text = f"another hand closed {abs(gone)} of {abs(left + gone)} copied contracts: not bought back"
        yield _difference(key, left + gone, left, at, text)


def _missed(
    book: Book, pair: Pair, leader: int, bound: int | None, found: Found, at: Nanos
) -> Iterator[Difference]:
    missed = [key for key, holding in book.missed.items() if holding == pair.holding]
    if not leader:
        found.over.extend(missed)
        return
    fixed = pair.follower.fixed_qty if leader > 0 else -pair.follower.fixed_qty
    due = bound if bound is not None else (pair.own or fixed)
    if missed and abs(due) > abs(pair.own) and due * pair.own >= 0:
        text = f"the follower was not there when the leader entered; the leader holds {leader:+d}"
        yield _difference(pair.key(DriftKind.MISSED_ENTRY), due, pair.own, at, text)


def _difference(key: DriftKey, expected: int, actual: int, at: Nanos, detail: str) -> Difference:
    return Difference(key=key, expected=expected, actual=actual, since=at, detail=detail)


# -- what a follower has working ---------------------------------------------------------------------


def _of_orders(plan: OwnerPlan, book: Book, at: Nanos) -> Iterator[Difference]:
    for account in book.open_copies:
        if not is_seen(plan, book, account):
            continue
        for copy in book.open_copies_of(account):
            if copy.state is not CopyState.LIVE or copy.target is None:
                continue
            if book.is_bracketed(copy):
                continue  # `brackets` keeps these in line with what is held
            if is_stray(book, copy):
                text = f"order {copy.order_id} protects nothing any more"
                yield _difference(_order_key(DriftKind.ORPHAN, copy), 0, copy.unfilled, at, text)
            elif not copy.target.means(copy.sent):
                text = f"order {copy.order_id} does not stand where the leader's does"
                wished = (copy.target.qty - copy.filled) * copy.side.sign
                yield _difference(_order_key(DriftKind.ASTRAY, copy), wished, copy.unfilled, at, text)


def is_stray(book: Book, copy: Copy) -> bool:
    """Say whether a resting exit of ours closes nothing any more: all it could do is open something."""
    held = book.positions.get((copy.follower, copy.symbol), 0)
    return not copy.enters and held * copy.side.sign >= 0 and not is_moving(book, copy.follower, copy.symbol)


def _order_key(kind: DriftKind, copy: Copy) -> DriftKey:
    assert copy.order_id is not None  # noqa: S101  # narrows for the type checker: only live orders are asked about
    return DriftKey(kind, *copy.holding, copy.order_id)


def _unprotected(plan: OwnerPlan, book: Book, at: Nanos) -> Iterator[Difference]:
    """Yield exits that work at the leader and were never placed for a follower that holds its position."""
    for pair in pairs(plan, book):
        if not is_sure(plan, book, pair):
            continue
        leader = pair.group.leader
        for order_id in book.working.get(leader, ()):
            record = book.orders[leader, order_id]
            if record.symbol != pair.leads:
                continue
            order = leader_order(book, leader, order_id, at)
            key = client_order_id(pair.group.group, leader, order_id, pair.account)
            change = -order.change if pair.reverse else order.change
            exits = order.before * order.change < 0 and pair.own * change < 0
            if exits and book.refused.get(key) in UNSEEN:
                text = f"the leader's exit, order {order_id}, was never placed for this follower"
                expected = within(-pair.own, should_hold(book, pair, change) or -pair.own)
                yield _difference(pair.key(DriftKind.UNPROTECTED, order_id), expected, 0, at, text)


# -- what is not ours --------------------------------------------------------------------------------


def _foreign(plan: OwnerPlan, book: Book, at: Nanos) -> Iterator[Difference]:
    """Yield orders and positions of another hand. An account that leads as well is a trader's own."""
    following = {one.account for group in plan.groups if group.active for one in group.followers}
    for account in following - set(plan.led):
        if not is_seen(plan, book, account):
            continue
        for order_id in book.working.get(account, ()):
            record = book.orders[account, order_id]
            is_known = book.is_ours(account, order_id) or (account, order_id) in book.at_work.twins
            if not is_known and record.unfilled:
                text = f"order {order_id} is not ours: {record.side} {abs(record.unfilled)}, left alone"
                where = (account, record.symbol, record.symbol)
                key = DriftKey(DriftKind.FOREIGN_ORDER, NO_GROUP, *where, order_id)
                yield _difference(key, 0, record.unfilled, at, text)
        yield from _foreign_positions(book, account, at)
    for account in sorted(following & set(plan.led)):
        for difference in _foreign_positions(book, account, at):
            if _is_from_guard(book, difference):
                yield difference


def _is_from_guard(book: Book, difference: Difference) -> bool:
    """Say whether a guard of ours has opened what no copy did: it closed what another exit closed as well."""
    over = difference.actual - difference.expected
    _, filled = book.risk.guard_fills.get((difference.key.account, difference.key.symbol), (0, 0))
    return over * filled > 0 and abs(over) <= abs(filled)


def _foreign_positions(book: Book, account: AccountId, at: Nanos) -> Iterator[Difference]:
    copied: dict[Symbol, list[int]] = {}
    for (_, holder, symbol, _), net in book.copied.items():
        if holder == account and net:
            copied.setdefault(symbol, []).append(net)
    held = book.positions.of(account)
    for symbol in held.keys() | copied.keys():
        nets, actual = copied.get(symbol, []), held.get(symbol, 0)
        ours = within(nets[0], actual) if len(nets) == 1 else sum(nets)
        if actual != ours and not is_moving(book, account, symbol):
            text = f"{actual - ours:+d} of {actual:+d} contracts came from no copy, left alone"
            key = DriftKey(DriftKind.FOREIGN_POSITION, NO_GROUP, account, symbol, symbol)
            yield _difference(key, ours, actual, at, text)


def _unexplained(plan: OwnerPlan, book: Book, at: Nanos) -> Iterator[Difference]:
    for (account, symbol), stated in book.reported.items():
        counted = book.positions.get((account, symbol), 0)
        if stated != counted and is_seen(plan, book, account):
            text = f"the fills make {counted:+d}, the broker says {stated:+d}: it is asked again"
            key = DriftKey(DriftKind.UNEXPLAINED, NO_GROUP, account, symbol, symbol)
            yield _difference(key, counted, stated, at, text)


def to_look_at(book: Book) -> set[AccountId]:
    """Return accounts whose positions the broker must be asked about once more."""
    unsure = {account for account, _ in book.assumed}
    return unsure | {key.account for key in book.differences if key.kind is DriftKind.UNEXPLAINED}


def _weigh_reports(book: Book, found: Found, at: Nanos) -> None:
    """Settle what fills and reports say differently by a list that came later than both."""
    for key, difference in list(found.differences.items()):
        listed_at, listed = book.listed.get(key.account, (Nanos(0), {}))
        if key.kind is not DriftKind.UNEXPLAINED or listed_at - difference.since < SECOND_LOOK:
            continue
        net = listed.get(key.symbol, 0)
        if net not in (difference.expected, difference.actual):
            continue
        found.positions.append((key.account, key.symbol, net))
        del found.differences[key]
        text = f"the fills made {difference.expected:+d}; the broker says {net:+d} twice, and that counts"
        if net == difference.expected:
            text = f"the broker's report of {difference.actual:+d} was old; {net:+d} counts"
        found.remarks.append(
            Remark(
                kind=RemarkKind.BROKERS_WORD,
                account=key.account,
                group=None,
                symbol=key.symbol,
                detail=text,
                difference=difference,
            )
        )
