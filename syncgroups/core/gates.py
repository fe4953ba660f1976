"""The gates as an engine knows them: by their rows, and by presses that rows may not hold yet (ADR 16)."""

from collections import defaultdict
from collections.abc import Collection

from risk.core.guard import strictest
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged, HaltPressed
from tradehaven.domain.ids import GateId, PressId


class Gates(dict[GateId, GateChanged]):
    """The newest row of each gate, and over it the latches of presses."""

    def __init__(self) -> None:
        super().__init__()
        self._latches: defaultdict[GateId, set[PressId]] = defaultdict(set)
        self._pressed: set[PressId] = set()
        self._open: set[GateId] = set()

    def state_of(self, gate: GateId) -> TradingState:
        """Return how a gate stands; one that nothing is known of is shut, as is one just pressed."""
        known = self.get(gate)
        return TradingState.HALTED if known is None or self._latches.get(gate) else known.state

    def strictest_of(self, gates: Collection[GateId]) -> TradingState:
        """Return the narrowest of the gates that stand over an account; none at all is open."""
        if self._open.issuperset(gates):  # nearly always, and asked for each follower of each order
            return TradingState.ACTIVE
        return strictest(tuple(self.state_of(gate) for gate in gates))

    def turn(self, event: GateChanged) -> bool:
        """Take a row in; say whether anything may follow from it."""
        # The row of a press that was obeyed at the door is its echo: nothing follows a second time.
        is_echo = bool(event.presses) and self._pressed.issuperset(event.presses)
        self._pressed.update(event.presses)
        self._latches[event.gate].difference_update(event.presses)
        known = self.get(event.gate)
        is_newer = known is None or known.version < event.version
        if is_newer:
            self[event.gate] = event
        self._sort(event.gate)
        return is_newer and not is_echo

    def press(self, event: HaltPressed) -> bool:
        """Shut what was pressed; say whether this press is news."""
        if event.press in self._pressed:
            return False
        self._pressed.add(event.press)
        for gate in event.gates:
            self._latches[gate].add(event.press)
            self._sort(gate)
        return True

    def _sort(self, gate: GateId) -> None:
        """Put a gate among those that let everything through, or take it from there."""
        if self.state_of(gate) is TradingState.ACTIVE:
            self._open.add(gate)
        else:
            self._open.discard(gate)
