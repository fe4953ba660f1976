"""Refusals that depend on the account: locks, order size and margin.

They come after the reply, as a command report and a rejected order, because the real desk checks
them after it has accepted the command.
"""

from decimal import Decimal

from brokers.paper.catalogue import Spec
from brokers.paper.entities import Evaluation, Order
from brokers.paper.evaluation import rule_sets
from brokers.paper.state import State
from brokers.paper.words import AdminAction, RejectReason

# Ten micros count as one full-size contract with every firm whose rule is known.
_MICRO = Decimal("0.1")

Refusal = tuple[RejectReason, str]


def review(state: State, order: Order, qty: int) -> Refusal | None:
    """Return why an order on record may not go to the market with `qty` contracts; None lets it through."""
    if queue := state.next_rejects[order.account_id]:
        return queue.popleft()
    return look(state, order, qty)


def look(state: State, order: Order, qty: int, *, trial: bool = False) -> Refusal | None:
    """Return why the account may not have such an order. A trial is one that is not on record."""
    # Whoever wants out may always get out, whatever the size and the margin.
    reduces = _reduces(state, order, qty)
    match state.lock(order.account_id):
        case AdminAction.LOCK_TRADING_IMMEDIATELY | AdminAction.LIQUIDATE_IMMEDIATELY:
            return RejectReason.TRADING_LOCKED, "Trading is locked for this account."
        case AdminAction.LIQUIDATE_ONLY_MODE_IMMEDIATELY if not reduces:
            return RejectReason.LIQUIDATION_ONLY, "Only orders that reduce a position are accepted."
    if reduces:
        return None
    if qty > state.rules.max_order_qty:
        return RejectReason.MAX_ORDER_QTY_LIMIT_REACHED, "Your maximum order quantity has been met."
    if text := _over_limit(state, order.account_id):
        return RejectReason.MAX_POS_LIMIT_REACHED, text
    return _margin(state, order, qty if trial else 0)


def _reduces(state: State, order: Order, qty: int) -> bool:
    net = state.holdings[order.account_id, order.contract_id].net
    others = sum(
        state.version(other.id).order_qty - state.filled(other.id)
        for other in state.alive(order.account_id, order.contract_id)
        if other.action is order.action and other.id != order.id and other.oco_id != order.id
    )
    return net * order.action.sign < 0 and qty + others <= abs(net)


def _over_limit(state: State, account_id: int) -> str | None:
    seen = state.records.get(Evaluation, account_id)
    most = rule_sets()[seen.rule_set].max_contracts if seen else None
    if most is None or state.exposure(account_id, _weight) <= most:
        return None
    return f"The rules of this account allow {most} contracts."


def _weight(spec: Spec) -> Decimal:
    return _MICRO if spec.facts.full_size != spec.symbol else Decimal(1)


def _margin(state: State, order: Order, more: int) -> Refusal | None:
    required = state.margin(order.account_id)
    required += state.listing(order.contract_id).spec.day_margin * more
    available = state.cash(order.account_id).amount + state.open_profit(order.account_id)
    if required <= available:
        return None
    # The protocol has no reject reason for margin; the explanation travels as text.
    text = f"Insufficient margin: {required} USD required, {available} USD available."
    return RejectReason.UNKNOWN_REASON, text
