"""Refusals that depend on the account: locks, order size and margin.

They come after the reply, as a command report and a rejected order, because the real desk checks
them after it has accepted the command.
"""

from decimal import Decimal
from functools import partial

from brokers.paper.catalogue import Listing
from brokers.paper.entities import Evaluation, Order, UserAccountPositionLimit, UserAccountRiskParameter
from brokers.paper.evaluation import rule_sets
from brokers.paper.state import State
from brokers.paper.words import Action, AdminAction, RejectReason, TotalBy

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
    more = qty if trial else 0
    return _own_limits(state, order, qty, more) or _margin(state, order, more)


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


def _weight(listing: Listing) -> Decimal:
    return _MICRO if listing.spec.facts.full_size != listing.spec.symbol else Decimal(1)


def _own_limits(state: State, order: Order, qty: int, more: int) -> Refusal | None:
    """Hold what the trader allows the account; a limit without a hard parameter rejects nothing."""
    listing = state.listing(order.contract_id)
    for limit in state.records.of_master(UserAccountPositionLimit, order.account_id):
        counts = partial(_is_within, limit)
        parameters = state.records.of_master(UserAccountRiskParameter, limit.id)
        hard = [parameter for parameter in parameters if parameter.hard_limit]
        if not limit.active or not hard or not counts(listing):
            continue
        sizes = [found.max_opening_order_qty for found in hard if found.max_opening_order_qty is not None]
        if sizes and qty > min(sizes):
            return RejectReason.MAX_ORDER_QTY_LIMIT_REACHED, f"Your orders may have {min(sizes)} contracts."
        side = limit.long_limit if order.action is Action.BUY else limit.short_limit
        most = min((found for found in (side, limit.exposed_limit) if found is not None), default=None)
        if most is not None and state.side_exposure(order.account_id, order.action, counts) + more > most:
            overall = limit.total_by is TotalBy.OVERALL
            reason = (
                RejectReason.MAX_TOTAL_POS_LIMIT_REACHED if overall else RejectReason.MAX_POS_LIMIT_REACHED
            )
            return reason, f"Your position limit of {most} contracts has been met."
    return None


def _is_within(limit: UserAccountPositionLimit, listing: Listing) -> bool:
    match limit.total_by:
        case TotalBy.CONTRACT:
            return limit.contract_id == listing.id
        case TotalBy.PRODUCT:
            return limit.product_id == listing.spec.id
        case _:
            return True


def _margin(state: State, order: Order, more: int) -> Refusal | None:
    required = state.margin(order.account_id)
    required += state.listing(order.contract_id).spec.day_margin * more
    available = state.cash(order.account_id).amount + state.open_profit(order.account_id)
    if required <= available:
        return None
    # The protocol has no reject reason for margin; the explanation travels as text.
    text = f"Insufficient margin: {required} USD required, {available} USD available."
    return RejectReason.UNKNOWN_REASON, text
