"""What the rules of accounts make of an event: who is locked, who has to be flat, what must be protected.

Standings are worked out from money that is known already; a broken rule shuts its account for entries and,
where it says so, closes it out. Nothing of one account ever depends on another, but for sums that a person
has put a limit on (RISK-11).
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from risk.core import desk, drawdown, watch
from risk.core.days import begun, flowed
from risk.core.gauges import gauges_of
from risk.core.ledger import money_of
from risk.core.lockouts import longer, running
from risk.core.rules import RESET_AT, Breach, Drawdown, Rules
from risk.core.standing import ZERO, Band, Entry, Floor, Lock, Money, Standing
from risk.core.watch import Broken
from risk.core.words import dollars
from syncgroups.core import closing, protect
from syncgroups.core.book import Book
from syncgroups.core.copies import Copy
from syncgroups.core.decision import (
    NOTHING,
    CopyStep,
    Decision,
    GuardStep,
    Locked,
    Remark,
    RemarkKind,
    Step,
    joined,
)
from syncgroups.core.plan import AccountPlan, OwnerPlan, TotalPlan
from syncgroups.core.watch import flattening_steps
from tradehaven.domain.commands import Command, Confirmed, Denied, PlaceOrder, Rejected, Unresolved
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import Side
from tradehaven.domain.events import (
    BalanceReported,
    Event,
    LimitsReported,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderWorking,
    PositionReported,
    PriceMoved,
    PricesLost,
    SnapshotTaken,
    TimePassed,
)
from tradehaven.domain.ids import AccountId, Nanos, Symbol
from tradehaven.domain.instruments import SessionTemplate

FEE_AT_MOST = Decimal(25)
"""No contract costs more on one side: what cash lacks beyond this was no fee."""
_RANK = {band: rank for rank, band in enumerate(Band)}


def after(plan: OwnerPlan, book: Book, event: Event, copied: Decision) -> Decision:
    """Return what an event means for the accounts that have rules; `copied` is what copying makes of it."""
    found = _once(_after(plan, book, event))
    entering = [
        step.copy
        for step in copied.steps
        if isinstance(step, CopyStep) and step.copy.enters and isinstance(step.command, PlaceOrder)
    ]
    return found.changed(entries=_entries(plan, entering, event.at)) if entering else found


def _once(found: Decision) -> Decision:
    """Return a decision that closes nothing twice: what makes an account flat goes before its guards."""
    if not found.steps:
        return found
    kept: dict[Command | None, Step] = {}
    for step in found.steps:
        if not (isinstance(step, GuardStep) and step.account in found.flattening):
            kept.setdefault(step.command, step)
    return found.changed(steps=tuple(kept.values()))


def _after(plan: OwnerPlan, book: Book, event: Event) -> Decision:
    match event:
        case PriceMoved():
            return _priced(plan, book, event)
        case TimePassed():
            due = closing.due(plan, book, event.at)
            return joined(protect.all_looked_at(plan, book, event.at), due, _all(plan, book, event.at))
        case SnapshotTaken() | OrdersListed():
            return joined(protect.all_looked_at(plan, book, event.at), _all(plan, book, event.at))
        case OrderFilled():
            guarded = protect.looked_at(plan, book, event.account, event.at)
            return joined(guarded, watched(plan, book, (event.account,), event.at))
        case PricesLost():
            return _blinded(plan, book, event)
        case BalanceReported() | LimitsReported() | PositionReported():
            return watched(plan, book, (event.account,), event.at)
        case OrderWorking() | OrderChanged() | OrderEnded():
            return protect.looked_at(plan, book, event.account, event.at)
        case Confirmed() | Rejected() | Denied() | Unresolved():
            return protect.looked_at(plan, book, event.account, event.at)
        case _:
            return NOTHING


def _priced(plan: OwnerPlan, book: Book, event: PriceMoved) -> Decision:
    holders = book.risk.holders.get(event.symbol)
    if not holders:
        return NOTHING
    there = (plan.accounts[account] for account in sorted(holders) if account in plan.watched)
    moved = [known.account for known in there if known.environment is event.environment]
    return watched(plan, book, moved, event.at, product_of(event.symbol).template)


def _entries(plan: OwnerPlan, entering: list[Copy], at: Nanos) -> tuple[tuple[AccountId, Entry], ...]:
    """Return the entries of accounts with rules. Followers share one, for days remember an hour of them."""
    made: dict[tuple[Symbol, Side, int], Entry] = {}
    found = []
    for copy in entering:
        if copy.follower in plan.watched:
            what = copy.symbol, copy.side, copy.enters
            entry = made.get(what)
            if entry is None:
                entry = made[what] = Entry(symbol=copy.symbol, side=copy.side, qty=copy.enters, at=at)
            found.append((copy.follower, entry))
    return tuple(found)


def _blinded(plan: OwnerPlan, book: Book, event: PricesLost) -> Decision:
    """Return the floors that are not certain any more: a peak may pass while nobody looks."""
    standings = []
    for account in plan.watched:
        known, standing = plan.accounts[account], book.risk.standings.get(account)
        rule = known.rules_at(event.at).drawdown
        if known.environment is not event.environment or standing is None or rule is None:
            continue
        if standing.floor is not None and standing.money.contracts:
            floor = drawdown.missed(rule, standing.floor)
            standings.append((account, standing.changed(floor=floor), rule))
    return Decision(standings=tuple(standings))


def _all(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    return watched(plan, book, plan.watched, at)


def watched(
    plan: OwnerPlan,
    book: Book,
    accounts: Iterable[AccountId],
    at: Nanos,
    template: SessionTemplate | None = None,
) -> Decision:
    """Return where these accounts stand now, and what follows where a limit was broken."""
    look = _Look(plan, book, at, template)
    for account in accounts:
        if account in plan.watched:
            look.account(plan.accounts[account])
    look.sums()
    return look.decision()


class _Look:
    """One look at some accounts and at the sums that they are part of."""

    def __init__(self, plan: OwnerPlan, book: Book, at: Nanos, template: SessionTemplate | None) -> None:
        self._plan = plan
        self._book = book
        self._at = at
        self._template = template
        self._standings: dict[AccountId, Standing] = {}
        self._rules: dict[AccountId, Rules] = {}
        self._totals: dict[str, Standing] = {}
        self._locks: dict[AccountId, Locked] = {}
        self._remarks: list[Remark] = []
        self._steps: list[Step] = []
        self._bands: dict[AccountId, Band] = {}

    def decision(self) -> Decision:
        """Return all that this look found."""
        if not self._standings:
            return NOTHING
        flat = tuple(account for account, locked in self._locks.items() if locked.flatten)
        return Decision(
            steps=tuple(self._steps),
            remarks=tuple(self._remarks),
            flattening=flat,
            locks=tuple(self._locks.values()),
            standings=tuple(
                (account, standing, self._rules[account].drawdown)
                for account, standing in self._standings.items()
            ),
            totals=tuple(self._totals.items()),
            bands=tuple(self._bands.items()),
        )

    def account(self, known: AccountPlan) -> None:
        """Look at one account; one whose money or prices are not known stays where it was."""
        rules = known.rules_at(self._at)
        money = money_now(self._book, known, rules)
        if money is None:
            return
        before = standing_now(self._book, known, rules, money, self._at)
        found = watch.observed(rules, before, money, self._at, self._template)
        self._standings[known.account] = found.standing
        self._rules[known.account] = rules
        self._near(known, rules, found.band, found.standing)
        if found.broken is not None:
            self._lock(known.account, found.broken, "")

    def sums(self) -> None:
        """Look at every sum that one of these accounts is part of."""
        for total in self._plan.totals:
            if any(account in self._standings for account in total.accounts):
                self._sum(total)

    def _sum(self, total: TotalPlan) -> None:
        rules = total.rules_at(self._at)
        parts = [self._part(account) for account in total.accounts]
        money = watch.summed(part for part in parts if part is not None and self._at < part.day.ends)
        before = self._book.risk.totals.get(total.name)
        if before is None or self._at >= before.day.ends:
            before = Standing(money=money, day=begun(ZERO, self._at, rules.reset_at))
        found = watch.observed(rules, before, money, self._at, self._template)
        self._totals[total.name] = found.standing
        if found.broken is not None:
            for account in total.accounts:
                self._lock(account, found.broken, f"{total.name}: ")

    def _part(self, account: AccountId) -> Standing | None:
        return self._standings.get(account) or self._book.risk.standings.get(account)

    def _lock(self, account: AccountId, broken: Broken, whose: str) -> None:
        lock = broken.lock.changed(detail=f"{whose}{broken.detail}")
        told = self._locks.get(account)  # by another limit that broke at the same price
        known = told.lock if told is not None else running(self._book.risk.locks.get(account), self._at)
        flatten = broken.breach is Breach.FLATTEN or (told is not None and told.flatten)
        held = longer(known, lock)
        self._locks[account] = Locked(account=account, lock=held, flatten=flatten)
        standing = self._standings.get(account)
        if standing is not None:
            self._standings[account] = standing.changed(lock=held)
        if flatten and account not in self._book.flattening:
            self._steps.extend(flattening_steps(self._plan, self._book, account, self._at))
        self._remarks.append(
            Remark(kind=RemarkKind.LOCKED, account=account, group=None, symbol=None, detail=lock.detail)
        )

    def _near(self, known: AccountPlan, rules: Rules, band: Band, standing: Standing) -> None:
        """Say once a day for each band that a limit is near; a lock says more than its band."""
        before = self._book.risk.standings.get(known.account)
        is_new_day = before is not None and before.day.ends != standing.day.ends
        said = self._book.risk.bands.get(known.account, Band.SAFE)
        if not is_new_day and _RANK[band] <= _RANK[said]:
            return
        self._bands[known.account] = band
        if band is not Band.SAFE and standing.lock is None:
            detail = nearness(rules, standing)
            self._remarks.append(
                Remark(
                    kind=RemarkKind.NEAR_LIMIT, account=known.account, group=None, symbol=None, detail=detail
                )
            )


def money_now(book: Book, known: AccountPlan, rules: Rules) -> Money | None:
    """Return an account's money in USD at the newest prices; None while a part of it is not known."""
    ledger = book.risk.ledgers.get(known.account)
    return money_of(ledger, book.risk.marks[known.environment], rules.fee) if ledger is not None else None


