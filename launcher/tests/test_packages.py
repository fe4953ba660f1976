"""The pages' packages: installed once, by whichever npm there is, and never in the way of a start."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from launcher import bootstrap, packages


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Return the commands that were run, in a folder with a lock and a machine that has npm."""
    commands: list[Sequence[str]] = []

    def run(command: Sequence[Any], **_options: Any) -> "subprocess.CompletedProcess[str]":
        commands.append([str(part) for part in command])
        (tmp_path / packages.FOLDER).mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr("launcher.packages.subprocess.run", run)
    monkeypatch.setattr("launcher.packages.shutil.which", lambda _name: "/usr/bin/npm")
    (tmp_path / packages.LOCK).write_text("{}")
    return commands


def test_what_is_installed_is_not_installed_again(asked: list[Sequence[str]]) -> None:
    assert packages.ensure(for_tests=False)
    assert asked[0][:3] == ["/usr/bin/npm", "ci", "--ignore-scripts"]
    assert "--omit=dev" in asked[0]
    assert packages.ensure(for_tests=False)
    assert len(asked) == 1


def test_tests_want_more_than_pages(asked: list[Sequence[str]]) -> None:
    packages.ensure(for_tests=False)
    packages.ensure(for_tests=True)
    assert "--omit=dev" not in asked[1]
    packages.ensure(for_tests=False)
    assert len(asked) == 2


def test_a_changed_lock_is_installed(asked: list[Sequence[str]]) -> None:
    packages.ensure(for_tests=True)
    (bootstrap.ROOT / packages.LOCK).write_text('{"newer": true}')
    packages.ensure(for_tests=True)
    assert len(asked) == 2


@pytest.mark.parametrize("broken", ["", "{", "[]"])
def test_a_broken_marker_means_installing(asked: list[Sequence[str]], broken: str) -> None:
    (bootstrap.ROOT / packages.FOLDER).mkdir()
    (bootstrap.ROOT / packages.FOLDER / ".installed.json").write_text(broken)
    assert packages.ensure(for_tests=False)
    assert len(asked) == 1


def test_without_npm_that_of_the_wheel_is_taken(
    asked: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.packages.shutil.which", lambda _name: None)
    npm = bootstrap.VENV / "bin" / "npm"

    def install(lock: str) -> bool:
        assert lock == packages.WHEEL
        npm.parent.mkdir(parents=True)
        npm.touch()
        return True

    monkeypatch.setattr("launcher.packages.bootstrap.install", install)
    assert packages.ensure(for_tests=False)
    assert asked[0][0] == str(npm)


@pytest.mark.usefixtures("asked")
def test_a_machine_without_both_goes_on_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("launcher.packages.shutil.which", lambda _name: None)
    monkeypatch.setattr("launcher.packages.bootstrap.install", lambda _lock: False)
    assert not packages.ensure(for_tests=False)
    assert "charts show as tables" in capsys.readouterr().out


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("failure", [1, OSError("no such program"), subprocess.TimeoutExpired("npm", 180)])
def test_an_installation_that_fails_leaves_no_marker(
    failure: int | Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(command: Sequence[Any], **_options: Any) -> "subprocess.CompletedProcess[str]":
        if isinstance(failure, Exception):
            raise failure
        return subprocess.CompletedProcess(command, failure)

    monkeypatch.setattr("launcher.packages.subprocess.run", fail)
    assert not packages.ensure(for_tests=False)
    assert not (bootstrap.ROOT / packages.FOLDER / ".installed.json").exists()
    assert "could not be installed" in capsys.readouterr().out


def test_the_lock_names_no_host_and_seals_every_package() -> None:
    root = Path(__file__).resolve().parents[2]
    lock = json.loads((root / packages.LOCK).read_text())
    found = {name: entry for name, entry in lock["packages"].items() if name}
    assert found
    assert all(entry["integrity"].startswith("sha512-") for entry in found.values())
    assert not any("resolved" in entry for entry in found.values())
