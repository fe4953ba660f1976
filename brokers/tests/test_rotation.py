"""Keys are changed without anybody noticing: all secrets move to the new one, once."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.mfa.adapter import SUBJECT
from accounts.models import User
from brokers.models import Connection
from brokers.services import rotation
from brokers.services.rotation import Tally
from brokers.services.tokens import subject_of
from brokers.tests.factories import ConnectionFactory
from brokers.vault import seal, unseal

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
def rows(db: None, settings) -> list[Connection]:
    settings.DATA_KEYS, settings.ACTIVE_DATA_KEY = {"k1": OLD}, "k1"
    made = [ConnectionFactory.create() for _ in range(3)]
    for row in made:
        row.access_token = seal(f"access {row.pk}", subject=subject_of(row, "access"))
        row.refresh_token = seal(f"refresh {row.pk}", subject=subject_of(row, "refresh"))
        row.save()
    Connection.objects.filter(pk=made[2].pk).update(refresh_token="")
    settings.DATA_KEYS, settings.ACTIVE_DATA_KEY = {"k2": NEW, "k1": OLD}, "k2"
    return made


def said() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def test_every_token_moves_to_the_new_key_and_stays_what_it_was(rows: list[Connection], settings):
    assert rotation.waiting() == {"k1": 5}
    assert "tokens: 5 sealed anew, 0 up to date, 0 do not open" in said()
    settings.DATA_KEYS = {"k2": NEW}  # the old key may go
    for row in Connection.objects.filter(pk__in=[row.pk for row in rows]):
        assert unseal(row.access_token, subject=subject_of(row, "access")) == f"access {row.pk}"
    assert rotation.waiting() == {"k2": 5}


def test_running_it_again_changes_nothing(rows: list[Connection]):
    said()
    before = list(Connection.objects.order_by("pk").values_list("access_token", "refresh_token"))
    out = said()
    assert "tokens: 0 sealed anew, 5 up to date, 0 do not open" in out
    assert "key k2: 5 tokens" in out
    assert list(Connection.objects.order_by("pk").values_list("access_token", "refresh_token")) == before


def test_a_run_that_was_stopped_is_finished_by_the_next(rows: list[Connection]):
    outcomes = rotation._reseal_tokens()
    assert [next(outcomes), next(outcomes)] == [True, True]
    assert rotation.rotate()[0] == Tally(kind="tokens", anew=3, current=2, shut=0)


def test_a_token_that_is_renewed_meanwhile_is_not_undone(rows: list[Connection]):
    row = rows[0]
    stale = Connection.objects.get(pk=row.pk)
    renewed = seal("fresh", subject=subject_of(row, "access"))
    Connection.objects.filter(pk=row.pk).update(access_token=renewed)
    assert rotation._reseal_token(stale, "access", stale.access_token) is False
    assert Connection.objects.get(pk=row.pk).access_token == renewed


def test_what_does_not_open_is_counted_and_left_alone(rows: list[Connection], settings):
    settings.DATA_KEYS = {"k2": NEW}
    with pytest.raises(CommandError, match="missing"):
        said()
    assert rotation.waiting() == {"k1": 5}


def test_second_factors_move_too(rows: list[Connection], alice: User, settings):
    settings.ACTIVE_DATA_KEY = "k1"
    data = {"secret": seal("JBSWY3DP", subject=SUBJECT)}
    Authenticator.objects.create(user=alice, type="totp", data=data)
    codes = {"seed": seal("abc", subject=SUBJECT), "used_mask": 3}
    Authenticator.objects.create(user=alice, type="recovery_codes", data=codes)
    settings.ACTIVE_DATA_KEY = "k2"
    assert rotation.rotate()[1] == Tally(kind="second factors", anew=2, current=0, shut=0)
    assert rotation.rotate()[1] == Tally(kind="second factors", anew=0, current=2, shut=0)
    settings.DATA_KEYS = {"k2": NEW}
    kept = Authenticator.objects.get(user=alice, type="recovery_codes").data
    assert kept["used_mask"] == 3
    assert unseal(kept["seed"], subject=SUBJECT) == "abc"
    settings.DATA_KEYS, settings.ACTIVE_DATA_KEY = {"k3": OLD}, "k3"
    assert rotation.rotate()[1].shut == 2


def test_a_tally_adds_up():
    assert Tally(kind="x", anew=1, current=2, shut=3).total == 6
