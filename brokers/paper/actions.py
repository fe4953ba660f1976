"""What a logged-in caller can do besides reading: orders, snapshots, contracts, accounts."""

from dataclasses import replace
from datetime import datetime

from brokers.paper import accounts, supervision, terms
from brokers.paper.calls import Answer, Call, DeniedError, Handler
from brokers.paper.catalogue import Listing, Spec
from brokers.paper.codec import Json, number, to_wire
from brokers.paper.entities import Account, Order, Position
from brokers.paper.exchange import Exchange
from brokers.paper.executions import book_cash, margin_snapshot
from brokers.paper.lifecycle import Lifecycle
from brokers.paper.options import Hours
from brokers.paper.params import Params, ViolationError
from brokers.paper.reads import NotFoundError
from brokers.paper.records import Journal
from brokers.paper.tokens import Caller
from brokers.paper.venue import Outcome, Ticketed
from brokers.paper.words import AdminAction, CashChangeType, OrderType, RejectReason
from tradehaven.domain.calendar import MarketState, market_state

_MOST_POSITIONS = 100


def place(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Accept an order (protocol 11.1)."""
    account = account_of(exchange, call.body, caller)
    listing, wanted = _entry(exchange, call)
    outcome = exchange.venue.place(account.id, listing.id, wanted, sender_of(call, caller), call.now)
    return _answer(outcome)


def place_oco(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Accept a pair of which one cancels the other (protocol 11.2)."""
    account = account_of(exchange, call.body, caller)
    listing, wanted = _entry(exchange, call)
    other = _leg(exchange, call.body, "other", wanted, listing)
    terms.check_pair(wanted.action, wanted.terms, other.action, other.terms)
    sender = sender_of(call, caller)
    return _answer(exchange.venue.place_pair(account.id, listing.id, (wanted, other), sender, call.now))


def place_oso(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Accept an entry with one or two legs (protocol 11.3)."""
    account = account_of(exchange, call.body, caller)
    listing, wanted = _entry(exchange, call)
    members = [name for name in ("bracket1", "bracket2") if call.body.raw(name) is not None]
    if "bracket1" not in members:
        raise ViolationError("bracket1", None, "bracket1 is required")
    legs = [_leg(exchange, call.body, name, wanted, listing) for name in members]
    if len(legs) == 2:
        terms.check_pair(legs[0].action, legs[0].terms, legs[1].action, legs[1].terms)
    sender = sender_of(call, caller)
    return _answer(exchange.venue.place_bracket(account.id, listing.id, wanted, legs, sender, call.now))


def modify(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Accept a full replacement of an order's parameters (protocol 11.4)."""
    order = _order(exchange, call.body, caller)
    wanted = terms.terms(call.body, exchange.state.listing(order.contract_id))
    return _answer(exchange.venue.modify(order.id, wanted, sender_of(call, caller), call.now))


def cancel(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Accept a cancel (protocol 11.5)."""
    order = _order(exchange, call.body, caller)
    return _answer(exchange.venue.cancel(order.id, sender_of(call, caller), call.now))


def liquidate(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Cancel orders and close the position in one contract (protocol 11.6)."""
    account = account_of(exchange, call.body, caller)
    contract_id = call.body.integer("contractId")
    listing = None if contract_id is None else exchange.state.catalogue.listing_of_id(contract_id)
    if listing is None:
        raise ViolationError("contractId", contract_id, "contractId must name a contract")
    return _answer(exchange.venue.liquidate(account.id, listing.id, sender_of(call, caller), call.now))


def liquidate_many(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Close several positions by their ids (protocol 11.6)."""
    numbers = call.body.integers("positions") or []
    if len(numbers) > _MOST_POSITIONS:
        return Answer(payload={"ok": False, "errorText": f"at most {_MOST_POSITIONS} positions"})
    found = [exchange.state.records.get(Position, item) for item in numbers]
    positions = [item for item in found if item is not None]
    if len(positions) != len(numbers):
        return Answer(payload={"ok": False, "errorText": "Unknown position"})
    for position in positions:
        own_account(exchange, position.account_id, caller)
    sender = sender_of(call, caller)
    frames = tuple(
        frame
        for item in positions
        for frame in exchange.venue.liquidate(item.account_id, item.contract_id, sender, call.now).frames
    )
    return Answer(payload={"ok": True}, frames=frames)


def cash_snapshot(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Return cash, open profit and margin of an account at the last prices, in USD (protocol 8.4)."""
    account = account_of(exchange, call.body, caller)
    state = exchange.state
    cash = state.cash(account.id)
    open_pnl = state.open_profit(account.id)
    journal = Journal(records=state.records, now=call.now, session=state.session)
    margin = margin_snapshot(state, journal, account.id)
    amounts = {
        "totalCashValue": cash.amount,
        "totalPnL": cash.realized_pnl + open_pnl,
        "initialMargin": margin.initial_margin,
        "maintenanceMargin": margin.maintenance_margin,
        "fullInitialMargin": margin.full_initial_margin,
        "netLiq": cash.amount + open_pnl,
        "openPnL": open_pnl,
        "realizedPnL": cash.realized_pnl,
        "weekRealizedPnL": cash.week_realized_pnl,
        "totalCashValueSOD": cash.amount_sod,
    }
    return Answer(payload={name: number(amount) for name, amount in amounts.items()})


def roll_contract(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Return the contract that follows or precedes another (protocol 15.2)."""
    listing = exchange.state.catalogue.find(call.body.text("name") or "")
    if listing is None:
        return Answer(payload={"errorText": "Contract not found"})
    rolls = not call.body.flag("ifExpired") or listing.expires <= call.now
    target = (
        exchange.state.catalogue.roll(listing, forward=call.body.flag("forward", True)) if rolls else listing
    )
    return Answer(payload={"contract": to_wire(exchange.state.catalogue.contract(target))})


def fee_params(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Return commission and day margins of products, in USD (protocol 15.2)."""
    catalogue = exchange.state.catalogue
    found = [catalogue.spec_of_id(item) for item in call.body.integers("productIds") or []]
    rows = [_fees(exchange, spec) for spec in found if spec is not None]
    return Answer(payload={"params": rows})


def set_lock(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Set an account's lock state (protocol 14.1); `resetautoliqstatus` goes back to normal."""
    account = account_of(exchange, call.body, caller)
    action = call.body.word("adminAutoLiqAction", AdminAction) or call.body.word("adminAction", AdminAction)
    if supervision.held(exchange.state, account.id):
        return Answer(payload={"errorText": "The rules of this account keep it locked"})
    journal = _journal(exchange, call.now)
    status = accounts.set_lock(exchange.state, journal, account.id, action or AdminAction.NORMAL)
    return Answer(payload={"accountRiskStatus": to_wire(status)}, frames=journal.finish())


def change_balance(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Add to or take from an account's cash, in USD (protocol 14.4)."""
    account = account_of(exchange, call.body, caller)
    change = call.body.decimal("cashChange")
    if change is None:
        return Answer(payload={"ok": False, "errorText": "cashChange is required"})
    if change < 0 and -change > supervision.withdrawable(exchange.state, account.id):
        return Answer(payload={"ok": False, "errorText": "That much cannot be withdrawn"})
    journal = _journal(exchange, call.now)
    reason = CashChangeType.MANUAL_ADJUSTMENT
    book_cash(exchange.state, journal, account.id, change, reason, comment=call.body.text("comment"))
    supervision.moved_cash(exchange.state, journal, account.id, change)
    return Answer(payload={"ok": True}, frames=journal.finish())


def reset_accounts(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Cancel all orders, flatten on paper and give the opening balance again (protocol 14.4)."""
    numbers = call.body.integers("accountIds") or []
    owned = [own_account(exchange, number, caller) for number in numbers]
    frames = exchange.venue.step(call.now, lambda life: _reset(life, owned))
    return Answer(payload={"ok": True}, frames=frames)


def _reset(life: Lifecycle, owned: list[Account]) -> None:
    for account in owned:
        for order in list(life.state.alive(account.id)):
            life.cancel_by_server(order)
        accounts.reset(life.state, life.journal, account)


ACTIONS: dict[str, Handler] = {
    "order/placeorder": place,
    "order/modifyorder": modify,
    "order/cancelorder": cancel,
    "order/liquidateposition": liquidate,
    "order/liquidatepositions": liquidate_many,
    "order/placeoco": place_oco,
    "order/placeoso": place_oso,
    "cashbalance/getcashbalancesnapshot": cash_snapshot,
    "cashbalance/changedemobalance": change_balance,
    "account/resetdemoaccountstate": reset_accounts,
    "accountriskstatus/setadminautoliqaction": set_lock,
    "accountriskstatus/resetautoliqstatus": set_lock,
    "contract/rollcontract": roll_contract,
    "contract/getproductfeeparams": fee_params,
}


def _entry(exchange: Exchange, call: Call) -> tuple[Listing, Ticketed]:
    action = terms.action(call.body)
    listing = terms.contract(call.body, exchange.state.catalogue, call.now)
    wanted = Ticketed(action=action, terms=terms.terms(call.body, listing))
    check_session(exchange, listing, call.now)
    exchange.open_market(listing.id)
    _check_band(exchange, listing, wanted)
    return listing, with_trail(exchange, listing, wanted)


def _check_band(exchange: Exchange, listing: Listing, wanted: Ticketed) -> None:
    book = exchange.state.books[listing.id]
    low = book.floor is not None and wanted.terms.limit is not None and wanted.terms.limit < book.floor
    high = book.ceiling is not None and wanted.terms.limit is not None and wanted.terms.limit > book.ceiling
    if low or high:
        raise terms.RefusedError(RejectReason.INVALID_PRICE, "price is outside the day's price limits")


def _leg(exchange: Exchange, params: Params, name: str, entry: Ticketed, listing: Listing) -> Ticketed:
    body = params.raw(name)
    if not isinstance(body, dict):
        raise ViolationError(name, None, f"{name} is required")
    # Legs inherit the quantity, whatever they say about it (protocol 11.2).
    leg = Params({**body, "orderQty": entry.terms.qty})
    return with_trail(exchange, listing, Ticketed(action=terms.action(leg), terms=terms.terms(leg, listing)))


def with_trail(exchange: Exchange, listing: Listing, wanted: Ticketed) -> Ticketed:
    """Give a trailing stop without a distance the one it has to the market now (protocol 10.1)."""
    given, last = wanted.terms, exchange.state.books[listing.id].last
    if given.order_type is not OrderType.TRAILING_STOP or given.trail or given.stop is None or last is None:
        return wanted
    return replace(wanted, terms=replace(given, trail=max(1, abs(last - given.stop))))


def _answer(outcome: Outcome) -> Answer:
    return Answer(payload=outcome.reply, frames=outcome.frames)


def sender_of(call: Call, caller: Caller) -> terms.Sender:
    """Return who sends a command, with its marks."""
    return terms.sender(call.body, user_id=caller.user_id, session_id=caller.session_id)


def account_of(exchange: Exchange, params: Params, caller: Caller) -> Account:
    """Return the account that a request names; raises DeniedError where it is not the caller's."""
    number, spec = params.integer("accountId"), params.text("accountSpec")
    if number is None and spec is None:
        raise ViolationError("accountId or accountSpec is required", None, "Account is not specified")
    account = exchange.state.account(number, spec)
    if account is None:
        raise DeniedError
    return own_account(exchange, account.id, caller)


def own_account(exchange: Exchange, account_id: int, caller: Caller) -> Account:
    """Return one of the caller's accounts; raises DeniedError on a stranger's."""
    account = exchange.state.records.get(Account, account_id)
    if account is None or account.user_id != caller.user_id:
        raise DeniedError
    return account


def _order(exchange: Exchange, params: Params, caller: Caller) -> Order:
    number = params.integer("orderId")
    if number is None:
        raise ViolationError("orderId", None, "orderId is required")
    order = exchange.state.records.get(Order, number)
    if order is None:
        raise NotFoundError
    own_account(exchange, order.account_id, caller)
    return order


def check_session(exchange: Exchange, listing: Listing, now: datetime) -> None:
    """Refuse orders while the market is closed, where the exchange keeps hours."""
    if exchange.options.hours is Hours.CME:
        state = market_state(now, listing.spec.template)
        if state is not MarketState.OPEN:
            raise terms.RefusedError(RejectReason.SESSION_CLOSED, f"Session is closed ({state})")


def _journal(exchange: Exchange, now: datetime) -> Journal:
    return Journal(records=exchange.state.records, now=now, session=exchange.state.session)


def _fees(exchange: Exchange, spec: Spec) -> Json:
    return {
        "productId": spec.id,
        "commission": number(exchange.options.rules.commission),
        "commissionCurrencyId": 1,
        "dayMargin": number(spec.day_margin),
        "nightMargin": number(spec.full_margin),
        "fullMargin": to_wire(exchange.state.catalogue.margin(spec)),
    }
