"""Holds accounts to their rule sets: watches equity, liquidates, locks, reopens; shows it as risk entities.

The rules themselves stand in `evaluation`. Orders and cash are moved by the venue as for anybody.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from brokers.paper.entities import Account, AccountRiskStatus, Command, Evaluation, UserAccountAutoLiq
from brokers.paper.evaluation import Drawdown, RuleSet, begin, deposited, end_day, observe, passes, rule_sets
from brokers.paper.records import Frame, Journal
from brokers.paper.state import State
from brokers.paper.terms import Sender
from brokers.paper.venue import Venue
from brokers.paper.words import AdminAction, Standing

RISK_DESK = -1
_UNSEEN = 0
_MODES = {Drawdown.INTRADAY: "RealTime", Drawdown.CLOSED: "RealTime", Drawdown.END_OF_DAY: "EOD"}
_LOCKS = {
    Standing.ACTIVE: AdminAction.NORMAL,
    Standing.DAY_LOCKED: AdminAction.LIQUIDATE_IMMEDIATELY,
    Standing.FAILED: AdminAction.LIQUIDATE_IMMEDIATELY,
    Standing.PASSED: AdminAction.LOCK_TRADING_IMMEDIATELY,
}


def assign(state: State, journal: Journal, account: Account, name: str) -> None:
    """Put an account under a rule set from its present balance on; raises ValueError on an unknown name."""
    rules = rule_sets().get(name)
    if rules is None:
        raise ValueError(f"{name!r} is no rule set")
    seen = begin(rules, account.id, state.cash(account.id).amount)
    _show_limits(journal, rules, seen)
    _write(state, journal, seen)
    journal.cut()


def restart(state: State, journal: Journal, account_id: int) -> None:
    """Begin an account's evaluation again with its present balance, if it is under a rule set."""
    seen = state.records.get(Evaluation, account_id)
    if seen is not None:
        assign(state, journal, state.records.need(Account, account_id), seen.rule_set)


def moved_cash(state: State, journal: Journal, account_id: int, amount: Decimal) -> None:
    """Take note of a deposit (above zero) or a withdrawal, in USD."""
    seen = state.records.get(Evaluation, account_id)
    if seen is not None and amount > 0:
        _write(state, journal, deposited(seen, amount))


def withdrawable(state: State, account_id: int) -> Decimal:
    """Return what may be taken out in USD: cash that neither a position, an order nor a loss needs."""
    loss = min(Decimal(0), state.open_profit(account_id))
    return max(Decimal(0), state.cash(account_id).amount + loss - state.margin(account_id))


def held(state: State, account_id: int) -> bool:
    """Return whether the rules keep an account locked, so that its owner cannot unlock it."""
    seen = state.records.get(Evaluation, account_id)
    return seen is not None and seen.standing is not Standing.ACTIVE


def watch(venue: Venue, now: datetime) -> tuple[Frame, ...]:
    """Compare every account under rules with them and act; call after fills and after marks."""
    frames: list[Frame] = []
    for seen in list(venue.state.records.all(Evaluation)):
        frames += _watch_one(venue, seen, now)
    return tuple(frames)


def end_days(state: State, journal: Journal) -> None:
    """End the day of every account under rules, before its new cash row; locks of the day are lifted."""
    for seen in list(state.records.all(Evaluation)):
        cash, rules = state.cash(seen.id), rule_sets()[seen.rule_set]
        traded = _traded(state, seen.id)
        after = end_day(rules, seen, balance=cash.amount, day_net=cash.realized_pnl, traded=traded)
        limits = state.records.need(UserAccountAutoLiq, seen.id)
        if limits.do_not_unlock and seen.standing is Standing.DAY_LOCKED:
            after = replace(after, standing=seen.standing, reason=seen.reason)
        _write(state, journal, after)
        journal.cut()


def _watch_one(venue: Venue, seen: Evaluation, now: datetime) -> list[Frame]:
    state, rules = venue.state, rule_sets()[seen.rule_set]
    cash, open_profit = state.cash(seen.id), state.open_profit(seen.id)
    day_net = cash.realized_pnl
    after = observe(rules, seen, balance=cash.amount, open_profit=open_profit, day_net=day_net)
    flat = not _contracts(state, seen.id)
    if flat and passes(rules, after, day_net=day_net, traded=_traded(state, seen.id)):
        after = replace(after, standing=Standing.PASSED, reason=f"Target {rules.target} reached")
    frames: list[Frame] = []
    if after != seen:
        journal = Journal(records=state.records, now=now, session=state.session)
        _write(state, journal, after)
        frames += journal.finish()
    if after.standing is not Standing.ACTIVE:
        frames += _get_out(venue, seen.id, now)
    return frames


def _get_out(venue: Venue, account_id: int, now: datetime) -> list[Frame]:
    """Cancel what works and close what is open, unless that is under way."""
    state, frames = venue.state, list[Frame]()
    sender = Sender(user_id=RISK_DESK, session_id=0, automated=True)
    for contract_id in _contracts(state, account_id):
        orders = list(state.alive(account_id, contract_id))
        under_way = any(
            _by_desk(state, order.id) or state.pending_command(order.id) is not None for order in orders
        )
        if not under_way:
            frames += venue.liquidate(account_id, contract_id, sender, now).frames
    return frames


def _by_desk(state: State, order_id: int) -> bool:
    return state.records.need(Command, order_id).sender_id == RISK_DESK


def _contracts(state: State, account_id: int) -> list[int]:
    held_ = {
        number for (owner, number), holding in state.holdings.items() if owner == account_id and holding.net
    }
    return sorted(held_ | {order.contract_id for order in state.alive(account_id)})


def _traded(state: State, account_id: int) -> bool:
    from_day = (item for item in state.positions(account_id) if item.trade_date == state.session)
    return any(item.bought or item.sold for item in from_day)


def _write(state: State, journal: Journal, seen: Evaluation) -> None:
    """Store a standing out of everybody's sight, and show what the documented entities can say of it."""
    before = state.records.get(Evaluation, seen.id)
    # Accounts number from far above zero, so nobody owns this one and no client ever hears of it.
    journal.write(seen, _UNSEEN)
    status = state.records.get(AccountRiskStatus, seen.id) or AccountRiskStatus(id=seen.id)
    if before is None or before.standing is not seen.standing or seen.standing is Standing.ACTIVE:
        shown = replace(status, max_net_liq=seen.high, min_net_liq=seen.floor)
        if before is None or before.standing is not seen.standing:
            shown = _locked(shown, _LOCKS[seen.standing], journal.now)
        if shown != status:
            journal.write(shown, seen.id)
    account = state.records.need(Account, seen.id)
    restricted = seen.standing in (Standing.FAILED, Standing.PASSED)
    if account.restricted is not restricted:
        journal.write(replace(account, restricted=restricted), seen.id)


def _locked(status: AccountRiskStatus, action: AdminAction, now: datetime) -> AccountRiskStatus:
    since = None if action is AdminAction.NORMAL else now
    return replace(status, admin_action=action, admin_timestamp=now, liquidate_only=since)


def _show_limits(journal: Journal, rules: RuleSet, seen: Evaluation) -> None:
    mode = _MODES.get(rules.drawdown_type)
    limits = UserAccountAutoLiq(
        id=seen.id,
        changes_locked=True,
        trailing_max_drawdown=rules.drawdown if mode else None,
        trailing_max_drawdown_limit=None if rules.lock is None else seen.start + rules.lock,
        trailing_max_drawdown_mode=mode,
        daily_loss_auto_liq=rules.daily_loss,
    )
    journal.write(limits, seen.id)
