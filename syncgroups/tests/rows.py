"""A desk's world behind a real mailbox, journal and recorder, with the rows that it needs."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from brokers.models import Account
from brokers.tests.factories import AccountFactory, ConnectionFactory
from risk.services.gates import ensure_account_risk, ensure_owner_gate
from syncgroups.core.book import Book
from syncgroups.engine import plans
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.recorder import Recorder
from syncgroups.models import JournalMark
from syncgroups.tests.desk import Desk
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.plans import GROUP, LEADER, connection_of
from tradehaven.domain.ids import AccountId, Nanos, OwnerId

TWO, THREE = AccountId(2), AccountId(3)


class Wire:
    """A gateway that hands every command to the desk's outbox."""

    is_ready = True

    def __init__(self, outbox: list[Any]) -> None:
        self.outbox = outbox

    def send(self, command: Any) -> None:
        """Keep a command."""
        self.outbox.append(command)


class Engine:
    """A desk's world behind a real mailbox and a real journal, with the rows that it needs."""

    def __init__(
        self, owner: User, folder: Path, world: Desk | None = None, book: Book | None = None
    ) -> None:
        settings = plans.settings_of(OwnerId(owner.pk))
        self.world = world or Desk(settings.plan)
        self.epoch = (JournalMark.objects.aggregate(last=Max("epoch"))["last"] or 0) + 1
        self.journal = Journal(folder, epoch=self.epoch)
        wires = {connection_of(account): Wire(self.world.outbox) for account in settings.plan.accounts}
        dispatch = Dispatch(wires, lambda: Nanos(self.world.now), lambda: True)  # type: ignore[arg-type]
        self.mailbox = Mailbox(
            settings.plan, book or Book(), self.journal, dispatch, lambda: Nanos(self.world.now)
        )
        for gate in settings.gates:
            self.mailbox.post(gate)
        self.world.step = lambda event: self.mailbox.post(event)  # type: ignore[method-assign,assignment,return-value]
        self.recorder = Recorder("main", folder, self.epoch)
        self.recorder.claim()
        self.world.connect()


def settle_in(owner: User) -> None:
    """Give a person a leader (1) and two followers (2, 3), each on a login of its own."""
    for number in (LEADER, TWO, THREE):
        login = ConnectionFactory.create(pk=connection_of(number), owner=owner, link_up=False)
        account = AccountFactory.create(pk=number, connection=login, name=f"ACC{number}")
        ensure_account_risk(account, owner.pk)
    group = GroupFactory.create(
        pk=GROUP,
        leader=Account.objects.get(pk=LEADER),
        active=True,
        active_since=timezone.now() - timedelta(days=1),
    )
    FollowerFactory.create(group=group, account=Account.objects.get(pk=TWO))
    FollowerFactory.create(group=group, account=Account.objects.get(pk=THREE), ratio="0.5")
    ensure_owner_gate(owner.pk)
