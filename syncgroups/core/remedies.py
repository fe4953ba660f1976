"""Why a follower did not get an order, in plain words, and what to do about it: one row for each code.

The engine's own line carries the figures; these sentences explain the rule behind it and name the form that
changes it. Pages turn a `Place` into an address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tradehaven.domain.enums import RefusalReason

R = RefusalReason


class Place(StrEnum):
    """Where something is mended."""

    CONNECTIONS = "connections"
    GROUP = "group"
    GROUP_SETTINGS = "group_settings"
    SIZING = "sizing"
    ACCOUNT_RULES = "account_rules"
    FOLLOWER_RULES = "follower_rules"
    DISARM = "disarm"
    DIFFERENCES = "differences"
    ORDER = "order"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What a code means, what a person may do, and where. `label` is what the link says."""

    words: str
    advice: str
    place: Place
    label: str


def _of(words: str, advice: str, place: Place, label: str = "") -> Remedy:
    return Remedy(words=words, advice=advice, place=place, label=label)


def _limit(words: str, advice: str = "Wait until it clears, or look at the limit.") -> Remedy:
    return _of(words, advice, Place.ACCOUNT_RULES, "Open its rules")


def _terms(words: str, advice: str) -> Remedy:
    return _of(words, advice, Place.SIZING, "Open sizing and products")


def _wait(words: str, advice: str) -> Remedy:
    return _of(words, advice, Place.DIFFERENCES, "Look at differences")


