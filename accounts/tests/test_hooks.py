"""Web hooks out: signed, tried again, given up, and never a way into our own network."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Network
from typing import Any
from unittest.mock import Mock

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import notify
from accounts.core.hooks import ATTEMPTS, OFF_AFTER, SECRET_PREFIX, is_public, target
from accounts.models import AuditEvent, HookMessage, User, Webhook
from accounts.notify import hooks
from accounts.notify.posting import Undelivered, post
from accounts.services.hooks import MOST_HOOKS, make_hook, reseal_hooks, send_test, switch_on
from accounts.tasks import deliver_hook_message, sweep_hook_messages
from accounts.tests.factories import confirm
from accounts.tests.keys import just_gave_the_password
from tradehaven.domain.enums import NoticeKind
from tradehaven.domain.errors import InvalidInput

PRIVATE = (IPv4Network((10 << 24, 8)), IPv4Network((0xAC10 << 16, 12)), IPv4Network((0xC0A8 << 16, 16)))


@pytest.fixture
def owner(alice: User) -> User:
    confirm(alice)
    return alice


@pytest.fixture
def browser(owner: User, alice_client: Client) -> Client:
    return just_gave_the_password(alice_client)


WORDS = {"subject": "everything", "text": "The limit was reached."}


class Receiver:
    """A program on this machine that takes messages and answers as told."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_args: Any) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/in?room=1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_MAY_REACH_PRIVATE = True
    found = Receiver()
    yield found
    found.stop()


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Mock:
    found = Mock()
    monkeypatch.setattr(current_app, "send_task", found, raising=False)
    return found


def hook_to(url: str, person: User, **more: Any) -> tuple[Webhook, str]:
    return make_hook(owner=person, name="Alarm", url=url, kinds=[NoticeKind.GUARDRAIL], **more)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://",
        "https:///in",
        "https://user:word@example.com/",
        "https://example.com/#part",
        "https://example.com:99999/",
        "https://[::1/",
        "example.com",
        f"https://example.com/{'x' * 500}",
    ],
)
def test_an_address_that_no_hook_may_have_is_refused_at_its_field(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        target(url)
    assert caught.value.field == "url"


def test_an_address_is_taken_apart() -> None:
    where = target("https://example.com:8443/in/?a=b")
    assert (where.host, where.port, where.path, where.is_secure) == ("example.com", 8443, "/in/?a=b", True)
    assert target("https://example.com").path == "/"
    assert target("http://127.0.0.1", may_be_plain=True).port == 80


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        *((str(network[9]), False) for network in PRIVATE),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        (f"::ffff:{PRIVATE[0][9]}", False),
        ("::ffff:93.184.215.14", True),
    ],
)
def test_only_the_open_internet_is_called(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]"])
def test_a_hook_is_no_way_into_our_own_network(host: str, settings: Any) -> None:
    settings.WEBHOOKS_MAY_REACH_PRIVATE = False
    with pytest.raises(Undelivered, match="not on the open internet"):
        post(f"https://{host}/", b"{}", {})


