"""The activity log: what it shows, how it is filtered and paged, and that its length costs nothing."""

import csv
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Account
from syncgroups.core.keys import client_order_id
from syncgroups.core.threads import thread_of
from syncgroups.models import Activity, ActivityKind, Severity, SyncGroup
from syncgroups.selectors import activity as log
from syncgroups.selectors.activity import Cursor, Filters, cursor_of, log_page, matching, news, tallies
from syncgroups.tests.factories import ActivityFactory, CopyFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from syncgroups.views.table import cell
from tradehaven.domain.enums import CopyOutcome, RefusalReason
from tradehaven.domain.ids import AccountId, GroupId, OrderId

NOON = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
PAGE = reverse("syncgroups:activity")


@pytest.fixture
def three(alice: User) -> list[Account]:
    return accounts(alice, "LEAD", "ONE", "TWO")


@pytest.fixture
def group(three: list[Account]) -> SyncGroup:
    made: SyncGroup = GroupFactory.create(leader=three[0], name="Scalps")
    for account in three[1:]:
        FollowerFactory.create(group=made, account=account)
    return made


def say(group: SyncGroup, kind: ActivityKind, second: int, order: int = 0, **more: Any) -> Activity:
    """Write a line some seconds after noon, of an order of the leader's where one is named."""
    account = more.pop("account", group.leader)
    if order:
        more.setdefault("thread", thread_of(group.leader_id, order))
    if order and kind is not ActivityKind.LEADER_ORDER:
        ids = GroupId(group.pk), AccountId(group.leader_id), OrderId(order), AccountId(account.pk)
        more.setdefault("key", client_order_id(*ids))
    made: Activity = ActivityFactory.create(
        owner=group.owner,
        group=group,
        account=account,
        kind=kind,
        at=NOON + timedelta(seconds=second),
        **more,
    )
    return made


def order_of(group: SyncGroup, number: int, second: int) -> list[Activity]:
    """An order of the leader's: one follower copies it, the other is left out."""
    one, two = (row.account for row in group.followers.all())
    lines = [
        say(
            group,
            ActivityKind.LEADER_ORDER,
            second,
            number,
            text=f"LEAD placed order {number}",
            symbol="ESZ6",
        ),
        say(group, ActivityKind.COPY_SENT, second, number, account=one, symbol="ESZ6"),
        say(
            group,
            ActivityKind.COPY_REFUSED,
            second,
            number,
            account=two,
            symbol="ESZ6",
            reason=RefusalReason.ROUNDS_TO_ZERO,
            severity=Severity.WARNING,
        ),
        say(group, ActivityKind.COPY_FILLED, second + 1, number, account=one, symbol="ESZ6"),
    ]
    key = lines[1].key
    CopyFactory.create(group=group, follower=one, leader_order_id=number, key=key)
    return lines


def threads(user: User, **filters: Any) -> list[str]:
    return [entry.line.thread for entry in log_page(user, Filters(**filters)).entries]


def test_lines_of_one_order_are_one_row_and_others_stand_alone(alice: User, group: SyncGroup):
    order_of(group, 501, 0)
    alone = say(group, ActivityKind.LINK, 5, text="lead is connected")
    order_of(group, 502, 9)
    page = log_page(alice, Filters())
    assert [entry.line.thread for entry in page.entries] == [
        thread_of(group.leader_id, 502),
        "",
        thread_of(group.leader_id, 501),
    ]
    assert page.entries[1].line == alone
    summary = page.entries[0].summary
    assert summary is not None
    assert (summary.lines, summary.sent, summary.filled, summary.skipped, summary.failed) == (4, 1, 1, 1, 0)
    assert summary.reasons == ("rounds_to_zero",)
    assert summary.placed is not None
    assert summary.placed.text == "LEAD placed order 502"


