"""Reads that lag behind: what a user sees over REST is what was true some seconds ago (protocol 7.3).

Pure: the time is handed in. Events over the socket are not touched, so that both ways contradict
each other, as they do in life.
"""

from collections import deque
from collections.abc import Iterable
from copy import copy
from datetime import datetime, timedelta

from brokers.paper.kinds import Kind
from brokers.paper.records import Event, Frame, Records, Row
from brokers.paper.state import State


class _Lag:
    def __init__(self, records: Records, delay: timedelta) -> None:
        self._seen = Records()
        for kind in Kind:
            for row in records.rows(kind):
                self._seen.put(row)
        self._delay = delay
        self._waiting: deque[tuple[datetime, Event]] = deque()

    def note(self, event: Event, now: datetime) -> None:
        self._waiting.append((now, event))

    def seen(self, now: datetime) -> Records:
        while self._waiting and self._waiting[0][0] <= now - self._delay:
            _, event = self._waiting.popleft()
            row = Row(
                kind=event.kind, entity=event.entity, account_id=event.account_id, session=event.session
            )
            self._seen.put(row)
        return self._seen


class Lags:
    """Whose reads lag, and by how much."""

    def __init__(self) -> None:
        self._lags: dict[int, _Lag] = {}

    def order(self, user_id: int, records: Records, seconds: float) -> None:
        """Let a user's reads lag from now on; no seconds call it off."""
        self._lags.pop(user_id, None)
        if seconds > 0:
            self._lags[user_id] = _Lag(records, timedelta(seconds=seconds))

    def note(self, frames: Iterable[Frame], now: datetime) -> None:
        """Remember what happened, to be seen later."""
        if self._lags:
            for event in (event for frame in frames for event in frame):
                for lag in self._lags.values():
                    lag.note(event, now)

    def view(self, state: State, user_id: int, now: datetime) -> State:
        """Return the state as a user's reads see it."""
        lag = self._lags.get(user_id)
        if lag is None:
            return state
        view = copy(state)
        view.records = lag.seen(now)
        return view
