"""What a logged-in caller can ask of order strategies, and the trial of orders without placing them."""

from typing import Any

from brokers.paper import risk, strategies, terms
from brokers.paper.actions import account_of, check_session, own_account, sender_of, with_trail
from brokers.paper.calls import Answer, Call, Handler
from brokers.paper.codec import to_wire
from brokers.paper.entities import Order, OrderStrategy
from brokers.paper.exchange import Exchange
from brokers.paper.params import Params, ViolationError
from brokers.paper.reads import NotFoundError
from brokers.paper.strategies import BRACKETS, PlanError
from brokers.paper.tokens import Caller
from brokers.paper.venue import Ticketed
from brokers.paper.words import OrderStrategyStatus, OrdStatus, RejectReason

_LONGEST_PLAN = 8192
_MOST_ORDERS = 100
UNREADABLE = "Invalid or missed parameters"


def start(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Accept an entry with brackets that follow its fills (protocol 11.7)."""
    account = account_of(exchange, call.body, caller)
    if call.body.integer("orderStrategyTypeId") != BRACKETS:
        return _refused(f"orderStrategyTypeId must be {BRACKETS}", RejectReason.UNSUPPORTED)
    action = terms.action(call.body)
    listing = terms.contract(call.body, exchange.state.catalogue, call.now)
    raw = call.body.raw("params")
    if not isinstance(raw, str) or len(raw) > _LONGEST_PLAN:
        return _refused(UNREADABLE)
    try:
        plan = strategies.read_plan(raw, action, listing)
        wanted = terms.terms(Params(plan.entry), listing)
    except PlanError as error:
        return _refused(f"{UNREADABLE}: {error}")
    except ViolationError as error:
        return _refused(f"{UNREADABLE}: params.entryVersion.{error.description}")
    except terms.RefusedError as error:
        return _refused(error.text, error.reason)
    check_session(exchange, listing, call.now)
    exchange.open_market(listing.id)
    entry = with_trail(exchange, listing, Ticketed(action=action, terms=wanted))
    strategy, frames = exchange.venue.start_strategy(
        account.id, listing.id, entry, raw, sender_of(call, caller), call.now, uuid=call.body.text("uuid")
    )
    return Answer(payload={"orderStrategy": to_wire(strategy)}, frames=frames)


def modify(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Refuse: no grammar of the command is published (protocol 11.8); the legs can be modified."""
    _strategy(exchange, call, caller)
    return _refused("Unsupported", RejectReason.UNSUPPORTED)


def interrupt(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Stop a strategy and cancel its working orders."""
    strategy = _strategy(exchange, call, caller)
    if strategy.status is not OrderStrategyStatus.ACTIVE:
        return _refused(f"The strategy is not running: {strategy.status}", RejectReason.TOO_LATE)
    stopped, frames = exchange.venue.interrupt_strategy(strategy, call.now)
    return Answer(payload={"orderStrategy": to_wire(stopped)}, frames=frames)


def dry_run(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Say what would become of orders, without placing them (protocol 11.9)."""
    account = account_of(exchange, call.body, caller)
    rows = call.body.raw("orders")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ViolationError("orders", None, "orders must be a list of orders")
    if len(rows) > _MOST_ORDERS:
        raise ViolationError("orders", len(rows), f"at most {_MOST_ORDERS} orders")
    fees = exchange.state.rules.commission * 0
    for row in rows:
        try:
            fees += _try(exchange, account.id, Params(row), call)
        except terms.RefusedError as error:
            return Answer(payload={"errorText": error.text, "rejectReason": error.reason.value})
    # The members of `fees` are not published, so that they are told in words.
    return Answer(payload={"rejectReason": RejectReason.SUCCESS.value, "comment": f"Fees: {fees} USD"})


def _try(exchange: Exchange, account_id: int, row: Params, call: Call) -> Any:
    action = terms.action(row)
    contract_id = row.integer("contractId")
    listing = None if contract_id is None else exchange.state.catalogue.listing_of_id(contract_id)
    if listing is None or listing.expires <= call.now:
        raise terms.RefusedError(RejectReason.INVALID_CONTRACT, "contractId must name a contract that trades")
    wanted = terms.terms(row, listing)
    check_session(exchange, listing, call.now)
    trial = Order(
        id=0,
        account_id=account_id,
        contract_id=listing.id,
        timestamp=call.now,
        action=action,
        ord_status=OrdStatus.PENDING_NEW,
    )
    if refusal := risk.look(exchange.state, trial, wanted.qty, trial=True):
        raise terms.RefusedError(*refusal)
    return exchange.options.rules.commission * wanted.qty


def _strategy(exchange: Exchange, call: Call, caller: Caller) -> OrderStrategy:
    asked = call.body.integer("orderStrategyId")
    strategy = None if asked is None else exchange.state.records.get(OrderStrategy, asked)
    if strategy is None:
        raise NotFoundError
    own_account(exchange, strategy.account_id, caller)
    return strategy


def _refused(text: str, reason: RejectReason | None = None) -> Answer:
    payload = {"errorText": text}
    return Answer(payload=payload | ({"failureReason": reason.value} if reason else {}))


ACTIONS: dict[str, Handler] = {
    "orderstrategy/startorderstrategy": start,
    "orderstrategy/modifyorderstrategy": modify,
    "orderstrategy/interruptorderstrategy": interrupt,
    "order/dryrun": dry_run,
}