def test_an_order_moves_up_with_its_newest_line(alice: User, group: SyncGroup):
    order_of(group, 501, 0)
    order_of(group, 502, 10)
    say(group, ActivityKind.COPY_FILLED, 3600, 501, account=group.followers.all()[0].account)
    assert threads(alice) == [thread_of(group.leader_id, 501), thread_of(group.leader_id, 502)]


def test_pages_follow_each_other_without_gap_or_repetition(
    alice: User, group: SyncGroup, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "PAGE", 3)
    for number in range(1, 8):
        order_of(group, number, number // 3)  # several at the same moment
        say(group, ActivityKind.LINK, number // 3)
    seen: list[int] = []
    before: Cursor | None = None
    while True:
        page = log_page(alice, Filters(), before)
        seen += [entry.line.pk for entry in page.entries]
        if page.older is None:
            break
        before = cursor_of(str(page.older))
        assert before is not None
    assert len(seen) == len(set(seen)) == 14
    found = Activity.objects.filter(pk__in=seen).order_by("-at", "-pk")
    assert seen == [line.pk for line in found]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("outcome=done", 1),
        ("outcome=skipped", 1),
        ("outcome=failed", 1),
        ("kind=link", 1),
        ("severity=danger", 1),
        ("symbol=es", 2),
        ("symbol=MES", 0),
        ("q=order+501", 1),
        ("q=rounds+to+zero", 1),
        ("day=2026-11-20", 3),
        ("day=2026-11-19", 0),
        ("from=2026-11-20T18:00&to=2026-11-20T18:01", 2),
        ("from=2026-11-20T18:01", 1),
        ("", 3),
    ],
)
def test_filters_are_part_of_the_address(
    alice: User, alice_client: Client, group: SyncGroup, name: str, count: int
):
    User.objects.filter(pk=alice.pk).update(time_zone="UTC")
    order_of(group, 501, 0)
    say(group, ActivityKind.LINK, 5)
    say(group, ActivityKind.COPY_REJECTED, 100, 502, symbol="ESZ6", severity=Severity.DANGER)
    answer = alice_client.get(f"{PAGE}?{name}")
    assert len(answer.context["page"].entries) == count


def test_account_and_group_are_ones_own(
    alice_client: Client, group: SyncGroup, three: list[Account], bob: User
):
    order_of(group, 501, 0)
    (foreign,) = accounts(bob, "BOB")
    count = lambda query: len(alice_client.get(f"{PAGE}?{query}").context["page"].entries)  # noqa: E731
    assert count(f"account={three[1].pk}") == 1
    assert count(f"group={group.public_id}") == 1
    answer = alice_client.get(f"{PAGE}?account={foreign.pk}")
    assert "account" in answer.context["form"].errors
    assert "BOB" not in answer.content.decode()


def test_an_order_that_never_left_or_was_rejected_is_not_done(alice: User, group: SyncGroup):
    first, second = order_of(group, 501, 0), order_of(group, 502, 10)
    say(group, ActivityKind.COPY_REJECTED, 11, 502, key=second[1].key)
    third = order_of(group, 503, 20)
    group.copies.filter(key=third[1].key).update(written_at=None)
    done = matching(alice, Filters(outcome=CopyOutcome.DONE))
    assert list(done) == [first[1]]
    counts = {tally.outcome: tally.count for tally in tallies(alice, Filters())}
    assert counts == {CopyOutcome.DONE: 1, CopyOutcome.SKIPPED: 3, CopyOutcome.FAILED: 1}
    assert log.outcomes_between(alice, NOON, NOON + timedelta(hours=1)) == counts
    assert log.outcomes_between(alice, NOON + timedelta(hours=1), NOON + timedelta(hours=2)) == {
        outcome: 0 for outcome in CopyOutcome
    }


