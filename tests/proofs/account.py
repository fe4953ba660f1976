"""One account through the product's own path: quotes to marks, fills to money, money to its standing."""

from dataclasses import dataclass, field
from decimal import Decimal

from risk.core.days import begun
from risk.core.drawdown import begin
from risk.core.ledger import Ledger, filled, money_of
from risk.core.lockouts import running
from risk.core.marks import Mark, marked
from risk.core.rules import Drawdown, Rules
from risk.core.standing import Band, Money, Standing
from risk.core.watch import observed
from tests.proofs.prices import Price
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import Environment, Side
from tradehaven.domain.events import OrderFilled, PriceMoved
from tradehaven.domain.ids import AccountId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks

_RANK = {Band.SAFE: 0, Band.WARNING: 1, Band.DANGER: 2, Band.LOCKED: 3}


@dataclass
class Account:
    """An account with a drawdown; `told` are (milliseconds, what happened), as a checker tells them."""

    rules: Rules
    rule: Drawdown
    symbol: Symbol
    ledger: Ledger
    standing: Standing
    mark: Mark | None = None
    fills: int = 0
    worst: int = 0
    told: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def opened(cls, rules: Rules, symbol: Symbol, at: int) -> "Account":
        """Return a fresh account at its start."""
        rule = rules.drawdown
        assert rule is not None
        standing = Standing(
            money=Money(balance=rule.start),
            day=begun(rule.start, Nanos(at * 1_000_000), rules.reset_at),
            floor=begin(rule, rule.start),
        )
        return cls(rules, rule, symbol, Ledger(cash=rule.start, profit=Decimal(0)), standing)

    def look(self, price: Price, wish: int) -> None:
        """Take a quote, trade toward `wish` contracts unless locked, and do what a breach asks for."""
        now = Nanos(price.ms * 1_000_000)
        traded = product_of(self.symbol)
        bid, ask = traded.to_ticks(price.bid), traded.to_ticks(price.ask)
        quote = PriceMoved(
            environment=Environment.PAPER, symbol=self.symbol, bid=bid, ask=ask, last=None, at=now
        )
        self.mark = marked(self.mark, quote)
        self._trade(0 if running(self.standing.lock, now) else wish, bid, ask, now)
        assert self.mark is not None
        money = money_of(self.ledger, {self.symbol: self.mark}, self.rules.fee)
        assert money is not None
        ended = self.standing.day.ends <= now
        seen = observed(self.rules, self.standing, money, now, traded.template)
        self.standing = seen.standing
        if ended:
            self._day_over(price.ms)
        if seen.broken is not None:
            self.told.append((price.ms, str(seen.broken.reason)))
            self.worst = _RANK[Band.LOCKED]
            self._trade(0, bid, ask, now)
        elif _RANK[seen.band] > self.worst:
            told = [band for band in Band if self.worst < _RANK[band] <= _RANK[seen.band]]
            self.told += [(price.ms, str(band)) for band in told]
            self.worst = _RANK[seen.band]

    def _day_over(self, ms: int) -> None:
        assert self.standing.floor is not None
        self.told.append((ms, f"day over, floor {self.standing.floor.floor:.2f}"))
        self.worst = _RANK[Band.LOCKED] if self.standing.lock is not None else 0

    def _trade(self, wish: int, bid: Ticks, ask: Ticks, now: Nanos) -> None:
        stake = self.ledger.stakes.get(self.symbol)
        change = wish - (stake.position.net if stake is not None else 0)
        if not change:
            return
        self.fills += 1
        fill = OrderFilled(
            account=AccountId(1),
            order_id=OrderId(self.fills),
            fill_id=FillId(self.fills),
            symbol=self.symbol,
            side=Side.BUY if change > 0 else Side.SELL,
            qty=abs(change),
            price=ask if change > 0 else bid,
            at=now,
            traded_at=now,
        )
        self.ledger, _ = filled(self.ledger, fill)
