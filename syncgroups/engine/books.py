"""The book as the rows remember it; the brokers' snapshots then say what is true. Off the loop's thread."""

from datetime import timedelta

import msgspec
from django.db.models import Q
from django.utils import timezone

from brokers.models import Fill, Order
from risk.models import AccountStanding
from syncgroups.core import forgetting
from syncgroups.core.book import UNSEEN, Book
from syncgroups.core.copies import OPEN_STATES, Copy, CopyState
from syncgroups.core.differences import NO_GROUP, Difference, DriftKey, DriftKind
from syncgroups.core.keys import manual_group, manual_order, parse_key
from syncgroups.core.mending import QUARANTINE_AFTER
from syncgroups.engine.plans import nanos
from syncgroups.engine.records import Stood
from syncgroups.models import Activity, ActivityKind, CopiedOrder, Drift, Holding, ManualShare
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, OrderId, OwnerId, Symbol

EXIT_FRESH = timedelta(minutes=1)
REMEMBER = timedelta(microseconds=forgetting.REMEMBER // 1000)
"""How far back a start looks: as far as a book that lives on."""


def book_of(owner: OwnerId) -> Book:
    """Return the book as the database remembers it; the brokers' snapshots then say what is true."""
    book = Book()
    since = timezone.now() - REMEMBER
    open_states = [str(state) for state in OPEN_STATES]
    manual = list(ManualShare.objects.filter(copy__owner_id=owner).exclude(net=0))
    # The orders behind what is still held of manual copies say what it cost, however old they are.
    still_held = Q(leader_order_id__in=[manual_order(share.copy_id) for share in manual])
    known = Q(received_at__gte=since) | Q(state__in=open_states) | still_held
    copies = CopiedOrder.objects.filter(known, owner_id=owner)
    for row in copies.order_by("received_at", "pk"):
        book.keep(_copy_of(row))
    fills = Fill.objects.filter(account__connection__owner_id=owner, traded_at__gte=since)
    book.fills.update(
        (AccountId(account), FillId(fill))
        for account, fill in fills.values_list("account_id", "broker_fill_id")
    )
    for holding in Holding.objects.filter(group__owner_id=owner).exclude(net=0):
        held, leads = Symbol(holding.symbol), Symbol(holding.leads or holding.symbol)
        key = (GroupId(holding.group_id), AccountId(holding.account_id), held, leads)
        book.hold(key, holding.net)
    for share in manual:
        traded = Symbol(share.symbol)
        book.hold((manual_group(share.copy_id), AccountId(share.account_id), traded, traded), share.net)
    book.changed_holdings.clear()
    refused = Activity.objects.filter(owner_id=owner, kind=ActivityKind.COPY_REFUSED, at__gte=since)
    for key_text, reason, symbol in refused.order_by("at").values_list("key", "reason", "symbol"):
        if key_text not in book.copies:
            _refuse(book, ClientOrderId(key_text), RefusalReason(reason), Symbol(symbol))
    _stand(book, owner)
    for difference in (_difference_of(row) for row in Drift.objects.filter(owner_id=owner, closed_at=None)):
        book.differences[difference.key] = difference
        if difference.key.kind is DriftKind.TAKEN:
            book.taken[difference.key.holding] = difference.expected - difference.actual
    return book


def _stand(book: Book, owner: OwnerId) -> None:
    """Let accounts stand where the engine before this one has left them; their locks come with the plan."""
    for row in AccountStanding.objects.filter(account__connection__owner_id=owner):
        account, stood = AccountId(row.account_id), msgspec.convert(row.body, Stood, strict=False)
        book.risk.standings[account] = stood.standing
        book.risk.bands[account] = stood.band
        if stood.drawdown is not None:
            book.risk.floors[account] = stood.drawdown


def _copy_of(row: CopiedOrder) -> Copy:
    """Return a copy as of its last step, with what became of it since. Unanswered is unresolved.

    An exit that waited for its login's budget goes on waiting if it is fresh; an old one counts as missed.
    """
    copy = msgspec.convert(row.body, Copy)
    state = CopyState(row.state)
    waits = copy.is_unsent and timezone.now() - row.received_at < EXIT_FRESH
    return copy.changed(
        state=CopyState.UNRESOLVED if state is CopyState.SENDING and not waits else state,
        order_id=OrderId(row.broker_order_id) if row.broker_order_id else copy.order_id,
        filled=row.filled,
        cost=_cost_of(row) if copy.is_manual else copy.cost,
        in_flight=None,
        refusals=0,
    )


def _cost_of(row: CopiedOrder) -> int:
    if row.broker_order_id is None:
        return 0
    fills = Fill.objects.filter(account_id=row.follower_id, broker_order_id=row.broker_order_id)
    return sum(qty * ticks for qty, ticks in fills.values_list("qty", "ticks"))


def _refuse(book: Book, key: ClientOrderId, reason: RefusalReason, symbol: Symbol) -> None:
    book.refused[key] = reason
    named = parse_key(key)
    if reason in UNSEEN and named is not None:
        order = Order.objects.filter(account_id=named.leader, broker_order_id=named.leader_order)
        leads = Symbol(order.values_list("symbol", flat=True).first() or symbol)
        book.missed[key] = (named.group, named.follower, symbol, leads)
    else:
        book.missed.pop(key, None)


def _difference_of(row: Drift) -> Difference:
    return Difference(
        key=DriftKey(
            DriftKind(row.kind),
            GroupId(row.group_id or NO_GROUP),
            AccountId(row.account_id),
            Symbol(row.symbol),
            Symbol(row.leads or row.symbol),
            OrderId(row.order_id),
        ),
        expected=row.expected,
        actual=row.actual,
        since=nanos(row.since),
        detail=row.detail,
        remedy=row.remedy,
        said=True,
        ignored=row.ignored,
        attempts=row.attempts,
        shut=row.attempts >= QUARANTINE_AFTER,
        qty=row.qty,
    )
