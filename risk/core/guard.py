"""The one gate before every order of an account, in the order of RISK-01.

Kill switch; lock, floor and limits of the day; caps over the worst case; what cannot be meant; the worst
case at the stop; protection. A reduction passes all but the kill switch, and what opens is refused whole:
a part of it would be another trade than the leader's. What is not known refuses entries, never exits.
"""

from decimal import Decimal

from risk.core import limited, protection, sanity, sizes
from risk.core.clearance import Clearance, clearance
from risk.core.days import turned
from risk.core.lockouts import running
from risk.core.proposal import (
    ALLOWED,
    NOTHING_TO_ATTACH,
    Allowed,
    Changed,
    Objection,
    Proposal,
    Refused,
    Verdict,
)
from risk.core.room import most_contracts
from risk.core.rules import NO_RULES, Rules
from risk.core.standing import FOREVER, ZERO, Day, Money, Standing
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import RefusalReason, TradingState
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import Product

# Stands in where no rule looks at it.
_UNSEEN = Standing(money=Money(balance=ZERO), day=Day(reference=ZERO, ends=FOREVER))
_HALTED = Refused(because=Objection(reason=RefusalReason.KILL_SWITCH, detail="the kill switch is on"))
_REDUCING = Objection(reason=RefusalReason.REDUCE_ONLY, detail="only reductions are allowed now")
_NO_STOP = Objection(
    reason=RefusalReason.NO_STOP, detail="it needs a stop in percent, and no price of the contract is known"
)


def review(
    proposal: Proposal,
    rules: Rules,
    standing: Standing | None,
    state: TradingState,
    now: Nanos,
    known: Clearance | None = None,
) -> Verdict:
    """Return what may be sent of a proposal. A refusal is a value and touches no other account.

    `known` is the clearance of these rules and this standing, where somebody has it already.
    """
    if state is TradingState.HALTED:
        return _HALTED
    if proposal.enter == 0:
        return ALLOWED
    if state is TradingState.REDUCING:
        return _without_entry(proposal, _REDUCING)
    if rules is NO_RULES:
        return ALLOWED
    if standing is None:
        if limited.needs_standing(rules):
            return _without_entry(proposal, limited.UNKNOWN)
        return _weighed(proposal, rules, _UNSEEN, now, minds_orders=True)
    if (lock := running(standing.lock, now)) is not None:
        because = Objection(reason=RefusalReason.LOCKED_OUT, detail=lock.detail, until=lock.until)
        return _without_entry(proposal, because)
    today = turned(rules, standing, now)
    if known is None or today is not standing:
        known = clearance(rules, today)
    if known.objection is not None:
        return _without_entry(proposal, known.objection)
    return _weighed(proposal, rules, today, now, minds_orders=known.minds_orders)


def _weighed(
    proposal: Proposal, rules: Rules, standing: Standing, now: Nanos, *, minds_orders: bool
) -> Verdict:
    try:
        traded = product_of(proposal.symbol)
    except UnknownInstrument as error:
        unknown = Objection(reason=RefusalReason.UNKNOWN_INSTRUMENT, detail=error.message)
        return _without_entry(proposal, unknown)
    cut = sizes.cut(rules.caps, standing, proposal, traded)
    if cut is not None:
        return _without_entry(proposal, cut)
    if not minds_orders and proposal.stop is None:
        return ALLOWED  # the short way only: nothing below would be asked
    if (objection := sanity.objection(rules, standing, proposal, traded, now)) is not None:
        return _without_entry(proposal, objection)
    attach = protection.missing(rules.protection, proposal, traded)
    if attach is None:
        return _without_entry(proposal, _NO_STOP)
    worst = _worst_case(rules, standing, proposal, traded, attach.stop or proposal.stop)
    if worst is not None:
        return _without_entry(proposal, worst)
    return Allowed(attach=attach) if attach is not NOTHING_TO_ATTACH else ALLOWED


def _worst_case(
    rules: Rules, standing: Standing, proposal: Proposal, traded: Product, stop: int | None
) -> Objection | None:
    """Return what speaks against the loss at the stop, with the contracts that may still be opened.

    An entry without a stop has no worst case to count; whether it needs one is the protection's to say.
    """
    if not rules.worst_case or stop is None:
        return None
    most = most_contracts(
        rules, standing, stop_ticks=stop, tick_value=traded.tick_value, at_risk=proposal.at_risk
    )
    if most is None or most >= proposal.enter:
        return None
    return Objection(
        reason=RefusalReason.WORST_CASE,
        detail=f"{proposal.enter} contracts with a stop of {stop} ticks could break a loss limit, "
        f"{most} may still be opened",
        limit=Decimal(most),
        value=Decimal(proposal.enter),
        room=most,
    )


def _without_entry(proposal: Proposal, because: Objection) -> Verdict:
    """Refuse what opens; what reduces goes."""
    if proposal.reduce:
        return Changed(qty=proposal.reduce, enter=0, because=because)
    return Refused(because=because)


_STRICTNESS = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)


def strictest(states: tuple[TradingState, ...]) -> TradingState:
    """Return the narrowest of the gates that stand over an account; none at all is open."""
    if all(state is TradingState.ACTIVE for state in states):
        return TradingState.ACTIVE
    return max(states, key=_STRICTNESS.index)
