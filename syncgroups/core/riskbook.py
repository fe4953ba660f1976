"""What the book knows for the guardrails' sake: money, prices, standings, locks, guards.

Like the book itself it decides nothing: `accounting` and `guarding` take facts in, `apply` our decisions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from risk.core.clearance import Clearance, clearance
from risk.core.days import entered
from risk.core.ledger import Ledger
from risk.core.lockouts import longer, running
from risk.core.marks import Mark, is_near
from risk.core.rules import Drawdown, Rules
from risk.core.standing import Band, Lock, Standing
from syncgroups.core.decision import Decision, GuardStep, Locked, RemarkKind
from syncgroups.core.guards import Guard, GuardLeg
from tradehaven.domain.commands import ClosePosition
from tradehaven.domain.enums import Environment
from tradehaven.domain.events import LimitsReported
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks

Held = tuple[AccountId, Symbol]


class RiskBook:
    """One owner's accounts by their rules. `changed` are standings that nobody has written down yet.

    `met` are accounts that this process has looked at, `blind` environments without market data; `holders`
    are the accounts with an open position in a contract. `naked` says since when a position lacks its stop,
    `guard_closes` when it was closed for that; `guard_fills` when a guard last filled there, and the signed
    contracts that it closed; `guard_waits` until when its login has no room for it, or for its
    cancel. `floors` are the rules that the floors of standings belong to; `clock` is the newest second,
    `stated` what brokers say of accounts, `quoted` a contract's quote while there is no second one beside it.
    """

    def __init__(self) -> None:
        self.ledgers: dict[AccountId, Ledger] = {}
        self.stated: dict[AccountId, LimitsReported] = {}
        self.marks: defaultdict[Environment, dict[Symbol, Mark]] = defaultdict(dict)
        self.blind: set[Environment] = set()
        self.quoted: dict[tuple[Environment, Symbol], Ticks] = {}
        self.unvalued: set[AccountId] = set()
        self.holders: defaultdict[Symbol, set[AccountId]] = defaultdict(set)
        self.standings: dict[AccountId, Standing] = {}
        self.changed: set[AccountId] = set()
        self.met: set[AccountId] = set()
        self.locks: dict[AccountId, Lock] = {}
        self.guards: dict[ClientOrderId, Guard] = {}
        self.guard_orders: dict[tuple[AccountId, OrderId], ClientOrderId] = {}
        self.guard_failures: defaultdict[tuple[AccountId, Symbol, GuardLeg], int] = defaultdict(int)
        self.guard_waits: dict[tuple[AccountId, Symbol, GuardLeg, bool], Nanos] = {}
        self.guard_fills: dict[Held, tuple[Nanos, int]] = {}
        self.guard_closes: dict[Held, Nanos] = {}
        self.naked: dict[Held, Nanos] = {}
        self.naked_said: set[Held] = set()
        self.late_said: set[Held] = set()
        self.totals: dict[str, Standing] = {}
        self.bands: dict[AccountId, Band] = {}
        self.floors: dict[AccountId, Drawdown | None] = {}
        self.clock = Nanos(0)
        self._cleared: dict[AccountId, Clearance] = {}

    def guards_of(self, account: AccountId) -> list[Guard]:
        """Return the stops and targets that a rule has put into an account."""
        return [guard for guard in self.guards.values() if guard.account == account]

    def guard(self, account: AccountId, symbol: Symbol, leg: GuardLeg) -> Guard | None:
        """Return the guard of a contract's position, the oldest where there are two."""
        mine = (guard for guard in self.guards_of(account) if guard.symbol == symbol and guard.leg is leg)
        return next(mine, None)

    def stand(self, account: AccountId, standing: Standing) -> None:
        """Set where an account stands, and remember that it must be written down.

        What its rules say of entries is worked out again at once, so that no order waits for it.
        """
        self.standings[account] = standing
        self.changed.add(account)
        known = self._cleared.get(account)
        if known is not None and not known.holds(known.rules, standing):
            self._cleared[account] = clearance(known.rules, standing)

    def clearance_of(self, account: AccountId, rules: Rules, standing: Standing) -> Clearance:
        """Return what an account's rules say of entries; worked out already, if nothing has changed since."""
        known = self._cleared.get(account)
        if known is None or not known.holds(rules, standing):
            known = self._cleared[account] = clearance(rules, standing)
        return known

    def is_locked(self, account: AccountId) -> bool:
        """Say whether an account may open nothing, by the newest second that was heard of."""
        return running(self.locks.get(account), self.clock) is not None

    def locked(self, account: AccountId, lock: Lock) -> None:
        """Lock an account; one that is locked for longer stays so."""
        self.locks[account] = longer(self.locks.get(account), lock)
        standing = self.standings.get(account)
        if standing is not None:
            self.stand(account, standing.changed(lock=longer(standing.lock, lock)))

    @contextmanager
    def behind(self, locks: Iterable[Locked]) -> Iterator[None]:
        """Let accounts be locked for as long as one event is thought through again."""
        before = dict(self.locks)
        self.locks.update({one.account: one.lock for one in locks})
        try:
            yield
        finally:
            self.locks = before

    def keep(self, account: AccountId, ledger: Ledger) -> None:
        """Set an account's money, and who holds what."""
        before = self.ledgers.get(account)
        self.ledgers[account] = ledger
        was = before.stakes.keys() if before is not None else set()
        for symbol in was - ledger.stakes.keys():
            self.holders[symbol].discard(account)
            self.late_said.discard((account, symbol))
        for symbol in ledger.stakes.keys() - was:
            self.holders[symbol].add(account)
            self._doubt(symbol, ledger.stakes[symbol].price)

    def _doubt(self, symbol: Symbol, paid: Ticks) -> None:
        """Believe a contract's only quote no longer if it is far from what a position has paid (F40)."""
        for environment, marks in self.marks.items():
            quoted = self.quoted.get((environment, symbol))
            if quoted is not None and not is_near(paid, quoted):
                marks.pop(symbol, None)

    def give_up(self, account: AccountId) -> None:
        """Forget the money of an account that holds what nobody can value, until it is stated anew."""
        self.unvalued.add(account)
        self.ledgers.pop(account, None)
        self.standings.pop(account, None)
        for holders in self.holders.values():
            holders.discard(account)

    def _guard(self, step: GuardStep) -> None:
        if step.guard is not None:
            self.guards[step.guard.key] = step.guard
        elif isinstance(step.command, ClosePosition):
            self.guard_closes[step.account, step.command.symbol] = step.at
        elif step.symbol is not None:
            self.guard_closes[step.account, step.symbol] = step.at

    def _stand(self, decision: Decision) -> None:
        for account, standing, rule in decision.standings:
            if standing != self.standings.get(account):
                self.stand(account, standing)
            self.floors[account] = rule
            self.met.add(account)
        for account, entry in decision.entries:
            known = self.standings.get(account)
            if known is not None:
                self.stand(account, known.changed(day=entered(known.day, entry)))

    def apply(self, decision: Decision) -> None:
        """Take our own decision in."""
        for step in decision.steps:
            if isinstance(step, GuardStep):
                self._guard(step)
        for locked in decision.locks:
            self.locks[locked.account] = locked.lock
        self._stand(decision)
        self.totals.update(decision.totals)
        self.bands.update(decision.bands)
        for account, symbol, since in decision.naked:
            if since is None:
                self.naked.pop((account, symbol), None)
                self.naked_said.discard((account, symbol))
            else:
                self.naked[account, symbol] = since
        for remark in decision.remarks:
            if remark.symbol is not None and remark.kind is RemarkKind.NAKED:
                self.naked_said.add((remark.account, remark.symbol))
            elif remark.symbol is not None and remark.kind is RemarkKind.LEFT_OPEN:
                self.late_said.add((remark.account, remark.symbol))