def test_a_name_of_which_one_address_is_our_own_is_not_called(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOKS_MAY_REACH_PRIVATE = False
    both = [(2, 1, 6, "", ("93.184.215.14", 443)), (2, 1, 6, "", (str(PRIVATE[0][1]), 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: both)
    with pytest.raises(Undelivered, match="not on the open internet"):
        post("https://both.example.com/", b"{}", {})


def test_a_name_that_nobody_knows_and_an_address_that_turned_bad_are_said() -> None:
    with pytest.raises(Undelivered, match="is not known"):
        post("https://nobody.invalid/", b"{}", {})
    with pytest.raises(Undelivered, match="https"):
        post("http://example.com/", b"{}", {})


@pytest.mark.django_db
def test_what_is_mailed_arrives_signed_at_the_hooks_that_want_it(
    owner: User,
    receiver: Receiver,
    queue: Mock,
    django_capture_on_commit_callbacks: Any,
) -> None:
    hook, secret = hook_to(receiver.url, owner)
    assert secret.startswith(SECRET_PREFIX)
    assert secret not in hook.secret
    owner.tell_guardrails = False  # who wants no mail may still want the hook
    with django_capture_on_commit_callbacks(execute=True):
        assert notify.tell(owner, NoticeKind.GUARDRAIL, **WORDS) is None
        notify.tell(owner, NoticeKind.PLAN_ENDED, until=timezone.now())
    message = HookMessage.objects.get()
    assert [call.args[0] for call in queue.call_args_list].count(hooks.TASK) == 1
    deliver_hook_message(message.pk)
    ((headers, body),) = receiver.got
    said = json.loads(body)
    assert (said["kind"], said["id"]) == ("guardrail", str(message.number))
    assert "The limit was reached." in said["text"]
    stamp, proof = (part.partition("=")[2] for part in headers["X-TradeHaven-Signature"].split(","))
    wished = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(proof, wished)
    message.refresh_from_db()
    assert message.sent_at is not None
    assert message.status == 204
    deliver_hook_message(message.pk)
    assert len(receiver.got) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "words"), [(500, "it answered 500"), (302, "it answered 302")])
def test_what_does_not_arrive_is_tried_again_later_and_redirects_are_not_followed(
    owner: User, receiver: Receiver, queue: Mock, status: int, words: str
) -> None:
    hook, _ = hook_to(receiver.url, owner)
    receiver.status = status
    message, now = send_test(hook=hook), timezone.now()
    assert not hooks.deliver(message.pk, now=now)
    message.refresh_from_db()
    assert (message.failure, message.status, message.attempts) == (words, status, 1)
    assert not hooks.deliver(message.pk, now=now + timedelta(seconds=59))
    receiver.status = 200
    assert hooks.due(now=now + timedelta(seconds=61)) == [message.pk]
    assert hooks.deliver(message.pk, now=now + timedelta(seconds=61))
    assert len(receiver.got) == 2
    message.refresh_from_db()
    assert message.failure == ""


@pytest.mark.django_db
def test_a_hook_that_nothing_reaches_is_switched_off_with_its_reason_and_on_by_hand(
    owner: User, receiver: Receiver, queue: Mock
) -> None:
    hook, _ = hook_to(receiver.url, owner)
    receiver.stop()
    Webhook.objects.update(failures=OFF_AFTER - 1)
    message = send_test(hook=hook)
    HookMessage.objects.update(attempts=ATTEMPTS - 1)
    assert not hooks.deliver(message.pk, now=timezone.now())
    hook.refresh_from_db()
    assert not hook.active
    assert "no answer" in hook.off_because
    hooks.queue(owner, NoticeKind.GUARDRAIL, subject="x", text="y")
    assert HookMessage.objects.count() == 1
    switch_on(hook=hook, actor=owner)
    hook.refresh_from_db()
    assert (hook.active, hook.failures, hook.off_because) == (True, 0, "")
    sweep_hook_messages()
    message.refresh_from_db()
    assert message.attempts == ATTEMPTS, "what was given up is not tried again"


@pytest.mark.django_db
def test_a_secret_that_does_not_open_is_said_and_holds_up_nobody_elses_message(
    owner: User, receiver: Receiver, queue: Mock
) -> None:
    shut, _ = hook_to(receiver.url, owner)
    other, _ = make_hook(owner=owner, name="Other", url=receiver.url, kinds=[NoticeKind.GUARDRAIL])
    Webhook.objects.filter(pk=shut.pk).update(secret=other.secret)  # sealed to another row
    message = send_test(hook=shut)
    send_test(hook=other)
    sweep_hook_messages()
    message.refresh_from_db()
    assert "does not open" in message.failure
    assert len(receiver.got) == 1


@pytest.mark.django_db
def test_a_success_forgets_what_failed_before(owner: User, receiver: Receiver, queue: Mock) -> None:
    hook, _ = hook_to(receiver.url, owner)
    Webhook.objects.update(failures=5)
    send_test(hook=hook)
    sweep_hook_messages()
    hook.refresh_from_db()
    assert hook.failures == 0


@pytest.mark.django_db
def test_number_names_and_kinds_of_hooks_are_bounded(owner: User) -> None:
    for number in range(MOST_HOOKS):
        make_hook(owner=owner, name=f"h{number}", url="https://example.com/", kinds=[NoticeKind.COPY_MISSED])
    with pytest.raises(InvalidInput, match="remove one") as caught:
        hook_to("https://example.com/", owner)
    assert caught.value.field == "name"
    Webhook.objects.filter(name="h0").delete()
    with pytest.raises(InvalidInput, match="already"):
        make_hook(owner=owner, name="h1", url="https://example.com/", kinds=[NoticeKind.COPY_MISSED])
    with pytest.raises(InvalidInput, match="at least one"):
        make_hook(owner=owner, name="new", url="https://example.com/", kinds=[])


@pytest.mark.django_db
def test_secrets_come_under_a_new_key(owner: User, settings: Any) -> None:
    hook, _ = hook_to("https://example.com/", owner)
    assert list(reseal_hooks()) == [False]
    settings.DATA_KEYS = {**settings.DATA_KEYS, "next": bytes(32)}
    settings.ACTIVE_DATA_KEY = "next"
    assert list(reseal_hooks()) == [True]
    hook.refresh_from_db()
    assert hook.secret.startswith("v1.next.")
    settings.DATA_KEYS = {"other": bytes(32)}
    settings.ACTIVE_DATA_KEY = "other"
    assert list(reseal_hooks()) == [None]


@pytest.mark.django_db
def test_a_hook_is_made_tested_and_removed_on_its_page(browser: Client, queue: Mock) -> None:
    page = browser.get(reverse("accounts:hooks")).content.decode()
    assert "No web hook yet" in page
    typed = {"name": "Room", "url": "https://hooks.example.org/in", "kinds": ["guardrail", "link_down"]}
    made = browser.post(reverse("accounts:hook-make"), typed).content.decode()
    assert SECRET_PREFIX in made
    hook = Webhook.objects.get()
    browser.post(reverse("accounts:hook-test", args=[hook.pk]))
    page = browser.get(reverse("accounts:hooks")).content.decode()
    assert "https://hooks.example.org/in" in page
    assert "on its way" in page
    assert SECRET_PREFIX not in page
    browser.post(reverse("accounts:hook-remove", args=[hook.pk]))
    assert not Webhook.objects.exists()
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"hook_made", "hook_removed"} <= actions


@pytest.mark.django_db
def test_a_bad_address_stands_at_its_field_and_nothing_is_made(browser: Client) -> None:
    typed = {"name": "Room", "url": "http://example.com", "kinds": ["guardrail"]}
    answer = browser.post(reverse("accounts:hook-make"), typed)
    assert answer.status_code == 422
    assert "must begin with https://" in answer.content.decode()
    assert not Webhook.objects.exists()
