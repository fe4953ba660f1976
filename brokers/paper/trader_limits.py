"""Limits that a trader sets for an own account: position limits, and how they are held (protocol 14.2)."""

from dataclasses import fields
from typing import Any

from brokers.paper.actions import account_of, own_account
from brokers.paper.calls import Answer, Call, Handler
from brokers.paper.codec import to_wire, wire_name
from brokers.paper.entities import Account, UserAccountPositionLimit, UserAccountRiskParameter
from brokers.paper.exchange import Exchange
from brokers.paper.params import Params, ViolationError
from brokers.paper.reads import NotFoundError
from brokers.paper.records import Journal
from brokers.paper.tokens import Caller
from brokers.paper.words import TotalBy

_MOST = 1_000_000
_SCOPE = {TotalBy.CONTRACT: "contractId", TotalBy.PRODUCT: "productId"}
_COUNTS = ("short_limit", "long_limit", "exposed_limit", "max_opening_order_qty", "max_closing_order_qty")


def create_limit(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Set a position limit; it is held once a hard risk parameter hangs on it."""
    account = account_of(exchange, call.body, caller)
    return _kept(exchange, call, account, _limit(exchange, call.body, account, exchange.state.ids.take()))


def update_limit(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Replace a position limit by another image of it."""
    account, known = _own_limit(exchange, call.body.integer("id"), caller)
    return _kept(exchange, call, account, _limit(exchange, call.body, account, known.id))


def create_parameter(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Say how a position limit is held."""
    account, limit = _own_limit(exchange, call.body.integer("userAccountPositionLimitId"), caller)
    return _kept(exchange, call, account, _parameter(call.body, limit.id, exchange.state.ids.take()))


def update_parameter(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Replace how a position limit is held."""
    asked = call.body.integer("id")
    known = None if asked is None else exchange.state.records.get(UserAccountRiskParameter, asked)
    if known is None:
        raise NotFoundError
    account, limit = _own_limit(exchange, known.user_account_position_limit_id, caller)
    return _kept(exchange, call, account, _parameter(call.body, limit.id, known.id))


def _limit(exchange: Exchange, body: Params, account: Account, number: int) -> UserAccountPositionLimit:
    total_by = body.word("totalBy", TotalBy)
    if total_by is None:
        raise ViolationError("totalBy", None, f"totalBy must be one of {', '.join(TotalBy)}")
    contract_id, product_id = body.integer("contractId"), body.integer("productId")
    known = {
        TotalBy.CONTRACT: contract_id is not None and exchange.state.catalogue.listing_of_id(contract_id),
        TotalBy.PRODUCT: product_id is not None and exchange.state.catalogue.spec_of_id(product_id),
        TotalBy.OVERALL: True,
    }
    if not known[total_by]:
        raise ViolationError(_SCOPE[total_by], None, f"{_SCOPE[total_by]} must name what totalBy says")
    return UserAccountPositionLimit(
        id=number,
        account_id=account.id,
        contract_id=contract_id,
        product_id=product_id,
        active=body.flag("active", True),
        total_by=total_by,
        description=body.text("description"),
        **_counts(UserAccountPositionLimit, body),
    )


def _parameter(body: Params, limit_id: int, number: int) -> UserAccountRiskParameter:
    return UserAccountRiskParameter(
        id=number,
        user_account_position_limit_id=limit_id,
        hard_limit=body.flag("hardLimit"),
        **_counts(UserAccountRiskParameter, body),
    )


def _counts(cls: type[Any], body: Params) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in {field.name for field in fields(cls)} & set(_COUNTS):
        value = body.integer(wire_name(name))
        if value is not None and not 0 <= value <= _MOST:
            raise ViolationError(wire_name(name), value, f"{wire_name(name)} must be from 0 to {_MOST}")
        found[name] = value
    return found


def _own_limit(
    exchange: Exchange, asked: int | None, caller: Caller
) -> tuple[Account, UserAccountPositionLimit]:
    limit = None if asked is None else exchange.state.records.get(UserAccountPositionLimit, asked)
    if limit is None:
        raise NotFoundError
    return own_account(exchange, limit.account_id, caller), limit


def _kept(
    exchange: Exchange,
    call: Call,
    account: Account,
    entity: UserAccountPositionLimit | UserAccountRiskParameter,
) -> Answer:
    state = exchange.state
    journal = Journal(records=state.records, now=call.now, session=state.session)
    journal.write(entity, account.id)
    return Answer(payload=to_wire(entity), frames=journal.finish())


ACTIONS: dict[str, Handler] = {
    "useraccountpositionlimit/create": create_limit,
    "useraccountpositionlimit/update": update_limit,
    "useraccountriskparameter/create": create_parameter,
    "useraccountriskparameter/update": update_parameter,
}