def test_a_rare_line_is_searched_for_a_stretch_at_a_time(
    alice: User, group: SyncGroup, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "WINDOW", 10)
    rare = say(group, ActivityKind.FLAT, 0)
    for number in range(15):
        say(group, ActivityKind.LINK, 10 + number)
    page = log_page(alice, Filters(kind=ActivityKind.FLAT))
    assert page.entries == ()
    assert page.older is not None
    assert page.back_to is not None
    further = log_page(alice, Filters(kind=ActivityKind.FLAT), page.older)
    assert [entry.line for entry in further.entries] == [rare]
    assert further.older is None
    assert all(tally.more for tally in tallies(alice, Filters(kind=ActivityKind.FLAT)))


def test_what_is_new_is_counted_under_the_filters(alice: User, alice_client: Client, group: SyncGroup):
    order_of(group, 501, 0)
    newest = alice_client.get(PAGE).context["newest"]
    say(group, ActivityKind.LINK, 30)
    say(group, ActivityKind.COPY_FILLED, -2, 501)  # written late: it happened before what was shown
    assert news(alice, Filters(), newest) == 2
    assert news(alice, Filters(kind=ActivityKind.LINK), newest) == 1
    bar = alice_client.get(reverse("syncgroups:activity-news"), {"after": str(newest), "kind": "link"})
    assert '<span class="num">1</span> new' in bar.content.decode()
    assert (
        "new</a>"
        not in alice_client.get(reverse("syncgroups:activity-news"), {"after": "x"}).content.decode()
    )


@pytest.mark.parametrize("text", ["", "x", "1", "1.", ".1", "1.x", "9" * 17 + ".1", "1." + "9" * 19, "-1.2"])
def test_a_cursor_that_names_no_place_is_none(text: str):
    assert cursor_of(text) is None


def test_a_cursor_says_what_it_was_made_of():
    place = Cursor(at=NOON + timedelta(microseconds=17), pk=12)
    assert cursor_of(str(place)) == place


def test_times_are_in_the_persons_zone_to_the_millisecond(
    alice: User, alice_client: Client, group: SyncGroup
):
    alice.time_zone = "America/Chicago"
    alice.save()
    line = say(group, ActivityKind.LINK, 0)
    Activity.objects.filter(pk=line.pk).update(at=NOON + timedelta(microseconds=7_654))
    assert "12:00:00.007" in alice_client.get(PAGE).content.decode()
    detail = alice_client.get(reverse("syncgroups:activity-line", args=[line.pk])).content.decode()
    assert "12:00:00.007654" in detail


def test_an_empty_log_teaches_and_an_empty_filter_offers_all(alice_client: Client, alice: User):
    assert "Nothing has happened yet" in alice_client.get(PAGE).content.decode()
    assert "Nothing matches" in alice_client.get(f"{PAGE}?kind=flat").content.decode()


def test_a_followers_row_says_why_and_where_it_is_mended(alice_client: Client, group: SyncGroup):
    line = order_of(group, 501, 0)[2]
    page = alice_client.get(reverse("syncgroups:activity-followers", args=[line.thread])).content.decode()
    assert "Raise the ratio" in page
    assert f"{reverse('syncgroups:edit', args=[group.public_id])}#member-{line.account_id}" in page
    assert "620 µs" in page


def test_a_line_has_an_address_of_its_own(alice_client: Client, group: SyncGroup):
    line = order_of(group, 501, 0)[2]
    page = alice_client.get(reverse("syncgroups:activity-line", args=[line.pk])).content.decode()
    assert "sizes never round up" in page
    assert reverse("syncgroups:order", args=[line.thread]) in page


@pytest.mark.parametrize("name", ["activity-line", "activity-followers"])
def test_strangers_find_nothing_of_it(
    alice_client: Client, bob_client: Client, client: Client, group: SyncGroup, name: str
):
    line = order_of(group, 501, 0)[0]
    url = reverse(f"syncgroups:{name}", args=[line.pk if name == "activity-line" else line.thread])
    assert bob_client.get(url).status_code == 404
    assert client.get(url).status_code == 302
    assert alice_client.post(url).status_code == 405
    assert "LEAD" not in bob_client.get(PAGE).content.decode()


