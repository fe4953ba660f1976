"""What would mend a difference, in words, and the mending itself where a policy or a person asks for it.

By itself only what reduces is done: closing what should not be held, within the group's cap, and placing
an exit that is missing. Our own exits that protect nothing are swept under every policy: they could only
open something. Entries are caught up by a click alone, see `replay`.
"""

from dataclasses import replace
from typing import Final

from syncgroups.core.book import Book
from syncgroups.core.converge import advance
from syncgroups.core.decision import NOTHING, CopyRefused, Decision, Remark, RemarkKind, Step
from syncgroups.core.differences import Difference, DriftKey, DriftKind
from syncgroups.core.drift import Found, is_established, is_stray
from syncgroups.core.expected import Pair, is_sure, pair_of
from syncgroups.core.keys import client_order_id
from syncgroups.core.mending import (
    QUARANTINE_AFTER,
    blocked,
    closing,
    in_the_way,
    pause,
    placed_again,
    quarantined,
)
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.replay import caught_up, missed_key
from tradehaven.domain.contracts import known_product
from tradehaven.domain.enums import Ask, DriftPolicy, RestRule
from tradehaven.domain.events import PersonAsked
from tradehaven.domain.ids import ClientOrderId, Nanos

ASKED_FOR = 60 * 1_000_000_000
"""How long a click goes on to be tried."""
CLOSES: Final = frozenset({DriftKind.LEFT_BEHIND, DriftKind.TOO_MUCH})
BY_ITSELF: Final = CLOSES | {DriftKind.UNPROTECTED}
ON_A_CLICK: Final = BY_ITSELF | {DriftKind.ORPHAN, DriftKind.MISSED_ENTRY}


def mended(plan: OwnerPlan, book: Book, found: Found, at: Nanos) -> Decision:
    """Return the repairs that are due now; what was tried is noted in `found`."""
    steps: list[Step] = []
    remarks: list[Remark] = []
    refusals: list[CopyRefused] = []
    served = {key.holding for key in found.differences if key.kind is DriftKind.FAILED_EXIT}
    for key, known in found.differences.items():
        if key.holding in served and key.kind is not DriftKind.ORPHAN:
            continue
        difference, said = _weighed(plan, known, at)
        found.differences[key] = difference
        remarks += said
        if not _is_wanted(plan, difference, at) or at < difference.due:
            continue
        decision = _mend(plan, book, difference, at)
        if decision.refusals:  # that is the answer to a click: it would be refused again each second
            found.differences[key] = replace(difference, asked_at=Nanos(0))
        if decision.steps:
            served.add(key.holding)
            tries = difference.attempts + 1
            found.differences[key] = replace(difference, attempts=tries, due=Nanos(at + pause(tries)))
        steps += decision.steps
        refusals += decision.refusals
    return Decision(steps=tuple(steps), remarks=tuple(remarks), refusals=tuple(refusals))


def _weighed(plan: OwnerPlan, difference: Difference, at: Nanos) -> tuple[Difference, list[Remark]]:
    """Return a difference whose repair is over the cap, or in vain, with what is said of that once."""
    key = difference.key
    remarks: list[Remark] = []
    if key.kind in BY_ITSELF:
        difference, remarks = quarantined(difference)
    over = _over_cap(plan, difference)
    if over and is_established(difference, at) and not difference.shouted_at:
        difference = replace(difference, shouted_at=at)
        remarks.append(
            Remark(
                kind=RemarkKind.REPAIR_REFUSED,
                account=key.account,
                group=key.group,
                symbol=key.symbol,
                detail=over,
                difference=difference,
            )
        )
    return difference, remarks


def _over_cap(plan: OwnerPlan, difference: Difference) -> str | None:
    """Return why a repair that its group's policy asks for is left to a person all the same."""
    if not _is_left_to_us(plan, difference) or difference.key.kind not in CLOSES:
        return None
    cap = plan.numbered[difference.key.group].drift_cap
    qty = abs(difference.actual - difference.expected)
    if qty <= cap:
        return None
    return f"{qty} contracts are more than the {cap} that may be repaired without a click"


def _is_left_to_us(plan: OwnerPlan, difference: Difference) -> bool:
    group = plan.numbered.get(difference.key.group)
    return group is not None and group.drift_policy is DriftPolicy.REPAIR


def _is_wanted(plan: OwnerPlan, difference: Difference, at: Nanos) -> bool:
    kind = difference.key.kind
    if at - difference.asked_at < ASKED_FOR:
        return kind in ON_A_CLICK
    ripe = not difference.ignored and is_established(difference, at)
    if kind is DriftKind.ORPHAN:
        return ripe
    goes_on = kind in BY_ITSELF and difference.attempts < QUARANTINE_AFTER
    return ripe and goes_on and _is_left_to_us(plan, difference) and not _over_cap(plan, difference)


