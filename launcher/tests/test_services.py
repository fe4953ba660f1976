"""Data services: leftovers of a killed run are awaited, never adopted; missing programs are named."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launcher import services
from launcher.words import GiveUpError


def pretend_server(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a process whose program looks like a data service."""
    program = folder / "postgres"
    program.symlink_to(shutil.which("sleep") or "/bin/sleep")
    server = subprocess.Popen([program, "60"])
    while not services._is_alive(server.pid):  # its name is there a moment after its start
        time.sleep(0.01)
    return server


@pytest.mark.skipif(sys.platform != "linux", reason="a process's program is read from /proc")
def test_the_note_of_a_living_server_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LEAVE_LIMIT", 0.3)
    server = pretend_server(tmp_path)
    note = tmp_path / "postmaster.pid"
    note.write_text(f"{server.pid}\n/data\n")
    try:
        with pytest.raises(GiveUpError, match=f"stop process {server.pid} first"):
            services._await_the_last_one(note, "database")
        assert note.exists()
    finally:
        server.kill()
        server.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="a process's program is read from /proc")
def test_a_server_that_ends_is_waited_for(tmp_path: Path) -> None:
    server = pretend_server(tmp_path)
    note = tmp_path / "postmaster.pid"
    note.write_text(str(server.pid))
    server.kill()
    server.wait()
    services._await_the_last_one(note, "database")
    assert not note.exists()


@pytest.mark.parametrize("text", ["", "no number", str(os.getpid())], ids=["empty", "words", "living"])
def test_a_note_that_names_no_server_is_taken_away(tmp_path: Path, text: str) -> None:
    note = tmp_path / "postmaster.pid"
    note.write_text(text)
    services._await_the_last_one(note, "database")
    assert not note.exists()


def test_a_missing_database_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMBEDDED_PG_BIN", raising=False)
    monkeypatch.setattr(services, "_package", lambda _name: None)
    monkeypatch.setattr("launcher.services.Path.glob", lambda _self, _pattern: iter(()))
    with pytest.raises(GiveUpError, match="apt install postgresql"):
        services._postgres_binaries()


def test_a_missing_redis_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMBEDDED_REDIS_BIN", raising=False)
    monkeypatch.setattr(services, "_package", lambda _name: None)
    monkeypatch.setattr("launcher.services.shutil.which", lambda _name: None)
    with pytest.raises(GiveUpError, match="apt install redis-server"):
        services._valkey_binary()


def test_the_data_folder_is_made_and_shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "deep" / "data"))
    folder = services.data_folder(tmp_path)
    assert folder == tmp_path / "deep" / "data"
    assert folder.stat().st_mode & 0o066 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_a_data_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(GiveUpError, match="belongs to another account"):
        services.data_folder(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps data outside a shut home")
def test_root_in_a_shut_home_keeps_the_data_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    folder = services.data_folder(home / "checkout")
    try:
        assert folder.parent == Path("/var/tmp")
        assert home.stat().st_mode & 0o777 == 0o700
    finally:
        folder.rmdir()


def test_a_service_is_stopped_by_its_own_signal() -> None:
    process = subprocess.Popen(["sleep", "60"])
    services.Service("postgres://x", process, signal.SIGINT).stop()
    assert process.returncode == -signal.SIGINT
