"""The environment: made once, made again when it is half made, and refused in one sentence."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from launcher import bootstrap
from launcher.words import GiveUpError

LOCKS = ("a.txt", "b.txt")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Any]]:
    """Return the commands that were run; the environment lies in a folder of the test."""
    commands: list[Sequence[Any]] = []
    venv = tmp_path / ".venv"
    python = venv / "bin" / "python"

    def run(command: Sequence[Any], **_options: Any) -> "subprocess.CompletedProcess[str]":
        commands.append([str(part) for part in command])
        if "venv" in command:
            python.parent.mkdir(parents=True)
            python.symlink_to(sys.executable)
            if "--without-pip" not in command:
                (python.parent / "pip").touch()
        return subprocess.CompletedProcess(command, 0)

    for name, value in (("ROOT", tmp_path), ("VENV", venv), ("PYTHON", python)):
        monkeypatch.setattr(bootstrap, name, value)
    monkeypatch.setattr(bootstrap, "MARKER", venv / "marker.json")
    monkeypatch.setattr("launcher.bootstrap.subprocess.run", run)
    monkeypatch.setattr("launcher.bootstrap.shutil.which", lambda _name: None)
    for lock in LOCKS:
        (tmp_path / lock).write_text(lock)
    return commands


def without(*modules: str) -> Any:
    return lambda name: None if name in modules else object()


def test_what_is_installed_is_not_installed_again(asked: list[Sequence[Any]]) -> None:
    bootstrap.ensure(LOCKS)
    assert [command[-1].rsplit("/", 1)[-1] for command in asked[1:]] == list(LOCKS)
    asked.clear()
    bootstrap.ensure(LOCKS)
    assert asked == []


def test_a_changed_lock_alone_is_installed_again(asked: list[Sequence[Any]]) -> None:
    bootstrap.ensure(LOCKS)
    asked.clear()
    (bootstrap.ROOT / "b.txt").write_text("newer")
    bootstrap.ensure(LOCKS)
    assert [command[-1] for command in asked] == [str(bootstrap.ROOT / "b.txt")]


@pytest.mark.parametrize("marker", [None, "", "{", "[]"])
def test_a_half_made_environment_is_made_again(asked: list[Sequence[Any]], marker: str | None) -> None:
    (bootstrap.VENV / "bin").mkdir(parents=True)
    (bootstrap.VENV / "left-over").touch()
    bootstrap.PYTHON.symlink_to(sys.executable)
    if marker is not None:
        bootstrap.MARKER.write_text(marker)
    bootstrap.ensure(LOCKS)
    assert not (bootstrap.VENV / "left-over").exists()
    assert "venv" in asked[0]
    assert set(json.loads(bootstrap.MARKER.read_text())) == set(LOCKS)


def test_an_interpreter_that_is_gone_means_a_new_environment(asked: list[Sequence[Any]]) -> None:
    bootstrap.ensure(LOCKS)
    bootstrap.PYTHON.unlink()
    bootstrap.PYTHON.symlink_to(bootstrap.ROOT / "removed-python")
    asked.clear()
    bootstrap.ensure(LOCKS)
    assert "venv" in asked[0]


def test_python_without_ensurepip_but_with_pip_does(
    asked: list[Sequence[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.bootstrap.importlib.util.find_spec", without("ensurepip"))
    bootstrap.ensure(LOCKS)
    assert "--without-pip" in asked[0]
    assert f"--python={bootstrap.PYTHON}" in asked[1]


@pytest.mark.usefixtures("asked")
def test_python_without_both_ends_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launcher.bootstrap.importlib.util.find_spec", without("ensurepip", "pip"))
    with pytest.raises(GiveUpError, match="apt install python3-venv"):
        bootstrap.ensure(LOCKS)


@pytest.mark.usefixtures("asked")
def test_another_python_ends_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launcher.bootstrap.sys.version_info", (3, 12, 0))
    with pytest.raises(GiveUpError, match=r"this is 3\.12.*make PYTHON=python3\.11 run"):
        bootstrap.ensure(LOCKS)


def test_an_index_that_is_out_of_reach_leaves_no_marker(
    asked: list[Sequence[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.ensure(("a.txt",))
    monkeypatch.setattr(
        "launcher.bootstrap.subprocess.run",
        lambda command, **_options: subprocess.CompletedProcess(command, 1),
    )
    with pytest.raises(GiveUpError, match=r"b\.txt could not be installed"):
        bootstrap.ensure(LOCKS)
    assert set(json.loads(bootstrap.MARKER.read_text())) == {"a.txt"}
    assert asked
