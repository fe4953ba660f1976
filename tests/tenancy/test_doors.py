"""Every address, tried by everyone whom it is not for, with the victim's own ids."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from asgiref.sync import async_to_sync
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.core.keys import Scope
from accounts.models import ApiKey, User
from accounts.services.keys import revoke_key
from accounts.tests.factories import confirm, show_factor
from accounts.tests.keys import caller, just_gave_the_password, key_of
from brokers.models import Connection
from brokers.tests.factories import LeaseFactory
from syncgroups.models import ManualCopy, SyncGroup
from tests.tenancy.table import ADMIN_ACTIONS, ADMIN_MODELS, DOORS, Door, Row, Whose, doors
from tests.tenancy.world import MARK, World, picture, victim_of

pytestmark = pytest.mark.django_db
WELCOME = "/welcome/"
LOG_IN = "/accounts/login/"
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
NOT_MINE = {404, 405}


@pytest.fixture
def world(alice: User, settings: Any) -> World:
    # There is a paper exchange, but nobody answers at its address: no visit may act on a real one.
    settings.PAPER_OPERATOR_TOKEN = "token"
    paper = settings.BROKERS["paper"] | {"client_id": "tests", "rest_url": "http://127.0.0.1:9/v1"}
    settings.BROKERS = settings.BROKERS | {"paper": paper}
    cache.clear()
    confirm(alice)
    LeaseFactory.create()
    return victim_of(alice)


def url_of(door: Door, world: World) -> str:
    """Return a door's address with the victim's things in it."""
    fills = list(row_of(door).fills)
    values = [fill[1:] if fill.startswith("=") else world.values[fill] for fill in fills]

    def fill(_: re.Match[str]) -> str:
        return str(values.pop(0))

    route = re.sub(r"<[^>]+>|\(\?P<\w+>[^)]*\)", fill, door.route)
    assert not values
    return "/" + re.sub(r"[\^$]|\(\?:/\|\)?", "", route).removesuffix("|)")


def row_of(door: Door) -> Row:
    return DOORS[door.route]


def pages(*whose: Whose) -> Iterator[Door]:
    for door in doors():
        if not door.is_admins and (not whose or row_of(door).whose in whose):
            yield door


def body(world: World) -> dict[str, object]:
    """Return a form that names the victim's things under every name that a field of ours has."""
    account, spare = world.values["account"], world.values["spare"]
    form: dict[str, object] = {
        "account": spare,
        "leader": world.values["leader"],
        "followers": [account, spare],
    }
    form |= {"name": "mine now", "mode": "immediate", "kind": "live", "scope": "trade", "expires": ""}
    form |= {"email": world.owner.email, "login": world.owner.email, "password": "guess", "flatten": "on"}
    form |= {"email_radio": world.owner.email, "action_remove": "", "state": "x", "code": "y"}
    form |= {"product": "ES", "sizing": "ratio", "ratio": "5", "fixed_qty": "1", "copied": "on", "qty": "1"}
    return form


def visit(client: Client, door: Door, world: World, method: str) -> Any:
    url = url_of(door, world)
    if door.route.startswith("api"):
        asked = {"leaderAccountId": world.values["leader"], "followerAccountIds": [world.values["account"]]}
        order = asked | {"instrument": "ESZ6", "side": "Buy", "quantity": 1, "orderType": "Market"}
        return getattr(client, method)(url, order, content_type="application/json")
    return getattr(client, method)(url, body(world)) if method == "post" else getattr(client, method)(url)


def told(answer: HttpResponse | StreamingHttpResponse) -> bool:
    return MARK in _text(answer) + str(answer.headers)


def _text(answer: HttpResponse | StreamingHttpResponse) -> str:
    """Return what an answer says, also inside of the archive that an export is."""
    if not isinstance(answer, StreamingHttpResponse):
        return answer.content.decode()
    chunks: Any = answer.streaming_content
    sent = async_to_sync(_joined)(chunks)
    if answer.headers["Content-Type"].startswith("text/"):
        return sent.decode()
    with ZipFile(BytesIO(sent)) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


