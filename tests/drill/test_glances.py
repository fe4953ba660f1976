"""An engine that looks at its followers between events lives through the very same story."""

import logging
from collections.abc import Iterator

import pytest

from syncgroups.engine.mailbox import Mailbox
from tests.drill.grammar import script_of
from tests.drill.lines import Line
from tests.drill.world import drill
from tradehaven.domain.events import Event

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_a_glance_after_each_event_changes_nothing_of_a_story(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = [*range(20), *range(-5, 0)]
    alone = [drill(script_of(seed)).digest() for seed in seeds]
    post = Mailbox.post
    looked: list[bool] = []

    def watched(mailbox: Mailbox, event: Event) -> None:
        post(mailbox, event)
        if not mailbox._busy:
            now = mailbox._now
            mailbox._now = lambda: mailbox.book.risk.clock  # to ask the drill for the time makes it later
            looked.extend(mailbox.glances())
            mailbox._now = now

    monkeypatch.setattr(Mailbox, "post", watched)
    monkeypatch.setattr(Line, "could_send", lambda line, _: line._ready, raising=False)
    assert [drill(script_of(seed)).digest() for seed in seeds] == alone
    assert sum(looked) > 5_000
    assert not all(looked)
