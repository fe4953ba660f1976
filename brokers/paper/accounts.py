"""Opening accounts, changing their cash and setting them back."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from brokers.paper import supervision
from brokers.paper.entities import (
    Account,
    AccountRiskStatus,
    CashBalance,
    Evaluation,
    MarginSnapshot,
    Position,
    User,
    UserAccountAutoLiq,
)
from brokers.paper.executions import book_cash
from brokers.paper.records import Journal
from brokers.paper.state import State
from brokers.paper.store import Login, Seat
from brokers.paper.words import AdminAction, CashChangeType

_NOTHING = Decimal(0)


def admit(state: State, journal: Journal, login: Login) -> None:
    """Make sure that a login and each of its accounts exist."""
    if state.records.get(User, login.user_id) is None:
        journal.write(User(id=login.user_id, name=login.name, timestamp=journal.now, email=login.email), 0)
    for seat in login.seats:
        if state.records.get(Account, seat.account_id) is None:
            _open(state, journal, login, seat)
        known = state.records.get(Evaluation, seat.account_id)
        if seat.rule_set and (known is None or known.rule_set != seat.rule_set):
            account = state.records.need(Account, seat.account_id)
            supervision.assign(state, journal, account, seat.rule_set)
    journal.cut()


def reset(state: State, journal: Journal, account: Account) -> None:
    """Flatten an account on paper and give it its opening balance again; its orders must be final."""
    account_id, opening = account.id, account.evaluation_size
    for key in [key for key in state.holdings if key[0] == account_id]:
        del state.holdings[key]
    for position in state.records.of_master(Position, account_id):
        flat = Position(
            id=position.id,
            account_id=account_id,
            contract_id=position.contract_id,
            timestamp=journal.now,
            trade_date=state.session,
        )
        journal.write(flat, account_id)
    journal.cut()
    cash = state.cash(account_id)
    delta = opening - cash.amount
    book_cash(state, journal, account_id, delta, CashChangeType.MANUAL_ADJUSTMENT, comment="Account reset")
    fresh = replace(
        state.cash(account_id), realized_pnl=_NOTHING, week_realized_pnl=_NOTHING, amount_sod=opening
    )
    journal.write(fresh, account_id)
    journal.write(_no_margin(account_id, journal.now), account_id)
    supervision.restart(state, journal, account_id)
    journal.cut()


def set_lock(state: State, journal: Journal, account_id: int, action: AdminAction) -> AccountRiskStatus:
    """Set the lock state of an account."""
    locked = None if action is AdminAction.NORMAL else journal.now
    before = state.records.get(AccountRiskStatus, account_id) or AccountRiskStatus(id=account_id)
    status = replace(before, admin_action=action, admin_timestamp=journal.now, liquidate_only=locked)
    journal.write(status, account_id)
    journal.cut()
    return status


def _open(state: State, journal: Journal, login: Login, seat: Seat) -> None:
    account = Account(
        id=seat.account_id,
        name=seat.name,
        user_id=login.user_id,
        timestamp=journal.now,
        evaluation_size=seat.opening,
    )
    journal.write(account, account.id)
    journal.write(AccountRiskStatus(id=account.id, admin_timestamp=journal.now), account.id)
    journal.write(UserAccountAutoLiq(id=account.id), account.id)
    journal.write(_no_margin(account.id, journal.now), account.id)
    cash = CashBalance(
        id=state.ids.take(),
        account_id=account.id,
        timestamp=journal.now,
        trade_date=state.session,
        amount=seat.opening,
        amount_sod=seat.opening,
    )
    journal.write(cash, account.id)


def _no_margin(account_id: int, now: datetime) -> MarginSnapshot:
    return MarginSnapshot(
        id=account_id,
        timestamp=now,
        initial_margin=_NOTHING,
        maintenance_margin=_NOTHING,
        total_used_margin=_NOTHING,
        full_initial_margin=_NOTHING,
        position_margin=_NOTHING,
    )
