"""What a trade writes down: report, fill, pairs, position, fees and cash.

The order of the frames is the one the protocol documents for a filled order.
"""

from dataclasses import replace
from decimal import Decimal

from brokers.paper.entities import (
    CashBalanceLog,
    Evaluation,
    ExecutionReport,
    Fill,
    FillFee,
    FillPair,
    MarginSnapshot,
    Order,
    Position,
)
from brokers.paper.ledger import Pair, apply_fill, commission
from brokers.paper.matching import Execution
from brokers.paper.records import Journal
from brokers.paper.state import State
from brokers.paper.words import Action, CashChangeType, ExecType, OrdStatus


def trade(state: State, journal: Journal, execution: Execution) -> None:
    """Write one execution of one order: frames 4 to 7 of a filled order (protocol 12.3)."""
    order = state.records.need(Order, execution.order_id)
    price = state.listing(order.contract_id).spec.price(execution.price)
    fill = Fill(
        id=state.ids.take(),
        order_id=order.id,
        contract_id=order.contract_id,
        timestamp=journal.now,
        trade_date=state.session,
        action=order.action,
        qty=execution.qty,
        price=price,
    )
    done = _trade_report(state, journal, order, fill)
    journal.cut()
    if done:
        journal.write(replace(order, ord_status=OrdStatus.FILLED), order.account_id)
        journal.cut()
    _settle(state, journal, order, fill)
    journal.cut()


def margin_snapshot(state: State, journal: Journal, account_id: int) -> MarginSnapshot:
    """Return the account's margin in use, in USD."""
    position_margin = state.margin(account_id, working=False)
    used = state.margin(account_id)
    full = sum(
        (
            abs(holding.net) * state.listing(contract_id).spec.full_margin
            for (owner, contract_id), holding in state.holdings.items()
            if owner == account_id
        ),
        Decimal(0),
    )
    return MarginSnapshot(
        id=account_id,
        timestamp=journal.now,
        initial_margin=used,
        maintenance_margin=used,
        total_used_margin=used,
        full_initial_margin=full,
        position_margin=position_margin,
        auto_liq_level=rules.floor if (rules := state.records.get(Evaluation, account_id)) else Decimal(0),
    )


def _trade_report(state: State, journal: Journal, order: Order, fill: Fill) -> bool:
    earlier = state.records.of_master(Fill, order.id)
    cum_qty = sum(item.qty for item in earlier) + fill.qty
    value = sum((item.price * item.qty for item in earlier), Decimal(0)) + fill.price * fill.qty
    done = cum_qty >= state.version(order.id).order_qty
    journal.write(
        ExecutionReport(
            id=fill.id,
            command_id=order.id,
            name=f"0.{fill.id:018d}",
            account_id=order.account_id,
            contract_id=order.contract_id,
            timestamp=journal.now,
            trade_date=state.session,
            order_id=order.id,
            exec_type=ExecType.TRADE,
            ord_status=OrdStatus.FILLED if done else OrdStatus.WORKING,
            action=order.action,
            cum_qty=cum_qty,
            avg_px=value / cum_qty,
            last_qty=fill.qty,
            last_px=fill.price,
            external_cl_ord_id=f"1.{fill.id:018d}",
        ),
        order.account_id,
    )
    journal.write(fill, order.account_id)
    return done


def _settle(state: State, journal: Journal, order: Order, fill: Fill) -> None:
    key = (order.account_id, order.contract_id)
    point_value = state.listing(order.contract_id).spec.point_value
    state.holdings[key], pairs = apply_fill(
        state.holdings[key],
        fill_id=fill.id,
        action=fill.action,
        qty=fill.qty,
        price=fill.price,
        point_value=point_value,
    )
    position = _position(state, journal, order, fill)
    # Pairs go out before the position that they explain (protocol 12.3).
    made = [_pair(state, journal, position.id, order.account_id, pair) for pair in pairs]
    journal.write(position, order.account_id)
    journal.cut()
    fee = commission(state.rules.commission, fill.qty)
    journal.write(FillFee(id=fill.id, commission=fee), order.account_id)
    for pair, pair_id in made:
        book_cash(
            state, journal, order.account_id, pair.realized, CashChangeType.TRADE_PAIRED, fill_pair_id=pair_id
        )
    book_cash(state, journal, order.account_id, -fee, CashChangeType.COMMISSION, fill_id=fill.id)
    journal.write(margin_snapshot(state, journal, order.account_id), order.account_id)


def book_cash(
    state: State,
    journal: Journal,
    account_id: int,
    delta: Decimal,
    reason: CashChangeType,
    *,
    fill_pair_id: int | None = None,
    fill_id: int | None = None,
    comment: str | None = None,
) -> None:
    """Book a signed amount in USD: the log row, and the cash row it leads to."""
    # Deposits and corrections move cash but are nobody's profit.
    earned = delta if reason in (CashChangeType.TRADE_PAIRED, CashChangeType.COMMISSION) else Decimal(0)
    cash = state.cash(account_id)
    cash = replace(
        cash,
        timestamp=journal.now,
        amount=cash.amount + delta,
        realized_pnl=cash.realized_pnl + earned,
        week_realized_pnl=cash.week_realized_pnl + earned,
    )
    journal.write(
        CashBalanceLog(
            id=state.ids.take(),
            account_id=account_id,
            timestamp=journal.now,
            trade_date=state.session,
            amount=cash.amount,
            realized_pnl=cash.realized_pnl,
            week_realized_pnl=cash.week_realized_pnl,
            cash_change_type=reason,
            fill_pair_id=fill_pair_id,
            fill_id=fill_id,
            comment=comment,
            delta=delta,
        ),
        account_id,
    )
    journal.write(cash, account_id)


def _pair(state: State, journal: Journal, position_id: int, account_id: int, pair: Pair) -> tuple[Pair, int]:
    number = state.ids.take()
    journal.write(
        FillPair(
            id=number,
            position_id=position_id,
            buy_fill_id=pair.buy_fill_id,
            sell_fill_id=pair.sell_fill_id,
            qty=pair.qty,
            buy_price=pair.buy_price,
            sell_price=pair.sell_price,
        ),
        account_id,
    )
    for fill_id in (pair.opening_fill_id, pair.closing_fill_id):
        fill = state.records.need(Fill, fill_id)
        journal.write(replace(fill, finally_paired=fill.finally_paired + pair.qty), account_id)
    return pair, number


def _position(state: State, journal: Journal, order: Order, fill: Fill) -> Position:
    holding = state.holdings[order.account_id, order.contract_id]
    position = state.position(order.account_id, order.contract_id) or Position(
        id=state.ids.take(),
        account_id=order.account_id,
        contract_id=order.contract_id,
        timestamp=journal.now,
        trade_date=state.session,
    )
    value = fill.price * fill.qty
    buys = fill.action is Action.BUY
    return replace(
        position,
        timestamp=journal.now,
        trade_date=state.session,
        net_pos=holding.net,
        net_price=holding.average,
        bought=position.bought + (fill.qty if buys else 0),
        bought_value=position.bought_value + (value if buys else 0),
        sold=position.sold + (0 if buys else fill.qty),
        sold_value=position.sold_value + (0 if buys else value),
    )