REMEDIES: Mapping[RefusalReason, Remedy] = {
    R.FOLLOWER_OFFLINE: _of(
        "The follower had no connection to its broker when the leader traded.",
        "Reconnect its login, then replay the missed order from the group's page if you still want it.",
        Place.CONNECTIONS,
        "Open connections",
    ),
    R.ENGINE_OFFLINE: _of(
        "No engine was running for this login.",
        "It starts again by itself; what was missed is listed on the group's page.",
        Place.DIFFERENCES,
        "Look at differences",
    ),
    R.GROUP_OFF: _of(
        "The group was switched off.",
        "Switch it on to copy what the leader orders from then on.",
        Place.GROUP,
        "Open the group",
    ),
    R.SETTINGS_CHANGED: _of(
        "The group's settings changed while this order was on its way.",
        "Nothing to mend: the next order follows the new settings.",
        Place.GROUP,
        "Open the group",
    ),
    R.INSTRUMENT_FILTERED: _of(
        "The group does not copy this instrument.",
        "Add it to the group's instruments, or leave the list empty to copy everything.",
        Place.GROUP_SETTINGS,
        "Change instruments",
    ),
    R.OUTSIDE_HOURS: _of(
        "The order came outside the hours that this group copies in.",
        "Choose all hours, or the other session, in the group's settings.",
        Place.GROUP_SETTINGS,
        "Change hours",
    ),
    R.ROUNDS_TO_ZERO: _terms(
        "The follower's share is less than one contract, for sizes never round up, or its cap is full.",
        "Raise the ratio or the cap, trade micros, or use Confirmed mode, where partial fills add up.",
    ),
    R.NOTHING_TO_REDUCE: _of(
        "The leader closed contracts that this follower does not hold because of this group.",
        "Nothing to mend: an exit never opens a position.",
        Place.DIFFERENCES,
        "Look at differences",
    ),
    R.LEADER_BALANCE_UNKNOWN: _terms(
        "Sizing by balance needs both balances, and one of them is not known yet.",
        "Wait for the broker's figures, or size this follower by ratio or a fixed quantity.",
    ),
    R.KILL_SWITCH: _of(
        "A kill switch is on over this account, its group or everything.",
        "Disarm it when you are ready to copy again; nothing is caught up by itself.",
        Place.DISARM,
        "Go to the switch",
    ),
    R.REDUCE_ONLY: _of(
        "Entries are paused here: only orders that reduce a position pass.",
        "Resume the account or group to take entries again.",
        Place.DISARM,
        "Resume",
    ),
    R.MAX_POSITION: _terms(
        "The order would have made the position larger than its cap.",
        "Raise the cap of this follower, or its account limit.",
    ),
    R.BROKER_LOCK: _limit(
        "The broker itself has locked this account for the day, by a limit that is set there.",
        "Look at the limits at the broker; nobody here can lift its lock.",
    ),
    R.DAILY_LOSS: _limit("The account has reached its daily loss limit."),
    R.DAILY_PROFIT: _limit("The account has reached its daily profit target."),
    R.GIVE_BACK: _limit("The account gave back more of today's profit than it may."),
    R.DRAWDOWN: _limit("The order is too near the account's trailing drawdown floor."),
    R.LOCKED_OUT: _limit(
        "The account is locked until the time that its lock names; nobody opens it earlier."
    ),
    R.MAX_ACCOUNT: _limit("The account would have held more contracts in all than it may."),
    R.MAX_PRODUCT: _limit("The account would have held more of this product than it may."),
    R.MAX_MINIS: _limit("The account would have held more than its allowance, counted in mini contracts."),
    R.SCALING_PLAN: _limit("The scaling plan allows fewer contracts at this profit."),
    R.ORDER_SIZE: _limit(
        "One order may not be as large as this.", "Trade smaller, or raise the largest order."
    ),
    R.PRICE_COLLAR: _limit(
        "The price is further from the market than the collar allows.",
        "Check the leader's price; widen the collar if it was meant.",
    ),
    R.STALE_QUOTE: _limit(
        "There is no fresh price of this contract, and the collar needs one.",
        "Check that market data runs; the next order is weighed anew.",
    ),
    R.ORDER_RATE: _limit("Too many orders within the time that the rate limit looks at."),
    R.REPEATED: _limit("The same order came again within the time in which repeats are refused."),
    R.MAX_TRADES: _limit("The account has made as many trades today as it may."),
    R.LOSING_STREAK: _limit("The account has lost as many trades in a row as it may."),
    R.NOT_PERMITTED: _limit(
        "This product is not on the account's list.", "Add it to the products it may trade."
    ),
    R.CLOSED_HOURS: _limit("The account's own rules do not let it trade at this time.", "Change its hours."),
    R.NEWS: _limit("A news window of the account's rules is open.", "Wait until it closes."),
    R.FLAT_TIME: _limit("It is past the time at which the account has to be flat.", "Change its flat time."),
    R.WORST_CASE: _limit("If every stop were hit, the loss would break a limit of the account."),
    R.OPPOSITE: _limit("The account's rules forbid being long and short in related contracts at once."),
    R.MIXED_SIZES: _limit("The account's rules forbid a mini and its micro at the same time."),
    R.STANDING_UNKNOWN: _limit(
        "Its rules need the account's balance and result, and the broker has not stated them yet.",
        "Wait for the broker's figures; they come with the connection.",
    ),
    R.NO_STOP: _limit("The account's rules demand a stop, and there is no way to attach one to this order."),
    R.ORDER_TYPE_UNSUPPORTED: _of(
        "This type of order could not be copied at that time.",
        "Nothing to mend: every type is copied now.",
        Place.NOWHERE,
    ),
    R.UNKNOWN_INSTRUMENT: _terms(
        "We do not know this contract, or what the follower should trade in its place.",
        "Look at the follower's single products.",
    ),
    R.INVALID_ORDER: _of(
        "The follower's order would not have been valid, for example a price off its contract's grid.",
        "Look at the order's prices; trade the same contract as the leader if it happens again.",
        Place.ORDER,
        "Open the order",
    ),
    R.COPY_ENDED: _of(
        "The follower's order had ended before the leader's change reached it.",
        "Nothing to mend; compare the fills.",
        Place.ORDER,
        "Open the order",
    ),
    R.UNRESOLVED: _wait(
        "It is not known whether the broker has an earlier order, and nothing is sent twice.",
        "The broker is being asked; a difference that remains shows on the group's page.",
    ),
    R.STALE: _of(
        "The event was too old to trade on when it was read.",
        "Nothing to mend; if it happens often look at the connection's health.",
        Place.CONNECTIONS,
        "Open connections",
    ),
    R.JOURNAL_FAILED: _of(
        "The engine could not write its decision to disk, and without that it does not send.",
        "The server's disk is full or failing: free space, then disarm.",
        Place.DISARM,
        "Go to the switch",
    ),
    R.RATE_LIMITED: _of(
        "The login's budget of broker calls was used up; what is left is kept for exits.",
        "Spread followers over more logins, or trade fewer orders a minute.",
        Place.CONNECTIONS,
        "See budgets",
    ),
    R.QUARANTINED: _wait(
        "This contract is in quarantine for this follower: exits pass, entries do not.",
        "Release it on the group's page once you trust it again.",
    ),
    R.LEASE_LOST: _of(
        "Another engine had taken over this login, so this one sent nothing.",
        "Nothing to mend: the new engine compares and says what was missed.",
        Place.DIFFERENCES,
        "Look at differences",
    ),
    R.OTHER_SIDE: _wait(
        "The follower holds the other side in this contract and had to close that first.",
        "Nothing to mend if it closes; a difference that remains shows on the group's page.",
    ),
}


def remedy_for(code: str) -> Remedy | None:
    """Return the row of a code, None for "" and for codes of another time."""
    try:
        return REMEDIES.get(RefusalReason(code))
    except ValueError:
        return None