def standing_now(book: Book, known: AccountPlan, rules: Rules, money: Money, at: Nanos) -> Standing:
    """Return where an account stood before this look; one that is met for the first time begins its day.

    Its day began with what it had before the broker's own realised profit of today.
    """
    standing = book.risk.standings.get(known.account)
    if standing is None:
        ledger = book.risk.ledgers[known.account]
        day = begun(ledger.cash - ledger.profit, at, rules.reset_at)
        lock: Lock | None = running(book.risk.locks.get(known.account), at)
        standing = Standing(money=money, day=day, lock=lock)
    elif known.account not in book.risk.met:
        standing = _met_again(book, known.account, standing, rules, at)
    rule = rules.drawdown
    if rule is None:
        return standing if standing.floor is None else standing.changed(floor=None)
    floor = _floor_under(rule, book.risk.floors.get(known.account), standing.floor, money)
    stated = book.risk.stated.get(known.account)
    return standing.changed(floor=desk.floor_by(rule, floor, stated) if stated is not None else floor)


def _met_again(book: Book, account: AccountId, standing: Standing, rules: Rules, at: Nanos) -> Standing:
    """Return a standing from before this process, less what was paid in or out since: no gain and no loss.

    The broker's own day says so, where ours is the same one; fees are in its cash and not in its profit.
    """
    ledger = book.risk.ledgers[account]
    if rules.reset_at != RESET_AT or at >= standing.day.ends:
        return standing
    paid = ledger.cash - ledger.profit - standing.day.reference
    fees = FEE_AT_MOST * 2 * (standing.day.trades + 1)
    return standing if -fees <= paid <= ZERO else flowed(standing, paid)


def _floor_under(rule: Drawdown, before: Drawdown | None, floor: Floor | None, money: Money) -> Floor:
    """Return the floor under a rule; one that belongs to another rule begins anew at the high it had.

    A floor that somebody has stated counts when it is stated, and never lowers one.
    """
    if floor is None or (before is not None and replace(before, known=rule.known) != rule):
        high = money.balance if floor is None else max(floor.high, money.balance)
        fresh = drawdown.begin(rule, high)
        return fresh if rule.known is None else drawdown.anchored(rule, fresh, rule.known)
    if rule.known is not None and before is not None and before.known != rule.known:
        return drawdown.anchored(rule, floor, rule.known)
    return floor


def nearness(rules: Rules, standing: Standing) -> str:
    """Return how near the nearest limit is, as a sentence: its share, and what is left in USD."""
    nearest = max(gauges_of(rules, standing), key=lambda gauge: gauge.used)
    name = nearest.limit.replace("_", " ")
    return f"{nearest.used:.0%} of the {name} limit is used, {dollars(nearest.left)} USD are left"
