"""What the launcher keeps on disk: secrets, ports, the shell file, the lock."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

from launcher import session
from launcher.state import State
from launcher.words import GiveUpError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_secrets_are_the_same_at_the_next_start(tmp_path: Path) -> None:
    first, second = State(tmp_path), None
    made = first.text("secret_key"), first.key_ring(), first.password()
    second = State(tmp_path)
    assert (second.text("secret_key"), second.key_ring(), second.password()) == made


def test_state_is_for_its_owner_alone_even_where_it_was_loose(tmp_path: Path) -> None:
    (tmp_path / "launcher.json").write_text("{}")
    (tmp_path / "launcher.json").chmod(0o644)
    State(tmp_path).text("secret_key")
    assert mode(tmp_path / "launcher.json") == 0o600


def test_a_broken_state_is_named_and_never_made_anew(tmp_path: Path) -> None:
    (tmp_path / "launcher.json").write_text('{"data_keys": "k1')
    with pytest.raises(GiveUpError, match="restore it"):
        State(tmp_path)
    assert (tmp_path / "launcher.json").read_text() == '{"data_keys": "k1'


def test_the_key_ring_holds_one_key_of_32_bytes(tmp_path: Path) -> None:
    name, _, encoded = State(tmp_path).key_ring().partition(":")
    assert name == "k1"
    assert len(base64.b64decode(encoded, validate=True)) == 32


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = State(tmp_path / "a"), State(tmp_path / "b")
    assert one.key_ring() != other.key_ring()
    assert one.password() != other.password()


def test_the_site_s_key_is_long_enough_for_the_deploy_check(tmp_path: Path) -> None:
    assert len(State(tmp_path).text("secret_key")) >= 50


def test_ports_are_remembered(tmp_path: Path) -> None:
    State(tmp_path).keep_port("postgres", 5555)
    assert State(tmp_path).port("postgres") == 5555
    assert State(tmp_path).port("valkey") is None
    assert json.loads((tmp_path / "launcher.json").read_text()) == {"postgres_port": 5555}


def test_run_env_has_every_name_and_survives_a_shell(tmp_path: Path) -> None:
    values = {name: f"it's {name} $HOME" for name in session.KEPT}
    (tmp_path / "run.env").write_text("old")
    (tmp_path / "run.env").chmod(0o644)
    session.keep(tmp_path, values)
    assert mode(tmp_path / "run.env") == 0o600
    shown = subprocess.run(
        ["sh", "-c", f". {tmp_path}/run.env && env"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {f"{name}={value}" for name, value in values.items()} <= set(shown)
    assert {"DEMO_PASSWORD", "PAPER_PORT", "PAPER_SECRET"} <= set(session.KEPT)


def test_a_second_run_is_told_who_runs_here(tmp_path: Path) -> None:
    with session.only_one(tmp_path):
        with pytest.raises(GiveUpError, match=f"process {os.getpid()}"), session.only_one(tmp_path):
            raise AssertionError("two runs at once")
    with session.only_one(tmp_path):
        assert (tmp_path / "run.lock").read_text() == str(os.getpid())


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in session.KEPT:
        monkeypatch.delenv(name, raising=False)


ADDRESSES = {"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x"}


@pytest.mark.usefixtures("plain")
def test_processes_get_every_secret_that_the_settings_read(tmp_path: Path) -> None:
    made = session.environment(tmp_path, State(tmp_path), ADDRESSES, usual_ports=False)
    assert set(session.KEPT) <= set(made)
    assert all(made[name] for name in session.KEPT)
    assert made["PAPER_URL"].endswith(made["PAPER_PORT"])
    assert made["SITE_URL"].endswith(made["PORT"])


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("wrong", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str) -> None:
    monkeypatch.setenv("PORT", wrong)
    with pytest.raises(GiveUpError, match="PORT must be a port"):
        session.environment(tmp_path, State(tmp_path), ADDRESSES)