def _mend(plan: OwnerPlan, book: Book, difference: Difference, at: Nanos) -> Decision:
    key = difference.key
    if key.kind is DriftKind.ORPHAN:
        return _swept(plan, book, key)
    pair = _pair(plan, book, key)
    if pair is None or not is_sure(plan, book, pair) or _has_a_rule(book, pair):
        return Decision()
    if key.kind in CLOSES:
        steps = closing(plan, book, pair, abs(difference.actual - difference.expected), at)
        return Decision(steps=tuple(steps))
    if key.kind is DriftKind.UNPROTECTED:
        return _protected(plan, book, pair, key, at)
    missed = missed_key(book, key.holding)
    return caught_up(plan, book, missed, at) if missed is not None else Decision()


def _has_a_rule(book: Book, pair: Pair) -> bool:
    """Say whether an exit rests for which the group has a rule: that brings it to an end, see `rests`."""
    rule = pair.group.rests.exits
    resting = (book.copies[key] for key in book.resting_since)
    exits = (copy for copy in resting if copy.holding == pair.holding and not copy.enters)
    return rule is not RestRule.WAIT and any(exits)


def _pair(plan: OwnerPlan, book: Book, key: DriftKey) -> Pair | None:
    return pair_of(plan.numbered.get(key.group), key.holding, book)


def _swept(plan: OwnerPlan, book: Book, key: DriftKey) -> Decision:
    copy = book.copy_of_order(key.account, key.order)
    if copy is None or not is_stray(book, copy):
        return Decision()
    step = advance(plan, book, copy.changed(target=None))
    return Decision(steps=(step,)) if step.command is not None else Decision()


def _protected(plan: OwnerPlan, book: Book, pair: Pair, key: DriftKey, at: Nanos) -> Decision:
    name = client_order_id(pair.group.group, pair.group.leader, key.order, pair.account)
    return placed_again(plan, book, pair, key.order, name, at)


# -- in words ----------------------------------------------------------------------------------------


def remedy(plan: OwnerPlan, book: Book, difference: Difference) -> str:
    """Return the least that would mend a difference, as a person reads it; nothing where nothing should."""
    key = difference.key
    if key.kind is DriftKind.ORPHAN:
        return f"cancel order {key.order}; nothing is held for it to close"
    if key.kind is DriftKind.UNPROTECTED:
        return f"place the leader's exit, order {key.order}, as it stands now"
    pair = _pair(plan, book, key)
    if pair is None:
        return ""
    qty = difference.expected - difference.actual
    verb = "buy" if qty > 0 else "sell"
    if key.kind is DriftKind.MISSED_ENTRY:
        ticks = pair.group.drift_ticks
        return (
            f"{verb} up to {abs(qty)} {key.symbol}, at most {ticks} ticks worse than the leader's price"
            f"{_last(book, pair)}; never done without a click"
        )
    if key.kind not in CLOSES | {DriftKind.FAILED_EXIT}:
        return ""
    count = len(list(in_the_way(book, pair)))
    first = f"cancel {count} resting exit{'s' if count > 1 else ''}, then " if count else ""
    against = blocked(book, pair)
    effects = f"now refused: {against}" if against else "no rule stands against it"
    text = f"{first}{verb} {abs(qty)} {key.symbol} at the market{_last(book, pair)}"
    return f"{text}; leaves {_held(difference.expected)}; {effects}"


def _held(net: int) -> str:
    return f"{net:+d}" if net else "it flat"


def _last(book: Book, pair: Pair) -> str:
    prices = {
        order_id: record.price
        for (account, order_id), record in book.orders.items()
        if account == pair.group.leader and record.symbol == pair.leads and record.price is not None
    }
    traded = known_product(pair.leads)
    if not prices or traded is None:
        return ""
    return f" (the leader last traded at {traded.display(prices[max(prices)])})"


# -- what people ask ---------------------------------------------------------------------------------


def asked(plan: OwnerPlan, book: Book, event: PersonAsked) -> Decision:
    """Return what a click asks for: an order replayed, a difference mended with the next look, or ignored."""
    if event.ask is Ask.REPLAY:
        return caught_up(plan, book, ClientOrderId(event.subject), event.at)
    found = next((known for key, known in book.differences.items() if key.name == event.subject), None)
    if found is None:
        return NOTHING
    if event.ask is Ask.IGNORE:
        return Decision(differences=(replace(found, ignored=True),))
    return Decision(differences=(replace(found, asked_at=event.at, attempts=0, due=event.at, shut=False),))