async def _joined(chunks: Any) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def rows_of(answer: Any) -> list[dict[str, str]]:
    text = async_to_sync(_joined)(answer.streaming_content).decode()
    return list(csv.DictReader(StringIO(text)))


@pytest.mark.django_db(transaction=True)
def test_the_export_is_what_is_filtered(alice_client: Client, group: SyncGroup):
    order_of(group, 501, 0)
    line = say(group, ActivityKind.GROUP, 9, text='=HYPERLINK("http://x")')
    url = reverse("syncgroups:activity-export")
    rows = rows_of(alice_client.get(url))
    assert len(rows) == 5
    assert rows[0]["line"] == str(line.pk)
    assert rows[0]["text"] == '\'=HYPERLINK("http://x")'
    skipped = rows_of(alice_client.get(f"{url}?outcome=skipped"))
    assert [row["code"] for row in skipped] == ["rounds_to_zero"]
    assert skipped[0]["order"] == thread_of(group.leader_id, 501)
    assert skipped[0]["remedy"].startswith("Raise the ratio")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1"])
def test_no_cell_is_a_formula(text: str):
    assert cell(text) == f"'{text}"
    assert cell(f"a{text}") == f"a{text}"


LONG = 100_000
QUERIES = 16


def _fill(group: SyncGroup, count: int) -> None:
    """Write many lines: orders of four lines each, and now and then a line that stands alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into syncgroups_activity
              (owner_id, at, kind, severity, reason, account_id, group_id, symbol, key, thread, text)
            select %s, %s - n * interval '1 second',
              case when n %% 40 = 0 then 'link'
              else (array['leader_order', 'copy_sent', 'copy_filled', 'copy_refused'])[1 + n %% 4] end,
              'info',
              case when n %% 4 = 3 then 'rounds_to_zero' else '' end, %s, %s, 'ESZ6', '',
              case when n %% 40 = 0 then '' else %s || '-' || (10000000 + n / 4) end, 'line ' || n
            from generate_series(0, %s) as n
            """,
            [
                group.owner_id,
                NOON,
                group.followers.all()[0].account_id,
                group.pk,
                str(group.leader_id),
                count - 1,
            ],
        )


def _measured(client: Client, query: str) -> tuple[float, int]:
    best, count = 9.0, 0
    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            began = time.perf_counter()
            assert client.get(f"{PAGE}?{query}").status_code == 200
            best = min(best, time.perf_counter() - began)
        count = len(asked)
    return best, count


def _reading_everything() -> float:
    """Return the seconds that all lines take to come here, as things are on this machine now."""
    best = 9.0
    for _ in range(2):
        began = time.perf_counter()
        assert len(list(Activity.objects.all())) == LONG
        best = min(best, time.perf_counter() - began)
    return best


@pytest.mark.slow
def test_a_long_history_costs_no_more_than_a_short_one(alice: User, alice_client: Client, group: SyncGroup):
    middle = Cursor(at=NOON - timedelta(seconds=LONG // 2), pk=1)
    questions = [
        "",
        f"before={middle}",
        "outcome=skipped",
        "kind=flat",
        "q=no+such+word",
        f"account={group.leader_id}",
        "severity=danger",
        "symbol=ES",
        f"day={timezone.localdate(NOON)}",
    ]
    _fill(group, 400)
    short = {query: _measured(alice_client, query) for query in questions}
    Activity.objects.all().delete()
    _fill(group, LONG)
    with connection.cursor() as cursor:
        cursor.execute("analyze syncgroups_activity")
    long = {query: _measured(alice_client, query) for query in questions}
    reading = _reading_everything()
    for query in questions:
        assert long[query][1] <= QUERIES, query
        # The server may look through the lines for a word; what it finds must never come here as a whole.
        allowed = short[query][0] * 3 + reading
        assert long[query][0] < allowed, (query, short[query], long[query], reading)
