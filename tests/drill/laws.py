"""The checker: one plain function for each invariant, over a history, written to distrust the engine.

Numbers are those of the reliability rules. Of the engine's code only sizing (I3) and the reading of ids
are used. What a law leaves out on purpose stands at the law. I10 needs two histories and is a test of its
own; I18 (secrets), I20 (trade dates) and I21 (tenants) have no subject here.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.drill import (
    laws_of_cover,
    laws_of_gates,
    laws_of_manual,
    laws_of_money,
    laws_of_orders,
    laws_of_positions,
    laws_of_rules,
)
from tests.drill.history import History
from tests.drill.reading import Reading


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A law that a history breaks, and how."""

    law: str
    text: str


Law = Callable[[Reading], Iterator[str]]
LAWS: dict[str, Law] = {
    "I1": laws_of_orders.one_order_for_each_intent,
    "I2": laws_of_orders.nothing_lost_in_silence,
    "I3": laws_of_positions.exposure_as_sized,
    "I4": laws_of_positions.flat_with_the_leader,
    "I5": laws_of_positions.reductions_only_reduce,
    "I6": laws_of_orders.recorded_before_sent,
    "I7": laws_of_gates.gates_are_obeyed,
    "I8": laws_of_positions.caps_hold,
    "I9": laws_of_gates.gates_stay_where_they_were_put,
    "I11": laws_of_orders.one_writer,
    "I12": laws_of_orders.unknown_stays_unknown,
    "I13": laws_of_orders.causality,
    "I14": laws_of_positions.protection_fits,
    "I15": laws_of_positions.books_balance,
    "I16": laws_of_orders.changes_are_merged,
    "I16b": laws_of_orders.budgets_are_kept,
    "I17": laws_of_orders.lineage,
    "I19": laws_of_orders.convergence,
    "I9b": laws_of_money.floors_never_fall,
    "I14b": laws_of_cover.stops_cover_what_is_held,
    "I15b": laws_of_money.money_is_counted,
    "F01": laws_of_orders.no_stale_entry,
    "F12": laws_of_orders.a_snapshot_is_no_news,
    "F23": laws_of_orders.silence_is_kept,
    "F26": laws_of_cover.overfills_are_told,
    "F38": laws_of_rules.nothing_opens_behind_a_lock,
    "F38b": laws_of_money.a_broken_limit_locks,
    "F39": laws_of_rules.flat_after_a_breach,
    "F40": laws_of_money.every_lock_has_its_reason,
    "F40b": laws_of_rules.stale_prices_open_nothing,
    "F44": laws_of_rules.flat_at_its_time,
    "RISK-02": laws_of_rules.reductions_pass,
    "RISK-05": laws_of_rules.locks_outlive_everything,
    "COPY-06": laws_of_cover.what_rests_too_long_ends,
    "COPY-09": laws_of_rules.quarantine_is_kept,
    "COPY-11": laws_of_manual.manual_copies_are_answered,
    "COPY-11b": laws_of_manual.legs_fit_what_is_held,
    "COPY-11c": laws_of_manual.legs_stand_where_asked,
}


def check(history: History) -> list[Violation]:
    """Return every breach of every law."""
    reading = Reading.of(history)
    return [Violation(name, text) for name, law in LAWS.items() for text in law(reading)]


def by_law(violations: list[Violation]) -> Counter[str]:
    """Return how often each law was broken."""
    return Counter(violation.law for violation in violations)