async def _joined(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def quiet(client: Client) -> Client:
    client.raise_request_exception = False
    return client


def test_every_door_has_a_row_and_every_row_a_door() -> None:
    assert {door.route for door in doors() if not door.is_admins} == set(DOORS)


def test_the_table_fills_every_address(world: World) -> None:
    for door in pages():
        assert "<" not in url_of(door, world)


def test_strangers_without_a_log_in_are_sent_to_it(world: World) -> None:
    before, wrong = picture(world.owner), []
    for door in pages():
        for method in ("get", "post"):
            answer = visit(quiet(Client()), door, world, method)
            if told(answer) or not _fits_nobody(row_of(door).whose, answer):
                wrong.append((door.route, method, answer.status_code))
    assert not wrong
    assert picture(world.owner) == before


def _fits_nobody(whose: Whose, answer: HttpResponse) -> bool:
    match whose:
        case Whose.ANYBODY:
            return answer.status_code < 500 or answer.status_code == 503
        case Whose.KEY | Whose.KEY_NAMED:
            return answer.status_code == 401
        case _:
            return answer.status_code == 302 and answer.headers["Location"].startswith((LOG_IN, WELCOME))


def test_an_ended_session_is_no_log_in(world: World) -> None:
    wrong = []
    for door in pages(Whose.OWN, Whose.NAMED):
        for end in (_expire, _revoke):
            hers = quiet(Client())
            hers.force_login(world.owner)
            end()
            answer = visit(hers, door, world, "get")
            if not _fits_nobody(Whose.OWN, answer) or told(answer):
                wrong.append((door.route, answer.status_code))
    assert not wrong


def _expire() -> None:
    Session.objects.update(expire_date=timezone.now())


def _revoke() -> None:
    Session.objects.all().delete()


@pytest.fixture(params=["confirmed", "not confirmed", "an operator"])
def stranger(request: pytest.FixtureRequest, bob: User) -> User:
    if request.param != "not confirmed":
        confirm(bob)
    if request.param == "an operator":  # to pages of traders an operator is a stranger like any other
        bob.is_staff = bob.is_superuser = True
        bob.save()
    return bob


def test_a_stranger_finds_nothing_of_hers(world: World, stranger: User) -> None:
    before = picture(world.owner)
    wrong: list[tuple[str, object]] = []
    for door in pages(Whose.ANYBODY, Whose.OWN, Whose.NAMED):
        statuses = set()
        for method in METHODS:
            his = quiet(Client())
            his.force_login(stranger)
            answer = visit(just_gave_the_password(his), door, world, method)
            statuses.add(answer.status_code)
            if told(answer):
                wrong.append((door.route, f"told by {method}"))
        if row_of(door).whose is Whose.NAMED and not (404 in statuses and statuses <= NOT_MINE):
            wrong.append((door.route, statuses))
        if statuses & {500}:
            wrong.append((door.route, statuses))
    assert not wrong
    assert picture(world.owner) == before


def test_who_has_not_confirmed_the_address_brings_nothing_in(world: World, bob: User) -> None:
    refused = []
    for door in pages(Whose.OWN):
        his = quiet(Client())
        his.force_login(bob)
        if visit(just_gave_the_password(his), door, world, "post").status_code == 403:
            refused.append(door.route)
    assert set(refused) >= {"settings/connections/connect/<slug:environment>/"}
    assert not Connection.objects.filter(owner=bob).exists()
    assert not SyncGroup.objects.filter(owner=bob).exists()
    assert not ApiKey.objects.filter(owner=bob).exists()


def test_the_owner_passes_every_door_that_names_her_things(world: World) -> None:
    """Without this, a door that opens to nobody would count as one that is shut to strangers."""
    shut = []
    for door in pages(Whose.NAMED):
        statuses = set()
        for method in ("get", "post"):
            hers = quiet(Client())
            hers.force_login(world.owner)
            undo = transaction.savepoint()
            statuses.add(visit(hers, door, world, method).status_code)
            transaction.savepoint_rollback(undo)
        if statuses <= NOT_MINE or 500 in statuses:
            shut.append((door.route, statuses))
    assert not shut


def api_doors() -> Iterator[Door]:
    yield from pages(Whose.KEY, Whose.KEY_NAMED)


def test_another_persons_key_finds_nothing_of_hers(world: World, bob: User) -> None:
    before, wrong = picture(world.owner), []
    _, text = key_of(bob, Scope.DISARM)  # the one that may most
    for door in api_doors():
        for method in METHODS:
            cache.clear()
            answer = visit(quiet(caller(text)), door, world, method)
            expected = answer.status_code in NOT_MINE or (
                row_of(door).whose is Whose.KEY and answer.status_code in (200, 400)
            )
            if told(answer) or not expected:
                wrong.append((door.route, method, answer.status_code))
    assert not wrong
    assert picture(world.owner) == before
    assert not ManualCopy.objects.filter(owner=bob).exists()


def test_a_reading_key_changes_nothing_by_any_method(world: World) -> None:
    _, text = key_of(world.owner, Scope.READ)
    before, wrong = picture(world.owner), []
    for door in api_doors():
        for method in ("post", "put", "patch", "delete"):
            cache.clear()
            answer = visit(quiet(caller(text)), door, world, method)
            if answer.status_code != 403:
                wrong.append((door.route, method, answer.status_code))
    assert not wrong
    assert _without_use(picture(world.owner)) == _without_use(before)


def _without_use(seen: dict[str, object]) -> dict[str, object]:
    return {name: row for name, row in seen.items() if not name.startswith("accounts.ApiKey")}


def _let_expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


def _take_back(key: ApiKey) -> None:
    revoke_key(key=key)


def _block(key: ApiKey) -> None:
    User.objects.filter(pk=key.owner_id).update(is_active=False)


@pytest.mark.parametrize("end", [_let_expire, _take_back, _block])
def test_a_key_that_is_over_opens_nothing(world: World, end: Callable[[ApiKey], None]) -> None:
    key, text = key_of(world.owner)
    end(key)
    before, wrong = picture(world.owner), []
    for door in api_doors():
        for method in METHODS:
            cache.clear()
            answer = visit(quiet(caller(text)), door, world, method)
            if answer.status_code != 401 or told(answer):
                wrong.append((door.route, method, answer.status_code))
    assert not wrong
    assert picture(world.owner) == before


def test_a_key_opens_no_page_and_a_log_in_no_api(world: World) -> None:
    _, text = key_of(world.owner)
    for door in pages(Whose.OWN, Whose.NAMED):
        assert visit(quiet(caller(text)), door, world, "get").status_code == 302, door.route
    hers = quiet(Client())
    hers.force_login(world.owner)
    for door in api_doors():
        assert visit(hers, door, world, "get").status_code == 401, door.route


def admin_urls(world: World) -> Iterator[str]:
    for door in (door for door in doors() if door.is_admins and door.pattern.name not in ("login", "logout")):
        label = ".".join(door.route.split("/")[1:3])
        pk = str(world.rows[label].pk) if label in world.rows else "1"
        url = re.sub(r"<[^>]+>", pk, door.route.replace("^(?P<app_label>", "(?P<app_label>"))
        yield "/" + re.sub(r"\(\?P<pk>|\(\?P.*?\)", "accounts", url).replace("$", "").replace("^", "")


@pytest.mark.parametrize("who", ["nobody", "a trader", "staff without rights"])
def test_the_administration_is_shut(world: World, bob: User, who: str) -> None:
    confirm(bob)
    bob.is_staff = who == "staff without rights"
    bob.save()
    before, wrong = picture(world.owner), []
    his = quiet(Client())
    if who != "nobody":
        his.force_login(bob)
    for url in admin_urls(world):
        for method in ("get", "post"):
            answer = getattr(his, method)(url, {"action": "delete_selected", ACTION_CHECKBOX_NAME: "1"})
            if told(answer) or not _is_shut(answer, url, staff=bob.is_staff):
                wrong.append((url, method, answer.status_code))
    assert not wrong
    assert picture(world.owner) == before


def _is_shut(answer: HttpResponse, url: str, *, staff: bool) -> bool:
    if not staff:
        return answer.status_code == 302 and "/login/" in answer.headers["Location"]
    harmless = ("/admin/", "/admin/jsi18n/", "/admin/password_change/", "/admin/password_change/done/")
    return answer.status_code in (301, 302, 403, 404, 405) or url in harmless


def test_every_model_of_the_administration_is_in_the_table() -> None:
    assert {model._meta.label for model in admin.site._registry} == ADMIN_MODELS


def test_every_action_of_the_administration_is_in_the_table(rf: RequestFactory, bob: User) -> None:
    bob.is_staff = bob.is_superuser = True
    request = rf.get("/admin/")
    request.user = bob
    offered = {
        model._meta.label: set(shown.get_actions(request)) for model, shown in admin.site._registry.items()
    }
    assert {label: actions for label, actions in offered.items() if actions} == ADMIN_ACTIONS


def test_no_action_runs_without_the_right_to_it(world: World, bob: User) -> None:
    bob.is_staff = True
    bob.save()
    bob.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    before = picture(world.owner)
    his = quiet(Client())
    his.force_login(bob)
    for model in admin.site._registry:
        if model._meta.label not in ADMIN_ACTIONS:
            continue
        ticked = list(model._default_manager.values_list("pk", flat=True))
        for action in ADMIN_ACTIONS[model._meta.label]:
            form = {"action": action, ACTION_CHECKBOX_NAME: ticked, "post": "yes"}
            his.post(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), form)
    assert picture(world.owner) == before


def test_operators_see_neither_secrets_nor_tokens(
    world: World, admin_client: Client, admin_user: User
) -> None:
    show_factor(admin_client, admin_user)
    login, key = world.rows["brokers.connection"], world.rows["accounts.apikey"]
    Connection.objects.filter(pk=login.pk).update(access_token="TOKEN-A", refresh_token="TOKEN-R")
    for row, secrets in ((login, ["TOKEN-A", "TOKEN-R"]), (key, [key.secret_hash])):  # type: ignore[attr-defined]
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        page = admin_client.get(url).content.decode()
        assert MARK in page
        assert not [secret for secret in secrets if secret in page]
